"""Translations from elsewhere into the translation memory: read strictly, judged by the guards, added."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from builders.translation.memory import digest
from builders.translation.memory_export import check_name
from builders.translation.quality_checks import judge
from builders.translation.store import BY_HAND, REMEMBERED, MemoryFolder
from corpora.catalog import languages
from corpora.errors import InputError
from corpora.reading.tmx import read_tmx

MODEL = re.compile(rf"[0-9a-f]{{64}}|{BY_HAND}")
NEEDED = [name for name in REMEMBERED.names if name != "stopped_by"]
AGAIN = "Export it again with `builders memory export`; the memory is as it was."
Row = dict[str, Any]


def import_memory(work: Path, file: Path) -> str:
    """Read a TMX or Parquet file into the memory, judged by the guards; a sentence on what was read."""
    check_name(file)
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is no file"
        raise InputError(f"{file} {what}; a translation memory in .tmx or .parquet was expected. Correct the path.")
    rows = _distinct(_tmx_rows(file) if file.suffix == ".tmx" else _parquet_rows(file))
    if not rows:
        known = ", ".join(code for code in languages() if code != "en")
        raise InputError(f"{file} holds no translation from English (en) into one of {known}: nothing was imported.")
    added = stopped = 0
    with MemoryFolder(work / "memory").opened() as folder:
        for model, lang in sorted({(row["model"], row["lang"]) for row in rows}):
            shelf = folder.shelf(model, lang)
            known_keys = set(zip(*(shelf.judged()[name].to_pylist() for name in ("sha256", "decoding")), strict=True))
            of = [row for row in rows if (row["model"], row["lang"]) == (model, lang)]
            new = [row for row in of if (row["sha256"], row["decoding"]) not in known_keys]
            verdicts = judge([r["en"] for r in new], [r["text"] for r in new], [r["flags"] for r in new], lang)
            if new:
                shelf.add([row | {"stopped_by": why} for row, why in zip(new, verdicts, strict=True)])
            added += len(new)
            stopped += sum(map(bool, verdicts))
    held = f" ({stopped:,} of them are stopped by a guard)" if stopped else ""
    return f"{added:,} translations were added from {file}{held}, {len(rows) - added:,} were known."


def _distinct(rows: Iterable[Row]) -> list[Row]:
    """Each key once; of equal keys the first."""
    kept: dict[tuple[str, ...], Row] = {}
    for row in rows:
        kept.setdefault(tuple(row[name] for name in ("model", "lang", "decoding", "sha256")), row)
    return list(kept.values())


def _parquet_rows(file: Path) -> Iterator[Row]:
    """The rows of an exported memory; InputError if one is not what its own digest says."""
    for number, row in enumerate(_table(file).to_pylist(), 1):
        missing = [name for name in NEEDED if row[name] is None]
        if missing:
            raise InputError(f"{file}, row {number}: {missing[0]} is missing. {AGAIN}")
        if row["lang"] not in languages() or row["lang"] == "en":
            raise InputError(f"{file}, row {number}: '{row['lang']}' is no language to translate into. {AGAIN}")
        if digest(row["en"]) != row["sha256"]:
            raise InputError(f"{file}, row {number}: sha256 is not that of the text in en. {AGAIN}")
        if not MODEL.fullmatch(row["model"]):
            raise InputError(f"{file}, row {number}: model is neither a SHA-256 nor '{BY_HAND}'. {AGAIN}")
        yield row


def _table(file: Path) -> pa.Table:
    try:
        found = pq.read_schema(file)
        missing = [name for name in NEEDED if name not in found.names]
        if missing:
            raise InputError(f"{file} is no translation memory: it lacks the column {missing[0]}. {AGAIN}")
        table = pq.ParquetFile(file).read(columns=NEEDED)
        return table.cast(pa.schema([REMEMBERED.field(name) for name in table.column_names]))
    except (pa.ArrowException, OSError) as error:
        first = str(error).split("\n", 1)[0].rstrip(".")
        raise InputError(f"{file} is no translation memory in Parquet: {first}. {AGAIN}") from None


def _tmx_rows(file: Path) -> Iterator[Row]:
    """The units of a TMX file that have English and a language of the table, as translations made by hand."""
    constant = {"model": BY_HAND, "decoding": BY_HAND, "flags": []}
    for lang in (code for code in languages() if code != "en"):
        for batch in _batches(file, lang):
            for row in batch.to_pylist():
                en, text = (row["en"] or "").strip(), (row["xx"] or "").strip()
                if en and text and not row["read_error"]:
                    yield constant | {"sha256": digest(en), "lang": lang, "en": en, "text": text}


def _batches(file: Path, lang: str) -> Iterator[pa.RecordBatch]:
    try:
        yield from read_tmx(file, "en", lang)
    except InputError as error:
        what = str(error).removesuffix(" Delete it and pull it again.")
        raise InputError(f"{what} Export it again from where it came; the memory is as it was.") from None
