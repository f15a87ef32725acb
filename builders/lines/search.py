"""Search for a text in the lines of a language, row group after row group, for a limited time."""

import time
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.lines.builds import ReplacedError
from builders.lines.columns import Array, Lines
from builders.lines.texts import first_line_of


def corpus_ranges(lines: Lines) -> Mapping[str, list[tuple[int, int]]]:
    """Return for each corpus the numbers of its lines: the first of each part, and the one after its last."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for offset, part in zip(lines.offsets.tolist(), lines.parts, strict=False):
        ranges.setdefault(first_line_of(part.decisions)[0], []).append((offset, offset + part.num_rows))
    return ranges


def search_texts(lines: Lines, among: Array, text: str, limit: int, seconds: float) -> tuple[Array, int | None]:
    """Return those of some lines that contain a text, in any case, and where the search stopped; None at the end.

    Args:
        lines: The lines of a language.
        among: The numbers of those to search, ascending.
        text: The text.
        limit: The most lines to return.
        seconds: The time after which to return what there is so far.
    """
    end, hits = time.monotonic() + seconds, np.zeros(0, np.int64)
    for first, table in _row_groups(lines, among):
        if table is None:
            if time.monotonic() > end:
                return hits, first
            continue
        is_match = _contains(table["en"], text) | _contains(table["xx"], text)
        own = among[np.searchsorted(among, first) : np.searchsorted(among, first + table.num_rows)]
        hits = np.concatenate([hits, own[is_match[own - first]]])[:limit]
        if len(hits) == limit:
            return hits, int(hits[-1]) + 1
    return hits, None


def _row_groups(lines: Lines, among: Array) -> Iterator[tuple[int, pa.Table | None]]:
    """Yield the texts of each row group that has some lines, and before it None, with the number of its first line."""
    for offset, part in zip(lines.offsets.tolist(), lines.parts, strict=False):
        try:
            with pq.ParquetFile(part.pairs) as file:
                first = offset
                for number in range(file.num_row_groups):
                    size = file.metadata.row_group(number).num_rows
                    if np.searchsorted(among, first) < np.searchsorted(among, first + size):
                        yield first, None
                        yield first, file.read_row_group(number, columns=["en", "xx"])
                    first += size
        except (OSError, pa.ArrowInvalid):
            raise ReplacedError(f"{part.pairs.name} was replaced or removed. Reload the page.") from None


def _contains(column: pa.ChunkedArray, text: str) -> Array:
    matches: Array = pc.match_substring(column, text, ignore_case=True).fill_null(False).to_numpy()
    return matches
