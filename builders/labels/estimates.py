"""What labels say of filters: precision and recall with intervals, stratified by decision, and what to label next.

Lines are drawn at random from slices. The intervals of all slices cut the lines of a decision into cells. The labels of
a cell are a random sample of it, whichever slice they were drawn from; so all labels count, each in its cell.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from builders.labels.intervals import SEED, Cell, Interval, draw_wrong, exact_interval, interval_of
from builders.labels.labels_file import Label
from builders.labels.slices import KEPT, UNJUDGED, Slice, in_interval, parse_slice
from builders.lines import Array, Lines, find_line

MAX_INTERVALS = 16  # that cut the lines of a language; those with the most labels


@dataclass(frozen=True)
class Stratum:
    """The lines of one decision, and what labels say of them."""

    decision: str
    num_lines: int
    num_labelled: int
    num_wrong: int
    num_unsure: int
    share_wrong: Interval
    """Of a filter, its precision; of the kept lines, the share that should have been rejected."""
    recall: Interval | None
    """Of all wrong lines, those that this filter rejects."""
    gain: float
    """By how much one more label would lower the standard error of the number of wrong lines."""


@dataclass(frozen=True)
class Estimates:
    """What labels say of a language in a build."""

    strata: Sequence[Stratum]
    recall: Interval
    """Of all wrong lines, those that some filter rejects."""
    num_unused: int
    """Labels of lines whose decision has changed since, outside every interval that was drawn from."""

    def next_stratum(self) -> Stratum | None:
        """Return the decision whose lines to label next."""
        candidates = [row for row in self.strata if row.num_lines > row.num_labelled + row.num_unsure]
        return max(candidates, key=lambda row: row.gain, default=None)


def estimate(lines: Lines, labels: Iterable[Label]) -> Estimates:
    """Return precision and recall of each filter that judges translations, from the labels of a language."""
    own = [label for label in labels if label.lang == lines.lang]
    intervals = _intervals(lines, own)
    bits = _membership(lines, intervals)
    counts = np.bincount(lines.reasons.astype(np.int64) * (1 << len(intervals)) + bits)
    seen, num_unused = _count_labels(lines, own, bits, len(intervals))
    decisions = [KEPT, *(rule.name for rule in lines.build.filters if rule.table not in UNJUDGED)]
    cells = {name: _cells(counts, lines.code(name), len(intervals), seen) for name in decisions}
    cells = {name: own for name, own in cells.items() if own}
    return combine(cells, num_unused)


def combine(cells: Mapping[str, Sequence[Cell]], num_unused: int = 0) -> Estimates:
    """Return precision and recall of each filter from the cells of each decision."""
    draws = {name: draw_wrong(own, seed=SEED + n).sum(axis=1) for n, (name, own) in enumerate(cells.items())}
    total = np.maximum(sum(draws.values(), np.zeros(1)), 1e-9)
    strata = [_stratum(name, own, draws[name], total) for name, own in cells.items()]
    rejected = sum((value for name, value in draws.items() if name != KEPT), np.zeros(1))
    return Estimates(strata, interval_of(rejected / total), num_unused)


def _intervals(lines: Lines, labels: Sequence[Label]) -> list[Slice]:
    """Return the intervals that labels were drawn from, in a fixed order."""
    known = {rule.name for rule in lines.build.filters}
    parts = Counter(part for label in labels if (part := parse_slice(label.slice)).filter in known)
    unique = Counter[tuple[str, float, float]]()
    for part, count in parts.items():
        unique[part.filter, part.low, part.high] += count
    return [Slice("", *key) for key, _ in sorted(unique.most_common(MAX_INTERVALS))]


def _membership(lines: Lines, intervals: Sequence[Slice]) -> Array:
    """Return a number for each line, whose bits say in which intervals it is."""
    bits = np.zeros(lines.num_rows, np.int64)
    for n, part in enumerate(intervals):
        bits |= in_interval(lines, lines.build.filter(part.filter), part.low, part.high).astype(np.int64) << n
    return bits


def _count_labels(
    lines: Lines, labels: Sequence[Label], bits: Array, num_intervals: int
) -> tuple[Mapping[int, Counter[str]], int]:
    """Return the labels of each cell, and how many are of no use."""
    seen: dict[int, Counter[str]] = {}
    num_unused = 0
    for line, votes in agreed_labels(labels).items():
        index = find_line(lines, line[1], line[2])
        if index is None:
            num_unused += 1
            continue
        decision, label = votes
        if lines.names[lines.reasons[index]] != decision and not bits[index]:
            num_unused += 1
            continue
        cell = (int(lines.reasons[index]) << num_intervals) + int(bits[index])
        seen.setdefault(cell, Counter())[label] += 1
    return seen, num_unused


def agreed_labels(labels: Iterable[Label]) -> dict[tuple[str, str, int], tuple[str, str]]:
    """Return for each line the decision when it was labelled, and what most annotators say; a tie is `unsure`."""
    votes: dict[tuple[str, str, int], list[Label]] = {}
    for label in labels:
        votes.setdefault(label.line, []).append(label)
    return {line: (own[0].decision, _majority([label.label for label in own])) for line, own in votes.items()}


def _majority(labels: Sequence[str]) -> str:
    counts = Counter(label for label in labels if label != "unsure")
    if counts["right"] == counts["wrong"]:
        return "unsure"
    return "right" if counts["right"] > counts["wrong"] else "wrong"


def _cells(counts: Array, code: int, num_intervals: int, seen: Mapping[int, Counter[str]]) -> list[Cell]:
    """Return the cells of a decision that have lines."""
    cells = []
    for number in range(code << num_intervals, (code + 1) << num_intervals):
        if number < len(counts) and counts[number]:
            own = seen.get(number, Counter())
            cells.append(Cell(int(counts[number]), own["right"] + own["wrong"], own["wrong"], own["unsure"]))
    return cells


def _stratum(name: str, cells: Sequence[Cell], draws: Array, total: Array) -> Stratum:
    sums = [
        sum(getattr(cell, field) for cell in cells)
        for field in ("num_lines", "num_labelled", "num_wrong", "num_unsure")
    ]
    num_lines, num_labelled, num_wrong, num_unsure = sums
    share = exact_interval(num_wrong, num_labelled, num_lines) if len(cells) == 1 else interval_of(draws / num_lines)
    recall = None if name == KEPT else interval_of(draws / total)
    return Stratum(name, num_lines, num_labelled, num_wrong, num_unsure, share, recall, sum(map(_gain, cells)))


def _gain(cell: Cell) -> float:
    """Return by how much one more label lowers the standard error of a cell's number of wrong lines, about."""
    share = (cell.num_wrong + 0.5) / (cell.num_labelled + 1)
    error = cell.num_lines * math.sqrt(share * (1 - share))
    return error * (1 / math.sqrt(cell.num_labelled + 1) - 1 / math.sqrt(cell.num_labelled + 2))
