"""Slices: lines of one decision, or of an interval of a filter's measure, from which lines to label are drawn."""

import math
from dataclasses import dataclass

import numpy as np

from builders.lines import Array, Lines, comparison_or_none, first_at_random, measure_values
from builders.pipeline import Filter
from corpora.errors import InputError, unknown

KEPT = "kept"
UNJUDGED = ("duplicates", "near_duplicates", "one_to_many", "contaminated")
"""Tables of filters that reject pairs for other reasons than a wrong translation: labels say nothing of them."""


@dataclass(frozen=True)
class Slice:
    """Lines with one decision; with a filter, those whose measure is between two of its thresholds."""

    decision: str
    filter: str = ""
    low: float = -math.inf
    high: float = math.inf

    @property
    def text(self) -> str:
        """The slice as addresses and files of labels write it."""
        return f"{self.decision} {self.filter} {self.low:.12g} {self.high:.12g}" if self.filter else self.decision


def parse_slice(text: str) -> Slice:
    """Return the slice that a text names.

    Raises:
        InputError: It has another form.
    """
    words = text.split(" ")
    if len(words) == 1 and words[0]:
        return Slice(words[0])
    try:
        decision, rule, low, high = words
        ends = float(low), float(high)
    except ValueError:
        ends = math.nan, math.nan
    if not ends[0] <= ends[1]:
        raise InputError(f"A slice is a decision, or a decision, a filter and two thresholds, not '{text}'.")
    return Slice(decision, rule, *ends)


def slice_of(lines: Lines, decision: str) -> Slice:
    """Return the slice of a decision; that of a filter with the interval of its measure, for later builds."""
    if decision == KEPT:
        return Slice(KEPT)
    rule = lines.build.filter(decision)
    comparison = comparison_or_none(lines, rule)
    if comparison is None or rule.histogram:
        return Slice(decision)
    limit = rule.threshold(comparison.threshold, lines.lang)
    return Slice(decision, decision, *((-math.inf, limit) if "<" in comparison.sign else (limit, math.inf)))


def in_interval(lines: Lines, rule: Filter, low: float, high: float) -> Array:
    """Return for every line whether a filter's measure is beyond one threshold, and not beyond the other."""
    comparison = comparison_or_none(lines, rule)
    if comparison is None:
        raise InputError(f"The filter {rule.name} has no measure that the tables have for every line.")
    values = measure_values(lines, comparison)
    far, near = (high, low) if "<" in comparison.sign else (low, high)
    inside: Array = comparison.is_beyond(values, far) & ~np.isnan(values)
    if math.isfinite(near):
        inside &= ~comparison.is_beyond(values, near)
    return inside


def lines_in(lines: Lines, part: Slice) -> Array:
    """Return the lines of a slice.

    Raises:
        InputError: The build has no such filter.
    """
    if part.decision not in lines.names:
        raise unknown("decision", part.decision, lines.names)
    mask = lines.reasons == lines.code(part.decision)
    if part.filter:
        mask &= in_interval(lines, lines.build.filter(part.filter), part.low, part.high)
    return np.flatnonzero(mask)


def draw_lines(lines: Lines, part: Slice, num: int) -> Array:
    """Return the first `num` lines of a slice in a random order that is always the same."""
    return first_at_random(lines, lines_in(lines, part), num)
