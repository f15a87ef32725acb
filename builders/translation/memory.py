"""Translation memories: translations of segments by digest and language, as Parquet files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.reading import check_expansion, nfc

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


@dataclass(frozen=True)
class TranslationMemory:
    """Translations by (digest of the English segment, language), and who made each of them."""

    texts: Mapping[tuple[str, str], str]
    origins: Mapping[tuple[str, str], Origin] = field(default_factory=dict)

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
    rows = [row for row in read_table(path, MEMORY_SCHEMA.names).to_pylist() if row["text"]]
    rows.sort(key=lambda row: (row["origin"] != HUMAN, row["model"] or "", row["decoding"] or ""), reverse=True)
    chosen = {(row["sha256"], row["lang"]): row for row in rows}
    return TranslationMemory(
        {key: row["text"] for key, row in chosen.items()}, {key: Origin.of_row(row) for key, row in chosen.items()}
    )


def read_table(path: Path, columns: Sequence[str]) -> pa.Table:
    """Return these columns of a translation memory in Parquet.

    Raises:
        InputError: The file is missing, or no translation memory.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; a translation memory is a Parquet file. Name the file.")
    try:
        check_expansion(path, columns)
        return pq.read_table(path, columns=list(columns))
    except FileNotFoundError:
        raise InputError(f"There is no translation memory {path}. Name one, or use --translator none.") from None
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise InputError(f"{path} is not a translation memory in Parquet: {error}") from None
