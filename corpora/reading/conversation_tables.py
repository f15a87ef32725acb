"""Read conversations from tables: columns of turns, system message and language in Parquet or JSON Lines."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, check_file, damaged, file_chunks
from corpora.reading.columns import find_columns
from corpora.reading.conversations import conversation_row
from corpora.reading.input_file import InputFile
from corpora.reading.instruction_rows import Instruction, bad_row
from corpora.reading.jsonl_table import value_at
from corpora.reading.lines import read_lines
from corpora.reading.parquet_table import check_size
from corpora.strict_json import load_json

BATCH_ROWS = 1_000
OPTIONAL = ("system", "lang")


def read_conversation_table(file: InputFile) -> Iterator[Instruction | None]:
    """Yield the conversations of a table; of a row in another language None.

    Raises:
        InputError: The file is damaged, lacks a column, or is no Parquet or JSON Lines.
    """
    if file.format not in READERS:
        raise InputError(f"{file.path}: conversations are read from {' and '.join(READERS)}, not from {file.format}.")
    for record in READERS[file.format](file):
        if isinstance(record, str):
            yield bad_row(record)
        elif "lang" in file.columns and record["lang"] != file.xx_code:
            yield None
        else:
            yield conversation_row(record)


def _read_parquet(file: InputFile) -> Iterator[dict[str, Any] | str]:
    check_file(file.path)
    try:
        with pq.ParquetFile(file.path) as parquet:
            optional = [name for name in OPTIONAL if name in file.columns]
            names = find_columns(file, ("messages",), optional, parquet.schema_arrow.names)
            roots = list(dict.fromkeys(names.values()))
            check_size(file.path, parquet.metadata, roots)
            for batch in parquet.iter_batches(BATCH_ROWS, columns=roots):
                yield from _rows(batch, names)
    except (*DAMAGE, pa.ArrowException, MemoryError) as error:
        raise damaged(file.path, error) from None


def _rows(batch: pa.RecordBatch, names: dict[str, str]) -> Sequence[dict[str, Any]]:
    return [{ours: row[column] for ours, column in names.items()} for row in batch.to_pylist()]


def _read_jsonl(file: InputFile) -> Iterator[dict[str, Any] | str]:
    paths = {name: file.column(name).split(".") for name in ("messages", *OPTIONAL) if name in file.columns}
    for lines in read_lines(file_chunks(file.path), str(file.path)):
        for line in lines.to_pylist():
            yield line["read_error"] or _record(line["text"], paths)


def _record(line: str, paths: dict[str, list[str]]) -> dict[str, Any] | str:
    try:
        record = load_json(line)
    except (ValueError, RecursionError):
        return "missing_field"
    return {name: value_at(record, path) for name, path in paths.items()}


READERS = {"parquet": _read_parquet, "jsonl": _read_jsonl}
