"""What is usual for sentences of like length, and how much both sides of a pair say.

The content of a side is the information of its tokens in nats: rare ones say more, and unknown ones the most. So two
sentences of like length with names on one side only differ in content.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.shortfall import UsualEvidence, sum_by_pair
from builders.alignment.training import Side

BAND_PAIRS = 200  # of like length, at least, that say what is usual
MAX_BANDS = 100
DEVIATION = 1.4826  # standard deviations in a median deviation
MIN_SPREAD = 0.05  # of a measure
MIN_EXPLAINED = 0.05  # of the variance of the content of a side
MIN_CONTENT = 8.0  # added to that of both sides: about a word, so that short ones say little

Array = NDArray[Any]


@dataclass(frozen=True)
class UsualByLength:
    """Median and spread of a measure of pairs, by the length of the English side (a logarithm)."""

    length: Array
    median: Array
    spread: Array

    def at(self, length: Array) -> tuple[Array, Array]:
        """Return median and spread at lengths."""
        return np.interp(length, self.length, self.median), np.interp(length, self.length, self.spread)

    def standardize(self, values: Array, length: Array) -> Array:
        """Return how far values are from the median, in standard deviations."""
        median, spread = self.at(length)
        return np.asarray((values - median) / spread)


def usual_by_length(values: Array, length: Array, max_bands: int = MAX_BANDS) -> UsualByLength:
    """Return median and spread of values in bands of length; a minority of odd values changes neither much.

    Args:
        values: The measure of each pair.
        length: The length of its English side.
        max_bands: How many bands there may be.
    """
    if not len(values):
        return UsualByLength(np.zeros(1), np.zeros(1), np.ones(1))
    count = max(1, min(max_bands, len(length) // BAND_PAIRS))
    bands = np.array_split(np.argsort(length, kind="stable"), count)
    medians, centers = (np.array([np.median(own[band]) for band in bands]) for own in (values, length))
    return UsualByLength(centers, medians, np.array([_spread(values[band]) for band in bands]))


def usual_contents(en: Array, xx: Array) -> UsualByLength:
    """Return the usual ratio of the contents of both sides.

    Its spread is wider the less of the content of the other side the English one explains: where translations leave out
    much, no ratio is unusual.

    Args:
        en: The content of the English side of each pair.
        xx: That of the other side.
    """
    length, ratio = compare_contents(en, xx)
    usual = usual_by_length(ratio, length)
    explained = 1 - np.mean(usual.spread**2) / _spread(length + ratio) ** 2 if len(ratio) else 0.0
    return replace(usual, spread=usual.spread / max(MIN_EXPLAINED, explained))


def _spread(values: Array) -> float:
    """Return the standard deviation of values, by the median deviation."""
    return float(max(MIN_SPREAD, DEVIATION * np.median(np.abs(values - np.median(values)))))


def content_of(usual: UsualEvidence, side: Side) -> Array:
    """Return the content of a side of each pair."""
    return np.asarray(sum_by_pair(usual.information[usual.ids(side.tokens)], side.ends))


def compare_contents(en: Array, xx: Array) -> tuple[Array, Array]:
    """Return the logarithms of the contents of English sides, and of the ratios of the contents of both."""
    own, other = en + MIN_CONTENT, xx + MIN_CONTENT
    return np.log(own), np.log(other / own)
