"""Translation memories for tests and for the sample: write one, align a text with its translation, translate by one."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from builders.translation import MEMORY_SCHEMA, TranslationMemory, digest, merge, segment
from corpora.files import atomic_path
from corpora.language_id import is_spaced


def human_row(sha256: str, lang: str, text: str) -> dict[str, object]:
    """Return the row of a translation that a person made."""
    key = {"sha256": sha256, "lang": lang, "origin": "human", "model": "", "decoding": "", "revision": ""}
    return {**key, "name": "coit-builders", "licence": "cc0-1.0", "text": text, "flags": []}


def write_memory(rows: Iterable[Mapping[str, object]], path: Path) -> None:
    """Write translations, sorted by key, as one Parquet file."""
    ordered = sorted(
        rows, key=lambda row: tuple(str(row[k]) for k in ("lang", "sha256", "origin", "model", "decoding"))
    )
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(ordered, schema=MEMORY_SCHEMA), temporary, compression="zstd")


def align(english: str, foreign: str, lang: str) -> list[tuple[str, str]]:
    """Return the segments of a text and of its translation in pairs; ValueError if their skeletons differ."""
    (segments, skeleton), (others, _) = segment(english), segment(foreign, lang)
    if len(segments) != len(others) or (segments and merge(skeleton, others, is_spaced(lang)) != foreign):
        raise ValueError(f"The skeletons differ: {english!r} and {foreign!r}")
    return list(zip(segments, others, strict=True))


def translate(text: str, lang: str, memory: TranslationMemory) -> str | None:
    """Return the text with every segment translated; None if the memory lacks one of them."""
    segments, skeleton = segment(text)
    found = [memory.texts.get((digest(source), lang)) for source in segments]
    known = [translation for translation in found if translation is not None]
    return merge(skeleton, known, is_spaced(lang)) if len(known) == len(segments) else None
