"""What an alignment means: the share of pairs put together at random, that are aligned as well.

Random pairs are made of the judged corpus's own sides, so that the same chance means the same in every language and
corpus. From the chances of all pairs follows the share of wrong pairs: those put together at random are spread evenly
from 0 to 1, and right ones have chances near 0 (Storey 2002, doi 10.1111/1467-9868.00346).
"""

from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.training import Side, make_side
from corpora.compiled import compiled

MAX_RANDOM_PAIRS = 20_000  # of a corpus and half
MIN_RANDOM_PAIRS = 200  # fewer say nothing
MAX_SHARED = 0.6  # of the tokens of a sentence: another that has more of them says about the same
DISTANCE = 7  # to the pair whose side replaces that of a random one, among pairs sorted by length
NEXT_DISTANCE = 4  # to the next such pair
WRONG_CHANCE = 0.5  # right pairs hardly ever have a higher chance
CONFIDENCE = 0.90

Array = NDArray[Any]


def random_partners(
    length: Array, digests: Array, stays: Side, num_partners: int = 1, min_pairs: int = MIN_RANDOM_PAIRS
) -> tuple[Array, Array]:
    """Return rows of pairs, and for each the row whose other side replaces its own: one of about the same length.

    A pair of sentences that say about the same is no random pair, so a corpus of sentences that are nearly all alike
    has none, and is not judged.

    Args:
        length: Of each pair, by row, in any unit; rows are in the order of digests.
        digests: Of the side that stays: equal ones are translations of the same sentence.
        stays: The side that stays.
        num_partners: With how many others each pair is put together.
        min_pairs: Fewer random pairs than these are none.
    """
    order = np.argsort(length, kind="stable")
    chosen = order[:: max(1, -(-len(order) // MAX_RANDOM_PAIRS))]
    partners = np.concatenate([np.roll(chosen, DISTANCE + NEXT_DISTANCE * n) for n in range(num_partners)])
    rows = np.tile(chosen, num_partners)
    differs = digests[rows] != digests[partners]
    differs &= shared_tokens(stays.tokens, stays.ends, rows, partners) <= MAX_SHARED
    if differs.sum() < min_pairs:
        differs[:] = False
    return rows[differs], partners[differs]


@compiled
def shared_tokens(tokens: Array, ends: Array, rows: Array, partners: Array) -> Array:
    """Return the share of the tokens of each row that its partner has too."""
    shares = np.zeros(len(rows))
    for number in range(len(rows)):
        own = tokens[ends[rows[number]] : ends[rows[number] + 1]]
        other = tokens[ends[partners[number]] : ends[partners[number] + 1]]
        num_shared = 0
        for token in own:
            for candidate in other:
                if candidate == token:
                    num_shared += 1
                    break
        shares[number] = num_shared / max(1, len(own))
    return shares


def take_rows(side: Side, rows: Array) -> Side:
    """Return some pairs of a side, in the order of their rows."""
    starts, lengths = side.ends[:-1][rows], np.diff(side.ends)[rows]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return make_side(side.tokens[np.arange(ends[-1]) + np.repeat(starts - ends[:-1], lengths)], ends)


def chances(alignment: Array, random_alignment: Array) -> Array:
    """Return the share of random pairs that are aligned as well as each pair, or better."""
    values = np.sort(random_alignment)
    return 1 - np.searchsorted(values, alignment, side="left") / max(1, len(values))


def wrong_share(num_pairs: int, num_wrong: int) -> tuple[float, float, float]:
    """Return the estimated share of wrong pairs, with the ends of its interval of 90 % (Wilson's).

    Args:
        num_pairs: Pairs that were judged.
        num_wrong: Those whose chance is above `WRONG_CHANCE`.
    """
    if not num_pairs:
        return 0.0, 0.0, 1.0
    z, share = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), num_wrong / num_pairs
    middle = (share + z * z / (2 * num_pairs)) / (1 + z * z / num_pairs)
    half = z * sqrt(share * (1 - share) / num_pairs + z * z / (4 * num_pairs**2)) / (1 + z * z / num_pairs)
    ends = (share, max(0.0, middle - half), middle + half)
    low_estimate, low, high = (min(1.0, end / (1 - WRONG_CHANCE)) for end in ends)
    return low_estimate, low, high
