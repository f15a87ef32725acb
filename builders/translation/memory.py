"""TranslationMemory: segments that have been translated, by what they say, language, model and decoding."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from builders.translation.segment import cut, fill, is_spaced
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.reading.nfc import nfc

TRANSLATIONS = pa.schema(
    [(name, pa.string()) for name in ("sha256", "lang", "model", "decoding", "text")]
    + [("flags", pa.list_(pa.string()))]
)


@dataclass(frozen=True)
class TranslationMemory:
    """Translations by (digest of the English segment, language); of several, the first in the order of models.

    `models` are the names of those that it has anything of.
    """

    texts: Mapping[tuple[str, str], str]
    models: tuple[str, ...] = ()

    def translate(self, text: str, lang: str) -> str | None:
        """The text with every segment translated; None if the memory lacks one of them."""
        segments, frame = cut(text)
        found = [self.texts.get((digest(segment), lang)) for segment in segments]
        known = [segment for segment in found if segment is not None]
        return fill(frame, known, is_spaced(lang)) if len(known) == len(segments) else None


def digest(segment: str) -> str:
    """The SHA-256 of a segment's NFC form, in hexadecimal."""
    return hashlib.sha256(nfc(segment).encode()).hexdigest()


def read_memory(path: Path) -> TranslationMemory:
    """The translation memory in a Parquet file with the columns of `TRANSLATIONS`."""
    table = read_table(path, TRANSLATIONS.names)
    rows = sorted(table.to_pylist(), key=lambda row: (row["model"] or "", row["decoding"] or ""), reverse=True)
    texts = {(row["sha256"], row["lang"]): row["text"] for row in rows if row["text"]}
    return TranslationMemory(texts, tuple(sorted({row["model"] or "unnamed" for row in rows if row["text"]})))


def read_table(path: Path, columns: Sequence[str]) -> pa.Table:
    """These columns of a translation memory in Parquet; InputError if it is none."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; a translation memory is a Parquet file.")
    try:
        return pq.read_table(path, columns=list(columns))
    except FileNotFoundError:
        raise InputError(f"There is no translation memory {path}. Name one, or use --translator none.") from None
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise InputError(f"{path} is not a translation memory in Parquet: {error}") from None


def write_memory(rows: Iterable[Mapping[str, object]], path: Path) -> None:
    """Write translations, ordered by key, as one Parquet file."""
    ordered = sorted(rows, key=lambda row: tuple(str(row[k]) for k in ("lang", "sha256", "model", "decoding")))
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(ordered, schema=TRANSLATIONS), temporary, compression="zstd")


def aligned(english: str, foreign: str, lang: str) -> list[tuple[str, str]]:
    """The segments of a text and of its translation, pair by pair; ValueError if their frames differ."""
    (segments, frame), (others, _) = cut(english), cut(foreign, lang)
    if len(segments) != len(others) or (segments and fill(frame, others, is_spaced(lang)) != foreign):
        raise ValueError(f"The frames differ: {english!r} and {foreign!r}")
    return list(zip(segments, others, strict=True))
