"""What another threshold of a filter changes, line by line, before anything is built again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from builders.lines.columns import Array, Lines
from builders.lines.comparison import Comparison, comparison_of, is_rejected, measure_values
from builders.pipeline import Filter

MAX_BINS = 60
SERIES = ("kept", "rejected by this filter", "rejected by other filters")
SAMPLE = 200_000  # values from which the ends of a histogram are taken
BLOCK = 100_000  # lines that are counted at once
OUTLIERS = 0.001  # share of the lines at each end that the last bins hold


@dataclass(frozen=True)
class Histogram:
    """The numbers of lines by measure, a row of `counts` for each of `SERIES`."""

    edges: Array
    counts: Array
    num_measured: int
    num_without: int  # lines without the measure: an earlier filter spared it, or it does not apply


@dataclass(frozen=True)
class Effect:
    """What becomes of the lines if thresholds of one filter change."""

    lines: Lines
    rule: Filter
    before: Array  # whether the filter alone rejects a line, with its thresholds
    after: Array  # the same with the others

    @property
    def num_before(self) -> int:
        """The lines that the filter alone rejects, with its thresholds."""
        return int(np.count_nonzero(self.before))

    @property
    def num_after(self) -> int:
        """The lines that the filter alone rejects, with the others."""
        return int(np.count_nonzero(self.after))

    @cached_property
    def lost(self) -> Array:
        """The kept lines that the filter would reject."""
        return np.flatnonzero(self.after & (self.lines.reasons == 0))

    @cached_property
    def released(self) -> Array:
        """The lines that the filter rejects, and would not; later filters may."""
        return np.flatnonzero(~self.after & (self.lines.reasons == self.lines.code(self.rule.name)))

    @property
    def num_moved(self) -> int:
        """The lines that later filters reject, and this one would."""
        own = self.lines.code(self.rule.name)
        return int(np.count_nonzero(self.after & (self.lines.reasons > own)))


def effect_of(lines: Lines, rule: Filter, thresholds: Mapping[str, float]) -> Effect:
    """Return what changes if the thresholds of a filter are these."""
    current = {name: rule.threshold(name, lines.lang) for name in rule.thresholds}
    before = is_rejected(lines, rule, current)
    after = before if current == thresholds else is_rejected(lines, rule, dict(thresholds))
    return Effect(lines, rule, before, after)


def histogram_of(lines: Lines, rule: Filter, comparison: Comparison) -> Histogram:
    """Return the histogram of a filter's measure by decision."""
    values = measure_values(lines, comparison)
    is_measured = ~np.isnan(values)
    num_measured = int(np.count_nonzero(is_measured))
    step = max(1, num_measured // SAMPLE)
    edges = _edges(values[is_measured][::step], float(rule.threshold(comparison.threshold, lines.lang)))
    num_bins = len(edges) - 1
    series_of = np.full(len(lines.names), 2)
    series_of[[0, lines.code(rule.name)]] = 0, 1
    counts = np.zeros(3 * num_bins, np.int64)
    for start in range(0, len(values), BLOCK):  # a block stays in the processor's cache
        block = slice(start, start + BLOCK)
        own = is_measured[block]
        scaled = (values[block][own] - edges[0]) * (num_bins / (edges[-1] - edges[0]))
        bins = np.clip(scaled, 0, num_bins - 1).astype(np.int64)
        counts += np.bincount(series_of[lines.reasons[block][own]] * num_bins + bins, minlength=3 * num_bins)
    return Histogram(edges, counts.reshape(3, num_bins), num_measured, len(values) - num_measured)


def _edges(sample: Array, threshold: float) -> Array:
    """Return the edges of bins of equal width from where the lines are; those at the ends hold what is beyond."""
    if not len(sample):
        return np.array([threshold - 1, threshold + 1], float)
    low, high = np.quantile(sample, [OUTLIERS, 1 - OUTLIERS])
    low, high = min(low, threshold), max(high, threshold)
    if threshold.is_integer() and bool(np.all(sample[:10_000] == np.round(sample[:10_000]))):
        low, high = np.floor(low), np.floor(high) + 1
        width = max(1, int(np.ceil((high - low) / MAX_BINS)))
        return np.arange(low, high + width, width, dtype=float)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, MAX_BINS + 1)


def comparison_or_none(lines: Lines, rule: Filter) -> Comparison | None:
    """Return the comparison of a filter whose measure the tables have for every line."""
    comparison = comparison_of(rule)
    return comparison if comparison and lines.has_columns(comparison.measure) else None
