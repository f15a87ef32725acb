"""How far the evidence of a pair falls short of what its tokens usually get: the alignment of the pair.

Tokens differ: a name is always linked, an article hardly ever. So the evidence of each token is compared with the mean
of the same token in other pairs, shrunk to that of tokens as frequent. The alignment of a side is the sum of the
differences in standard deviations; that of a pair is the lower one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.training import Side
from corpora.compiled import compiled

SHRINKAGE = 5.0  # occurrences of a token that the mean of tokens as frequent is worth
MIN_VARIANCE = 0.25
EXTRA_VARIANCE = 2.0  # of a side: short sides say little
DECIMALS = 3  # of the information of a token: more would depend on the processor
NUM_BANDS = 22  # of frequency: powers of two; the first is that of unknown tokens

Array = NDArray[Any]


@dataclass(frozen=True)
class UsualEvidence:
    """What tokens usually get on one side; the last row is that of all unknown tokens together."""

    tokens: Array  # distinct and in order, without the last
    counts: Array  # how often the model has seen each
    num: Array  # occurrences that were judged
    total: Array  # of their evidence
    squares: Array

    def ids(self, tokens: Array) -> Array:
        """Return the rows of tokens."""
        if not len(self.tokens):
            return np.zeros(len(tokens), np.int64)
        at = np.minimum(np.searchsorted(self.tokens, tokens), len(self.tokens) - 1)
        return np.where(self.tokens[at] == tokens, at, len(self.tokens))

    @property
    def information(self) -> Array:
        """What each token says, in nats; unknown ones the most."""
        return np.asarray(np.round(np.log((self.counts.sum() + 1) / (self.counts + 1)), DECIMALS))


def count_evidence(tokens: Array, counts: Array, side: Side, evidence: Array) -> UsualEvidence:
    """Return what the tokens of a side get in pairs whose links another half has taught.

    Args:
        tokens: The distinct tokens that the model has seen, in order.
        counts: How often it has seen each.
        side: Tokens of the judged pairs.
        evidence: The evidence of each.
    """
    counts = np.append(counts, 0)
    ids = UsualEvidence(tokens, counts, counts, counts, counts).ids(side.tokens)
    num, total, squares = (
        np.bincount(ids, weights, len(counts)).astype(np.float64) for weights in (None, evidence, evidence**2)
    )
    return UsualEvidence(tokens, counts, num, total, squares)


def measure_shortfall(
    usual: UsualEvidence, side: Side, evidence: Array, counted: Array, is_counted: Array
) -> tuple[Array, Array, Array]:
    """Return the alignment of a side of each pair, how many tokens of it are known, and its content.

    Args:
        usual: What tokens usually get.
        side: Tokens of the pairs.
        evidence: The evidence of each.
        counted: What `usual` counts of each, which is left out of the means: in a pair of the corpus its evidence, in a
            random pair the evidence of the token beside its own other side.
        is_counted: Whether `usual` counts the tokens of a pair.
    """
    ids = usual.ids(side.tokens)
    difference, variance = _differences(usual, ids, side, evidence, counted, is_counted)
    total = sum_by_pair(difference, side.ends) / np.sqrt(sum_by_pair(variance, side.ends) + EXTRA_VARIANCE)
    return total, sum_by_pair(usual.counts[ids] > 0, side.ends), sum_by_pair(usual.information[ids], side.ends)


def differences(
    usual: UsualEvidence, side: Side, evidence: Array, counted: Array, is_counted: Array
) -> tuple[Array, Array]:
    """Return how much more evidence each token has than it usually gets, and the variance of that.

    The arguments are those of `measure_shortfall`.
    """
    return _differences(usual, usual.ids(side.tokens), side, evidence, counted, is_counted)


def _differences(
    usual: UsualEvidence, ids: Array, side: Side, evidence: Array, counted: Array, is_counted: Array
) -> tuple[Array, Array]:
    mean, variance = _bands(usual)
    own = np.repeat(is_counted, np.diff(side.ends)).astype(np.float64)
    band = _band_of(usual.counts)[ids]
    expected = (usual.total[ids] - own * counted + SHRINKAGE * mean[band]) / (usual.num[ids] - own + SHRINKAGE)
    return evidence - expected, variance[band]


def _band_of(counts: Array) -> Array:
    return np.where(counts > 0, 1 + np.minimum(NUM_BANDS - 2, np.log2(counts + 1).astype(np.int64)), 0)


def _bands(usual: UsualEvidence) -> tuple[Array, Array]:
    """Return mean and variance of the evidence of tokens, by how frequent they are."""
    band = _band_of(usual.counts)
    num, total, squares = (np.bincount(band, x, NUM_BANDS) for x in (usual.num, usual.total, usual.squares))
    mean = total / np.maximum(1, num)
    return mean, np.maximum(MIN_VARIANCE, squares / np.maximum(1, num) - mean**2)


@compiled
def sum_by_pair(values, ends):  # type: ignore[no-untyped-def]
    """Return the sum of the values of each pair, whichever pairs are around it."""
    sums = np.zeros(ends.size - 1, np.float64)
    for row in range(sums.size):
        for index in range(ends[row], ends[row + 1]):
            sums[row] += values[index]
    return sums
