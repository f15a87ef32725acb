"""Translation memories: translations of segments by digest and language, as Parquet files."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.reading import check_expansion, nfc

BATCH_ROWS = 1 << 15  # of a file that are read at once
BUFFER_BYTES = 1 << 20  # of a column that are read at once
MODEL, HUMAN = "model", "human"  # origins of a translation
# A row is a translation of a segment into a language. origin: MODEL or HUMAN; model: its fingerprint, and decoding: its
# settings, both empty for HUMAN; name: of the model or person, revision: the commit of the model, licence: of the
# translation, all three empty where they are not known; flags: what the translator reported.
MEMORY_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("sha256", "lang", "origin", "model", "name", "revision", "licence")),
        ("decoding", pa.string()),
        ("text", pa.string()),
        ("flags", pa.list_(pa.string())),
    ]
)
Row = dict[str, Any]


class Origin(NamedTuple):
    """Who made a translation; empty is what is not known."""

    origin: str  # MODEL or HUMAN
    name: str = ""  # of the model or person
    revision: str = ""  # the commit of the model on the Hub
    licence: str = ""
    model: str = ""  # fingerprint of the model

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Origin":
        """Return the origin of a row of a memory."""
        return cls(*(row[name] or "" for name in cls._fields))


class Remembered(NamedTuple):
    """A translation, and who made it."""

    text: str
    origin: Origin


class Lookup(Protocol):
    """Translations that are looked up by the digests of English segments, some thousands at once."""

    def find(self, digests: Iterable[str], lang: str) -> dict[str, Remembered]:
        """Return the translations of those segments that have one into a language, by digest."""
        ...


def remembered_rows(table: pa.Table) -> dict[str, Remembered]:
    """Return the translations of a table, by digest."""
    columns = (table[name].to_pylist() for name in ("sha256", "text", *Origin._fields))
    return {
        key: Remembered(text, Origin(*(name or "" for name in names)))
        for key, text, *names in zip(*columns, strict=True)
    }


@dataclass(frozen=True)
class TranslationMemory:
    """Translations by (digest of the English segment, language), all in memory, and who made each of them."""

    texts: Mapping[tuple[str, str], str]
    origins: Mapping[tuple[str, str], Origin] = field(default_factory=dict)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it has translations into."""
        return frozenset(lang for _, lang in self.texts)

    def find(self, digests: Iterable[str], lang: str) -> dict[str, Remembered]:
        """Return the translations of those segments that have one into a language, by digest."""
        keys = ((digest, lang) for digest in digests)
        return {key[0]: Remembered(self.texts[key], self.origins[key]) for key in keys if key in self.texts}

    def models(self) -> list[Origin]:
        """Return the models that translations are from."""
        return sorted({origin for origin in self.origins.values() if origin.origin == MODEL})


def digest(segment: str) -> str:
    """Return the SHA-256 of a segment's NFC form, in hexadecimal."""
    return hashlib.sha256(nfc(segment).encode()).hexdigest()


def read_memory(path: Path) -> TranslationMemory:
    """Return the translation memory in a Parquet file with the columns of `MEMORY_SCHEMA`.

    Of several translations of a segment those that people made come first, then the first in the order of models.

    Raises:
        InputError: The file is missing, or no translation memory.
    """
    chosen = choose_rows(row for table in read_tables(path, MEMORY_SCHEMA.names) for row in table.to_pylist())
    return TranslationMemory(
        {key: row["text"] for key, row in chosen.items()}, {key: Origin.of_row(row) for key, row in chosen.items()}
    )


def choose_rows(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """Return the row that counts for each digest and language; empty translations do not."""
    ordered = [row for row in rows if row["text"]]
    ordered.sort(key=lambda row: (row["origin"] != HUMAN, row["model"] or "", row["decoding"] or ""), reverse=True)
    return {(row["sha256"], row["lang"]): row for row in ordered}


def count_rows(path: Path) -> int:
    """Return the number of rows of a translation memory in Parquet; errors as in `read_tables`."""
    with _reading(path):
        return int(pq.read_metadata(path).num_rows)


def read_tables(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield these columns of a translation memory in Parquet, some rows at a time.

    Raises:
        InputError: The file is missing, or no translation memory.
    """
    with _reading(path):
        names = pq.read_schema(path).names
        for name in columns:
            if name not in names:
                raise InputError(f"{path} is not a translation memory in Parquet: it lacks the column {name}.")
        check_expansion(path, columns)
        with pq.ParquetFile(path, buffer_size=BUFFER_BYTES) as parquet:
            for batch in parquet.iter_batches(BATCH_ROWS, columns=list(columns)):
                yield pa.Table.from_batches([batch])


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a memory is read into an InputError."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; a translation memory is a Parquet file. Name the file.")
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"There is no translation memory {path}. Name one, or use --translator none.") from None
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise InputError(f"{path} is not a translation memory in Parquet: {error}") from None
