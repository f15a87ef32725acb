"""Import of translations from a file into the translation memory: read strictly, checked, added."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from builders.translation.digest_ranges import read_ranges
from builders.translation.memory import BUFFER_BYTES, HUMAN, MODEL, digest
from builders.translation.memory_export import check_suffix
from builders.translation.partition import KEY, STORE_SCHEMA, Partition
from builders.translation.quality_checks import check_translations
from builders.translation.store import TranslationStore
from builders.translation.tmx_provenance import PROVENANCE, read_languages, read_provenance
from builders.workspace import release_unused_memory
from corpora.arguments import checked
from corpora.catalog import languages
from corpora.errors import InputError
from corpora.files import temporary_folder
from corpora.reading import InputFile, check_expansion, is_language, read_pairs

FINGERPRINT = re.compile(r"[0-9a-f]{64}")
UNKNOWN = ("name", "revision", "licence")  # columns that may be empty or missing: who made a translation may be unknown
REQUIRED = [name for name in STORE_SCHEMA.names if name not in (*UNKNOWN, "failed_check")]
EXPORT_HINT = "Export it again with `builders tm export`; the memory is unchanged."
BATCH_ROWS = 1 << 15  # read and written at once
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
    file, total = Path(file), Counter[str]()
    check_suffix(file)
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is no file"
        raise InputError(f"{file} {what}; a translation memory in .tmx or .parquet was expected. Correct the path.")
    with TranslationStore(Path(work) / "memory").open() as store, temporary_folder(store.memory_dir) as folder:
        partitions = write_partitions(read_rows(file), folder)
        if not partitions:
            known = ", ".join(_known_languages())
            raise InputError(f"{file} has no translation from English (en) into one of {known}: nothing was imported.")
        for (model, lang), paths in sorted(partitions.items()):
            total += _add_new(store.partition(model, lang), paths)
    return ImportResult(total["added"], total["failed"], total["known"])


def write_partitions(rows: Iterable[Row], folder: Path) -> dict[tuple[str, str], list[Path]]:
    """Write rows into files of a folder, and return those of each model and language, with the rows in their order."""
    partitions = defaultdict[tuple[str, str], list[Path]](list)
    names, rows = count(), iter(rows)
    while batch := list(islice(rows, BATCH_ROWS)):
        by_partition = defaultdict[tuple[str, str], list[Row]](list)
        for row in batch:
            by_partition[row["model"], row["lang"]].append(row)
        for key, own in by_partition.items():
            partitions[key].append(folder / f"rows-{next(names)}.parquet")
            pq.write_table(pa.Table.from_pylist(own, schema=STORE_SCHEMA), partitions[key][-1], compression="zstd")
    return partitions


def _add_new(partition: Partition, paths: Sequence[Path]) -> Counter[str]:
    """Add what a partition lacks, some digests after the other; return how many were added, of these failed, known."""
    total = Counter[str]()
    partition.compact()
    for rows in read_ranges(paths):
        num_keys = rows.group_by(list(KEY)).aggregate([]).num_rows
        rows = _check(partition.lacking(rows), partition.lang)
        total["added"] += rows.num_rows
        total["failed"] += rows.num_rows - rows["failed_check"].to_pylist().count("")
        total["known"] += num_keys - rows.num_rows
        if rows.num_rows:
            partition.add(rows)
        del rows
        release_unused_memory()  # or the next range's counts beside it
    return total


def _check(rows: pa.Table, lang: str) -> pa.Table:
    """Return rows with the check that each of them fails."""
    sources, texts, flags = (rows[name].to_pylist() for name in ("en", "text", "flags"))
    failed = pa.array(check_translations(sources, texts, flags, lang), pa.string())
    return rows.set_column(rows.schema.get_field_index("failed_check"), "failed_check", failed)


def read_rows(file: Path) -> Iterator[Row]:
    """Yield the translations of a .tmx or .parquet file, each with who made it."""
    return _tmx_rows(file) if file.suffix == ".tmx" else _parquet_rows(file)


def _parquet_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of an exported memory; raise InputError at one that contradicts itself."""
    for number, row in enumerate(_read_table(file), 1):
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


def _read_table(file: Path) -> Iterator[Row]:
    """Yield the rows of an exported memory; InputError if it cannot be read, or lacks a column."""
    try:
        names = pq.read_schema(file).names
        missing = [name for name in REQUIRED if name not in names]
        if missing:
            raise InputError(f"{file} is no translation memory: it lacks the column {missing[0]}. {EXPORT_HINT}")
        columns = [*REQUIRED, *(name for name in UNKNOWN if name in names)]
        check_expansion(file, columns)
        release_unused_memory()
        with pq.ParquetFile(file, buffer_size=BUFFER_BYTES) as parquet:
            for batch in parquet.iter_batches(BATCH_ROWS, columns=columns):
                table = pa.Table.from_batches([batch])
                yield from table.cast(pa.schema(map(STORE_SCHEMA.field, table.column_names))).to_pylist()
    except (pa.ArrowException, OSError) as error:
        first = str(error).split("\n", 1)[0].rstrip(".")
        raise InputError(f"{file} is no translation memory in Parquet: {first}. {EXPORT_HINT}") from None


def _tmx_rows(file: Path) -> Iterator[Row]:
    """Yield the units of a TMX file that have English and a known language, and who made each, by default a person.

    A unit that names a model as its origin is the model's, as an export has written it.
    """
    for lang in _languages(file):
        known = read_provenance(file)
        for batch in _batches(file, lang):
            for row in batch.to_pylist():
                properties = next(known, {})
                en, text = (row["en"] or "").strip(), (row["xx"] or "").strip()
                if en and text and not row["read_error"]:
                    origin = _provenance(properties, f"{file}, unit {row['line_number']}")
                    yield {**origin, "flags": [], "sha256": digest(en), "lang": lang, "en": en, "text": text}


def _languages(file: Path) -> list[str]:
    """Return the languages of ours in a TMX file, all if that is not known; one at least, so that its faults show."""
    known, named = _known_languages(), read_languages(file)
    if named is None:
        deque(read_provenance(file), 0)  # which raises if it is an export
        return known
    return [code for code in known if any(is_language(lang, code) for lang in named)] or known[:1]


def _known_languages() -> list[str]:
    return [code for code in languages() if code != "en"]


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
