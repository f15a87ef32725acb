"""What is usual for sentences of like length: the ratio of the lengths of both sides, and other measures of pairs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.training import Side

BAND_PAIRS = 200  # of like length, at least, that say what is usual
MAX_BANDS = 100
DEVIATION = 1.4826  # standard deviations in a median deviation
MIN_SPREAD = 0.05  # of a measure

Array = NDArray[Any]


@dataclass(frozen=True)
class UsualByLength:
    """Median and spread of a measure of pairs, by the length of the English side (a logarithm)."""

    length: Array
    median: Array
    spread: Array

    def standardize(self, values: Array, length: Array) -> Array:
        """Return how far values are from the median, in standard deviations."""
        median, spread = (np.interp(length, self.length, own) for own in (self.median, self.spread))
        return np.asarray((values - median) / spread)


def measure_lengths(en: Side, xx: Side) -> tuple[Array, Array]:
    """Return the logarithms of the lengths of English sides, and of the ratios of the lengths of both."""
    length, others = (np.log(1.0 + side.lengths) for side in (en, xx))
    return length, others - length


def usual_by_length(values: Array, length: Array) -> UsualByLength:
    """Return median and spread of values in bands of length; a minority of odd values changes neither much."""
    bands = bands_of(length) if len(length) else []
    if not bands:
        return UsualByLength(np.zeros(1), np.zeros(1), np.ones(1))
    medians = np.array([np.median(values[band]) for band in bands])
    spreads = [np.median(np.abs(values[band] - own)) for band, own in zip(bands, medians, strict=True)]
    centers = np.array([np.median(length[band]) for band in bands])
    return UsualByLength(centers, medians, np.maximum(MIN_SPREAD, DEVIATION * np.array(spreads)))


def bands_of(length: Array) -> list[Array]:
    """Return rows in bands of like length, the shortest first."""
    count = max(1, min(MAX_BANDS, len(length) // BAND_PAIRS))
    return np.array_split(np.argsort(length, kind="stable"), count)
