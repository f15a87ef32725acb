"""Search for a text in the lines of a language, part after part, for a limited time."""

import time
from collections.abc import Mapping

import duckdb
import numpy as np

from builders.lines.builds import ReplacedError
from builders.lines.columns import Array, Lines, open_database
from builders.lines.texts import first_line_of

QUERY = """
    select line_number from read_parquet($path)
    where line_number between $first and $last
        and (contains(lower(en), lower($text)) or contains(lower(xx), lower($text)))
"""
STEP_ROWS = 51_200  # lines that are searched before the clock is read


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
        seconds: The time after which to return what was there is so far.
    """
    end, hits = time.monotonic() + seconds, np.zeros(0, np.int64)
    for offset, part in zip(lines.offsets.tolist(), lines.parts, strict=False):
        for first in range(0, part.num_rows, STEP_ROWS):
            begin, stop = offset + first, min(offset + first + STEP_ROWS, offset + part.num_rows)
            own = among[np.searchsorted(among, begin) : np.searchsorted(among, stop)]
            if not len(own):
                continue
            if time.monotonic() > end:
                return hits, begin
            number = first_line_of(part.decisions)[1]
            values = {"path": str(part.pairs), "first": begin - offset + number, "last": stop - offset + number - 1}
            with open_database().cursor() as connection:
                try:
                    rows = connection.execute(QUERY, values | {"text": text}).fetchnumpy()["line_number"]
                except duckdb.IOException:
                    raise ReplacedError(
                        f"{part.pairs.name} cannot be read: it was replaced. Reload the page."
                    ) from None
            new = np.intersect1d(np.asarray(rows, np.int64) - number + offset, own)
            hits = np.concatenate([hits, new])[:limit]
            if len(hits) == limit:
                return hits, int(hits[-1]) + 1
    return hits, None
