"""Rows of a release from the row groups that hold them: a page of rows, a search, lengths, and where a row is from."""

import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.lines import Build, Line, find_line, list_builds, open_build, open_lines, read_lines_at
from cards.releases import Release
from corpora.errors import InputError

PAGE_ROWS, SEARCH_SECONDS, MAX_LENGTH_ROWS, MAX_BINS = 10, 0.6, 200_000, 40
RowGroup = tuple[Path, int, int]  # a row group: file, its number, its rows


def row_groups_of(release: Release, config: str, split: str) -> list[RowGroup]:
    """Return the row groups of a split, in the order of its rows."""
    entries = release.manifest["configs"][config]["splits"][split]["files"]
    folder = release.fetch_files([entry["path"] for entry in entries])
    return [group for entry in entries for group in _groups(folder / entry["path"])]


@lru_cache(maxsize=256)
def _groups(path: Path) -> list[RowGroup]:
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid):
        raise InputError(f"{path} cannot be read. `builders verify` checks the release.") from None
    return [(path, number, metadata.row_group(number).num_rows) for number in range(metadata.num_row_groups)]


@lru_cache(maxsize=8)
def _read_group(path: Path, number: int) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read_row_group(number)
    except (OSError, pa.ArrowInvalid):
        raise InputError(f"{path} cannot be read. `builders verify` checks the release.") from None


def read_rows(groups: Sequence[RowGroup], first: int, num: int) -> list[dict[str, Any]]:
    """Return rows of a split from a number on, each with its `number`."""
    rows: list[dict[str, Any]] = []
    begin = 0
    for path, number, size in groups:
        if begin + size > first + len(rows) and len(rows) < num:
            skip = first + len(rows) - begin
            table = _read_group(path, number).slice(skip, num - len(rows))
            rows += [{"number": begin + skip + n, **row} for n, row in enumerate(table.to_pylist())]
        begin += size
    return rows


def search_rows(groups: Sequence[RowGroup], text: str, first: int, num: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return rows from a number on that contain a text, in any case, and where to search on; None at the end."""
    rows: list[dict[str, Any]] = []
    begin, end = 0, time.monotonic() + SEARCH_SECONDS
    for path, number, size in groups:
        if begin + size > first:
            if time.monotonic() > end:
                return rows, max(begin, first)
            table = _read_group(path, number)
            for index in _matches(table, text).tolist():
                if begin + index >= first:
                    rows.append({"number": begin + index, **table.slice(index, 1).to_pylist()[0]})
                if len(rows) == num:
                    return rows, begin + index + 1
        begin += size
    return rows, None


def _matches(table: pa.Table, text: str) -> np.ndarray:
    """Return the rows with a column of text that contains a text."""
    hits = np.zeros(table.num_rows, bool)
    for name in table.column_names:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            hits |= pc.match_substring(column, text, ignore_case=True).fill_null(False).to_numpy()
        elif pa.types.is_list(column.type):  # of messages
            hits |= np.array([text.lower() in str(value).lower() for value in column.to_pylist()], bool)
    return np.flatnonzero(hits)


def length_histogram(groups: Sequence[RowGroup]) -> dict[str, Any] | None:
    """Return how long the outputs of a split's first rows are, in characters, as counts by length."""
    lengths, num_rows = [], 0
    for path, number, size in groups:
        with pq.ParquetFile(path) as file:
            if "output" not in file.schema_arrow.names:
                return None
            column = file.read_row_group(number, columns=["output"])["output"]
        lengths.append(pc.utf8_length(column).to_numpy())
        num_rows += size
        if num_rows >= MAX_LENGTH_ROWS:
            break
    values = np.concatenate(lengths) if lengths else np.zeros(0, np.int64)
    if not len(values):
        return None
    high = max(int(np.quantile(values, 0.99)), 1)
    width = max(1, -(-high // MAX_BINS))
    counts = np.bincount(np.minimum(values // width, high // width))
    return {"num_rows": num_rows, "width": width, "counts": counts.tolist(), "median": int(np.median(values))}


def find_origin(work: Path, lang: str, row_id: str) -> tuple[Build, Line] | None:
    """Return the line of a build that a row with this id is made from, or None if no build here has it."""
    for recipe in list_builds(work):
        build = open_build(work, recipe)
        for path in build.files("bitext", f"{lang}-") if lang in build.parts else ():
            table = pq.read_table(path, columns=["corpus", "line_number"], filters=[("id", "=", row_id)])
            if table.num_rows:
                lines = open_lines(build, lang)
                row = table.to_pylist()[0]
                index = find_line(lines, row["corpus"], row["line_number"])
                if index is not None:
                    return build, read_lines_at(lines, [index])[0]
    return None
