"""Read keys of the objects in a JSON Lines file as columns."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from corpora.reading.archives import file_chunks
from corpora.reading.columns import NUMBERS, Row, batch_of_rows
from corpora.reading.input_file import InputFile
from corpora.reading.lines import SHOWN_CHARS, read_lines
from corpora.reading.margins import parse_margin
from corpora.strict_json import SURROGATE, load_json


def read_jsonl(file: InputFile, required: Sequence[str], optional: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield keys of the objects in a JSON Lines file; a dot in a key's name leads into an object."""
    names = (*required, *optional)
    paths = [file.column(name).split(".") for name in names]
    for lines in read_lines(file_chunks(file.path), str(file.path)):
        rows = [_json_row(line["text"], line["read_error"], names, paths) for line in lines.to_pylist()]
        yield batch_of_rows(rows, names, required)


def _json_row(line: str, error: str | None, names: Sequence[str], paths: Sequence[Sequence[str]]) -> Row:
    empty: Row = ([line[:SHOWN_CHARS] if index == 0 else None for index in range(len(names))], error)
    if error:
        return empty
    try:
        record = load_json(line)
    except (ValueError, RecursionError):
        return empty[0], "missing_column"
    values: list[Any] = []
    for name, path in zip(names, paths, strict=True):
        value = _present(value_at(record, path))
        if name in NUMBERS:
            number = _number(value)
            error = error or (None if number is not None or value in (None, "") else "invalid_margin")
            values.append(number)
        else:
            text = value if isinstance(value, str) else None
            error = error or ("missing_column" if text is None and value is not None else None)
            error = error or ("invalid_utf8" if text and SURROGATE.search(text) else None)
            values.append(SURROGATE.sub("\ufffd", text) if text else text)
    return values, error


def _present(value: object) -> object:
    """Return a value; NaN, as pandas writes a missing one, is null."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return parse_margin(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def value_at(record: object, path: Sequence[str]) -> object:
    """Return the value at a path of keys; a key may hold dots itself."""
    if isinstance(record, dict) and (whole := ".".join(path)) in record:
        return record[whole]
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record
