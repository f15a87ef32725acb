"""Read columns of CSV and TSV files by the names in their first line."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, ChunkStream, damaged, file_chunks
from corpora.reading.columns import BATCH_ROWS, NUMBERS, Row, batch_of_rows, find_columns
from corpora.reading.input_file import InputFile
from corpora.reading.lines import MAX_LINE_BYTES
from corpora.reading.margins import parse_margin
from corpora.strict_json import SURROGATE


def read_csv(file: InputFile, required: Sequence[str], optional: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns of a CSV file (RFC 4180: commas, quotes doubled within quotes)."""
    return _read_delimited(file, required, optional, {"delimiter": ",", "strict": True})


def read_tsv(file: InputFile, required: Sequence[str], optional: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns of a TSV file: a tab ends a cell, a line break a row, and quotes are text."""
    return _read_delimited(file, required, optional, {"delimiter": "\t", "quoting": csv.QUOTE_NONE})


def _read_delimited(
    file: InputFile, required: Sequence[str], optional: Sequence[str], dialect: dict[str, Any]
) -> Iterator[pa.RecordBatch]:
    csv.field_size_limit(8 * MAX_LINE_BYTES)  # of the whole process; a longer field is an error of the file
    stream = io.BufferedReader(ChunkStream(file_chunks(file.path)))
    lines = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(_short_lines(lines), **dialect)
    names = (*required, *optional)
    try:
        header = next(reader, [])
        paths = find_columns(file, required, optional, header)
        indexes = [header.index(paths[name]) if name in paths else None for name in names]
        rows = (_csv_row(cells, len(header), names, indexes, dialect["delimiter"]) for cells in reader if cells)
        while some := list(islice(rows, BATCH_ROWS)):
            yield batch_of_rows(some, names, required)
    except csv.Error as error:
        raise InputError(f"{file.path}, line {reader.line_num}, is not valid {file.format.upper()}: {error}.") from None
    except DAMAGE as error:
        raise damaged(file.path, f"after about {reader.line_num:,} lines: {error}") from None


def _short_lines(lines: io.TextIOWrapper) -> Iterator[str]:
    """Yield lines; of one that is far too long, a beginning that is still too long."""
    limit = 4 * MAX_LINE_BYTES
    while line := lines.readline(limit):
        rest = line
        while len(rest) == limit and not rest.endswith("\n"):
            rest = lines.readline(limit)
        yield line if rest is line else f"{line}\n"


def _csv_row(
    cells: Sequence[str], num_columns: int, names: Sequence[str], indexes: Sequence[int | None], delimiter: str
) -> Row:
    error = None
    if len(cells) != num_columns:
        text = delimiter.join(cells)
        values: list[Any] = [text if index == 0 else None for index in range(len(names))]
        error = "missing_column"
    else:
        values = [None if position is None else cells[position] for position in indexes]
    for index, name in enumerate(names):
        if name in NUMBERS and values[index] is not None:
            number = parse_margin(values[index]) if values[index] else None
            error = error or ("invalid_margin" if values[index] and number is None else None)
            values[index] = number
        elif values[index] and SURROGATE.search(values[index]):
            values[index] = values[index].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            error = "invalid_utf8"
    return values, error
