"""Import of translations from a file into the translation memory: read strictly, checked, added."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from builders.translation.memory import HUMAN, MODEL, digest
from builders.translation.memory_export import check_suffix
from builders.translation.partition import STORE_SCHEMA, Partition
from builders.translation.quality_checks import check_translations
from builders.translation.store import TranslationStore
from builders.translation.tmx_provenance import PROVENANCE, read_provenance
from corpora.arguments import checked
from corpora.catalog import languages
from corpora.errors import InputError
from corpora.reading import InputFile, check_expansion, read_pairs

FINGERPRINT = re.compile(r"[0-9a-f]{64}")
UNKNOWN = ("name", "revision", "licence")  # columns that may be empty or missing: who made a translation may be unknown
REQUIRED = [name for name in STORE_SCHEMA.names if name not in (*UNKNOWN, "failed_check")]
EXPORT_HINT = "Export it again with `builders tm export`; the memory is unchanged."
Row = dict[str, Any]


@dataclass(frozen=True)
class ImportResult:
    """How many translations of a file were added, how many of those fail a check, and how many were known before."""

    num_added: int
    num_failed: int
    num_known: int


@checked
def import_memory(file: Path | str, *, work: Path | str = "work") -> ImportResult:
    """Add the translations of a .tmx or .parquet file to the translation memory of a work folder.

    A unit of a .tmx that an export has written is by whom it says; others are by people. All are checked; those that
    fail are kept but not used.

    Raises:
        InputError: The file is missing or damaged, or holds no translation from English into a known language.
    """
    file = Path(file)
    check_suffix(file)
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is no file"
        raise InputError(f"{file} {what}; a translation memory in .tmx or .parquet was expected. Correct the path.")
    rows = _distinct(read_rows(file))
    if not rows:
        known = ", ".join(code for code in languages() if code != "en")
        raise InputError(f"{file} holds no translation from English (en) into one of {known}: nothing was imported.")
    num_added = num_failed = 0
    with TranslationStore(Path(work) / "memory").open() as store:
        for (model, lang), own in sorted(_by_partition(rows).items()):
            failed = _add_new(store.partition(model, lang), own)
            num_added += len(failed)
            num_failed += sum(map(bool, failed))
    return ImportResult(num_added, num_failed, len(rows) - num_added)


def read_rows(file: Path) -> Iterator[Row]:
    """Yield the translations of a .tmx or .parquet file, each with who made it."""
    return _tmx_rows(file) if file.suffix == ".tmx" else _parquet_rows(file)


def _by_partition(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """Return the rows of each model and language."""
    partitions: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        partitions.setdefault((row["model"], row["lang"]), []).append(row)
    return partitions


def _add_new(partition: Partition, rows: list[Row]) -> list[str]:
    """Add the rows that a partition lacks, and return the check that each of them fails."""
    known = partition.known((row["sha256"], row["decoding"]) for row in rows)
    new = [row for row in rows if (row["sha256"], row["decoding"]) not in known]
    sources, texts, flags = ([row[name] for row in new] for name in ("en", "text", "flags"))
    failed = check_translations(sources, texts, flags, partition.lang)
    if new:
        partition.add([row | {"failed_check": name} for row, name in zip(new, failed, strict=True)])
    return failed


def _distinct(rows: Iterable[Row]) -> list[Row]:
    """Return the first row of each key."""
    first: dict[tuple[str, ...], Row] = {}
    for row in rows:
        first.setdefault(tuple(row[name] for name in ("model", "lang", "decoding", "sha256")), row)
    return list(first.values())


def _parquet_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of an exported memory; raise InputError at one that contradicts itself."""
    for number, row in enumerate(_read_table(file).to_pylist(), 1):
        missing = [name for name in REQUIRED if row[name] is None]
        if missing:
            raise InputError(f"{file}, row {number}: {missing[0]} is missing. {EXPORT_HINT}")
        if row["lang"] not in languages() or row["lang"] == "en":
            raise InputError(f"{file}, row {number}: '{row['lang']}' is no language to translate into. {EXPORT_HINT}")
        if digest(row["en"]) != row["sha256"]:
            raise InputError(f"{file}, row {number}: sha256 is not that of the text in en. {EXPORT_HINT}")
        if row["origin"] not in (MODEL, HUMAN):
            raise InputError(f"{file}, row {number}: origin must be '{MODEL}' or '{HUMAN}'. {EXPORT_HINT}")
        if row["origin"] == MODEL and not FINGERPRINT.fullmatch(row["model"]):
            raise InputError(f"{file}, row {number}: model must be a SHA-256 in hexadecimal. {EXPORT_HINT}")
        row |= {name: row.get(name) or "" for name in UNKNOWN}
        yield row if row["origin"] == MODEL else row | {"model": "", "decoding": ""}


def _read_table(file: Path) -> pa.Table:
    try:
        schema = pq.read_schema(file)
        missing = [name for name in REQUIRED if name not in schema.names]
        if missing:
            raise InputError(f"{file} is no translation memory: it lacks the column {missing[0]}. {EXPORT_HINT}")
        columns = [*REQUIRED, *(name for name in UNKNOWN if name in schema.names)]
        check_expansion(file, columns)
        table = pq.ParquetFile(file).read(columns=columns)
        return table.cast(pa.schema([STORE_SCHEMA.field(name) for name in table.column_names]))
    except (pa.ArrowException, OSError) as error:
        first = str(error).split("\n", 1)[0].rstrip(".")
        raise InputError(f"{file} is no translation memory in Parquet: {first}. {EXPORT_HINT}") from None


def _tmx_rows(file: Path) -> Iterator[Row]:
    """Yield the units of a TMX file that have English and a known language, and who made each, by default a person.

    A unit that names a model as its origin is the model's, as an export has written it.
    """
    known = list(read_provenance(file))
    for lang in (code for code in languages() if code != "en"):
        for batch in _batches(file, lang):
            for row in batch.to_pylist():
                en, text = (row["en"] or "").strip(), (row["xx"] or "").strip()
                if en and text and not row["read_error"]:
                    number = row["line_number"]
                    origin = _provenance(known[number - 1] if number <= len(known) else {}, f"{file}, unit {number}")
                    yield {**origin, "flags": [], "sha256": digest(en), "lang": lang, "en": en, "text": text}


def _provenance(properties: Row, where: str) -> Row:
    """Return the columns that say who made a translation; raise InputError if they contradict each other."""
    columns = {name: properties.get(name, "") for name in PROVENANCE}
    if columns["origin"] == MODEL:
        if not FINGERPRINT.fullmatch(columns["model"]):
            raise InputError(f"{where}: x-model must be a SHA-256 in hexadecimal. {EXPORT_HINT}")
        return columns
    return columns | {"origin": HUMAN, "model": "", "decoding": ""}


def _batches(file: Path, lang: str) -> Iterator[pa.RecordBatch]:
    try:
        yield from read_pairs(InputFile(file, "tmx", lang, xx_code=lang))
    except InputError as error:
        reason = (
            str(error).partition(" Delete it and pull it again.")[0].partition(" Correct the file, name a mirror")[0]
        )
        raise InputError(f"{reason} Export it again from its program; the memory is unchanged.") from None
