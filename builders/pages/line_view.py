"""A line as a page shows it: both sides with what differs, the reason, and the line that it repeats."""

from collections.abc import Sequence
from dataclasses import dataclass

from builders.lines import Line, Lines, find_line, read_lines_at
from builders.pages.benchmark_match import find_benchmark_sentence
from builders.pages.highlight import Pieces, mark_difference, mark_pair


@dataclass
class LineView:
    """A line, its texts in pieces, and the one that it repeats."""

    line: Line
    en: Pieces
    xx: Pieces
    match: Line | None = None
    match_en: Pieces | None = None
    match_xx: Pieces | None = None
    sentence: str = ""  # of a benchmark, that the line shares n-grams with
    value: float = 0.0  # its measure, on the page of a filter
    is_rejected: bool = False  # by the threshold under view
    was_rejected: bool = False  # by the build's


def view_lines(lines: Lines, rows: Sequence[Line]) -> list[LineView]:
    """Return lines as a page shows them."""
    return [_view(lines, row) for row in rows]


def _view(lines: Lines, row: Line) -> LineView:
    if row.reason == "contaminated" and (shared := find_benchmark_sentence(lines, row)):
        return LineView(row, shared[1], shared[2], sentence=shared[0])
    match = _match(lines, row)
    if match is None:
        return LineView(row, *mark_pair(row.en, row.xx, row.lang, row.reason))
    return LineView(
        row,
        mark_difference(row.en, match.en),
        mark_difference(row.xx, match.xx),
        match,
        mark_difference(match.en, row.en),
        mark_difference(match.xx, row.xx),
    )


def _match(lines: Lines, row: Line) -> Line | None:
    """Return the line of which another is a duplicate."""
    corpus, number = row.measures.get("matched_corpus"), row.measures.get("matched_line_number")
    if corpus is None or number is None or (index := find_line(lines, corpus, number)) is None:
        return None
    return read_lines_at(lines, [index])[0]
