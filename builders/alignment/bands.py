"""Random pairs in bands of like length: what the alignment of a short pair means says little about a long one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.chance import chances

NUM_BANDS = 4
LIKE_LENGTH = 0.5  # the weight of random pairs of like length; the rest is on those of all lengths

Array = NDArray[Any]


@dataclass(frozen=True)
class LengthBands:
    """The alignments of random pairs in bands of like length."""

    ends: Array  # the longest English side of each band but the last, in tokens
    bands: Sequence[Array]

    def chances(self, alignment: Array, length: Array) -> Array:
        """Return the share of random pairs of like length that are aligned as well.

        Args:
            alignment: The alignment of each pair.
            length: The length of its English side, in tokens.
        """
        band, result = np.searchsorted(self.ends, length), np.empty(len(alignment))
        for number, random in enumerate(self.bands):
            result[band == number] = chances(alignment[band == number], random)
        return result


@dataclass(frozen=True)
class RandomPairs:
    """The alignments of random pairs of a corpus: all of them, and by length."""

    alignment: Array
    by_length: LengthBands

    def chances(self, alignment: Array, length: Array) -> Array:
        """Return the share of random pairs that are aligned as well, half of whose weight is on those of like length.

        Args:
            alignment: The alignment of each pair.
            length: The length of its English side, in tokens.
        """
        like_length = self.by_length.chances(alignment, length)
        return LIKE_LENGTH * like_length + (1 - LIKE_LENGTH) * chances(alignment, self.alignment)


def random_pairs(alignment: Array, length: Array) -> RandomPairs:
    """Return random pairs by which others are judged, in any order."""
    return RandomPairs(alignment, cut_bands(alignment, length, NUM_BANDS))


def cut_bands(alignment: Array, length: Array, num_bands: int) -> LengthBands:
    """Return random pairs in at most so many bands, each with at least half of an equal share of them.

    Pairs of the same length are in the same band, so the bands may be fewer.

    Args:
        alignment: The alignment of each random pair.
        length: The length of its English side, in tokens.
        num_bands: How many bands there may be.
    """
    ordered, ends, start = np.sort(length), list[int](), 0
    for number in range(1, min(num_bands, len(ordered))):
        value = ordered[len(ordered) * number // num_bands]
        end = int(np.searchsorted(ordered, value, side="right"))
        if min(end - start, len(ordered) - end) * 2 * num_bands >= len(ordered):
            ends.append(value)
            start = end
    band = np.searchsorted(np.array(ends), length)
    return LengthBands(np.array(ends), [alignment[band == number] for number in range(len(ends) + 1)])
