"""Columns of a table file: found by name, checked, and joined with the read error of each row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpora.errors import InputError
from corpora.reading.input_file import InputFile
from corpora.reading.lines import MAX_LINE_BYTES, SHOWN_CHARS
from corpora.reading.normalization import normalize_column

BATCH_ROWS = 10_000
NUMBERS = ("margin",)  # our columns that are no texts
Row = tuple[Sequence[Any], str | None]  # the values of our columns, and the read error
# file, required columns, optional columns -> batches of these columns and `read_error`
TableReader = Callable[[InputFile, Sequence[str], Sequence[str]], Iterator[pa.RecordBatch]]


def find_columns(
    file: InputFile, required: Sequence[str], optional: Sequence[str], columns: Sequence[str]
) -> dict[str, str]:
    """Return the names in the file of our columns that it has; InputError if a required or a named one is missing."""
    file = _with_usual_names(file, columns)
    for name in (*required, *optional):
        count = columns.count(file.column(name))
        if count > 1:
            raise InputError(f"{file.path} has {count} columns '{file.column(name)}'. Rename all but one.")
        if not count and (name in required or name in file.columns):
            raise InputError(
                f"{file.path} has no column '{file.column(name)}'. It has: {', '.join(columns) or 'none'}. Name the "
                f"column as {name} in the key 'columns' of the corpus."
            )
    return {name: file.column(name) for name in (*required, *optional) if file.column(name) in columns}


def _with_usual_names(file: InputFile, columns: Sequence[str]) -> InputFile:
    """Return a file of a bitext with the names that the Hub's datasets have, if ours are not there."""
    usual = {}
    for name, code in (("en", file.en_code), ("xx", file.xx_code)):
        others = [other for other in (f"translation.{code}", code) if other in columns]
        if name not in file.columns and name not in columns and others:
            usual[name] = others[0]
    return replace(file, columns={**file.columns, **usual}) if usual else file


def batch_of_rows(rows: Sequence[Row], names: Sequence[str], required: Sequence[str]) -> pa.RecordBatch:
    """Return rows and their read errors as a batch."""
    values = zip(*(values for values, _ in rows), strict=True)
    columns = [
        pa.array(column, pa.float64() if name in NUMBERS else pa.string())
        for name, column in zip(names, values, strict=True)
    ]
    return batch_of_columns(names, columns, pa.array([error for _, error in rows], pa.string()), required)


def batch_of_columns(
    names: Sequence[str], columns: Sequence[pa.Array], errors: pa.Array, required: Sequence[str]
) -> pa.RecordBatch:
    """Return a batch with checked texts and the read error of each row."""
    checked = []
    for name, column in zip(names, columns, strict=True):
        if name not in NUMBERS:
            if name in required:
                errors = mark_errors(errors, pc.is_null(column), "missing_column")
            errors = mark_errors(errors, pc.match_substring(column, "\0"), "nul_byte")
            oversized = pc.greater(pc.binary_length(column), MAX_LINE_BYTES)
            errors = mark_errors(errors, oversized, "oversized_line")
            column = pc.if_else(pc.fill_null(oversized, False), pc.utf8_slice_codeunits(column, 0, SHOWN_CHARS), column)
            column = _normalize(pc.replace_substring(column, "\0", ""))
        checked.append(column)
    return pa.RecordBatch.from_arrays([*checked, errors], names=[*names, "read_error"])


def mark_errors(errors: pa.Array, is_bad: pa.Array, error: str) -> pa.Array:
    """Return the errors with one more for the rows that have none and are bad."""
    return pc.coalesce(errors, pc.if_else(pc.fill_null(is_bad, False), error, pa.scalar(None, pa.string())))


def _normalize(texts: pa.Array) -> pa.Array:
    """Return texts in NFC; nulls stay."""
    return pc.if_else(pc.is_null(texts), texts, normalize_column(pc.fill_null(texts, "")))
