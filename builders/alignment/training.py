"""Learn which tokens translate each other: IBM model 1 in both directions, over all pairs of tokens of a corpus.

A link is a pair of tokens with its evidence, the logarithm of the geometric mean of t(xx|en) / p(xx) and
t(en|xx) / p(en): how much likelier each token is beside the other than alone. Probabilities are smoothed by a Dirichlet
prior, and the empty word of both directions says a token as often as it occurs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.token_pairs import EMPTY, MIN_CAPACITY, key_of, slot_of
from corpora.compiled import compiled

PRIOR = np.float32(2.0)  # occurrences that the prior is worth
NUM_PASSES = 3  # more change nothing
MIN_EVIDENCE = np.float32(1.0)  # of a link
MIN_COUNT = np.float32(0.01)  # expected times that both tokens of a link translate each other
MAX_SIDE_TOKENS = 200  # of a side of a pair that is read
FIRST_WEIGHT = np.float32(4.0)  # of each token against the empty word, before anything is learned
FORWARD, BACKWARD, NEW_FORWARD, NEW_BACKWARD = range(4)

Array = NDArray[Any]


@dataclass(frozen=True)
class Side:
    """The tokens of one side of pairs: those of pair `n` are `tokens[ends[n]:ends[n + 1]]`."""

    tokens: Array
    ends: Array


def make_side(tokens: Array, ends: Array) -> Side:
    """Return a side whose arrays cannot be written: one type, so that functions are compiled once."""
    for array in (tokens, ends):
        array.flags.writeable = False
    return Side(tokens, ends)


@dataclass(frozen=True)
class Links:
    """Pairs of tokens with their evidence, and how often each token occurs on its side."""

    en: Array
    xx: Array
    evidence: Array
    en_tokens: Array  # distinct, in order
    en_counts: Array
    xx_tokens: Array
    xx_counts: Array


def learn_links(en: Side, xx: Side) -> Links:
    """Return the links of pairs, learned from them in a few passes."""
    en_tokens, en_ids, en_counts = np.unique(en.tokens, return_inverse=True, return_counts=True)
    xx_tokens, xx_ids, xx_counts = np.unique(xx.tokens, return_inverse=True, return_counts=True)
    sides = (en_ids.astype(np.uint32), en.ends, xx_ids.astype(np.uint32), xx.ends)
    keys = _collect_keys(*sides)
    counts = np.zeros((keys.size, 4), np.float32)
    en_share, xx_share = (n.astype(np.float32) / np.float32(max(1, n.sum())) for n in (en_counts, xx_counts))
    en_totals, xx_totals = np.zeros((en_counts.size, 2), np.float32), np.zeros((xx_counts.size, 2), np.float32)
    for number in range(NUM_PASSES):
        _expect(*sides, keys, counts, en_share, xx_share, en_totals, xx_totals, number == 0)
    links_en, links_xx, evidence = _strong_links(keys, counts, en_share, xx_share, en_totals, xx_totals)
    return Links(en_tokens[links_en], xx_tokens[links_xx], evidence, en_tokens, en_counts, xx_tokens, xx_counts)


@compiled
def _collect_keys(en, en_ends, xx, xx_ends):  # type: ignore[no-untyped-def]
    """Return a table of all pairs of tokens that occur together; a token is its number and 1."""
    keys = np.zeros(MIN_CAPACITY, np.uint64)
    num_keys = 0
    for row in range(en_ends.size - 1):
        for i in range(en_ends[row], min(en_ends[row + 1], en_ends[row] + MAX_SIDE_TOKENS)):
            for j in range(xx_ends[row], min(xx_ends[row + 1], xx_ends[row] + MAX_SIDE_TOKENS)):
                key = key_of(en[i] + np.uint32(1), xx[j] + np.uint32(1))
                slot = slot_of(key, keys)
                if keys[slot] == EMPTY:
                    keys[slot] = key
                    num_keys += 1
                    if 3 * num_keys > 2 * keys.size:
                        keys = _grow(keys)
    return keys


@compiled
def _grow(keys):  # type: ignore[no-untyped-def]
    larger = np.zeros(keys.size * 2, np.uint64)
    for key in keys:
        if key != EMPTY:
            larger[slot_of(key, larger)] = key
    return larger


@compiled
def _expect(en, en_ends, xx, xx_ends, keys, counts, en_share, xx_share, en_totals, xx_totals, is_first):  # type: ignore[no-untyped-def]
    """Count, for every pair of tokens, how often they are expected to translate each other, in both directions."""
    slots = np.empty(MAX_SIDE_TOKENS * MAX_SIDE_TOKENS, np.uint64)
    forward, backward = np.empty(slots.size, np.float32), np.empty(slots.size, np.float32)
    for row in range(en_ends.size - 1):
        a, x = en_ends[row], xx_ends[row]
        rows, columns = min(en_ends[row + 1] - a, MAX_SIDE_TOKENS), min(xx_ends[row + 1] - x, MAX_SIDE_TOKENS)
        for i in range(rows):
            for j in range(columns):
                e, f = en[a + i], xx[x + j]
                slot = slot_of(key_of(e + np.uint32(1), f + np.uint32(1)), keys)
                n = i * columns + j
                slots[n] = slot
                if is_first:
                    forward[n], backward[n] = FIRST_WEIGHT * xx_share[f], FIRST_WEIGHT * en_share[e]
                else:
                    forward[n] = (counts[slot, FORWARD] + PRIOR * xx_share[f]) / (en_totals[e, 0] + PRIOR)
                    backward[n] = (counts[slot, BACKWARD] + PRIOR * en_share[e]) / (xx_totals[f, 0] + PRIOR)
        for j in range(columns):
            f = xx[x + j]
            total = xx_share[f]
            for i in range(rows):
                total += forward[i * columns + j]
            for i in range(rows):
                share = forward[i * columns + j] / total
                counts[slots[i * columns + j], NEW_FORWARD] += share
                en_totals[en[a + i], 1] += share
        for i in range(rows):
            e = en[a + i]
            total = en_share[e]
            for j in range(columns):
                total += backward[i * columns + j]
            for j in range(columns):
                share = backward[i * columns + j] / total
                counts[slots[i * columns + j], NEW_BACKWARD] += share
                xx_totals[xx[x + j], 1] += share
    _renew(counts, en_totals, xx_totals)


@compiled
def _renew(counts, en_totals, xx_totals):  # type: ignore[no-untyped-def]
    """Let the counts of this pass be those that the next one reads."""
    for slot in range(counts.shape[0]):
        counts[slot, FORWARD], counts[slot, BACKWARD] = counts[slot, NEW_FORWARD], counts[slot, NEW_BACKWARD]
        counts[slot, NEW_FORWARD] = counts[slot, NEW_BACKWARD] = np.float32(0)
    for totals in (en_totals, xx_totals):
        totals[:, 0] = totals[:, 1]
        totals[:, 1] = 0


@compiled
def _strong_links(keys, counts, en_share, xx_share, en_totals, xx_totals):  # type: ignore[no-untyped-def]
    """Return the tokens (their numbers) and the evidence of the links that are worth keeping."""
    evidence = np.zeros(keys.size, np.float32)
    num_links = 0
    for slot in range(keys.size):
        if keys[slot] != EMPTY and min(counts[slot, FORWARD], counts[slot, BACKWARD]) >= MIN_COUNT:
            e = (keys[slot] >> np.uint64(32)) - np.uint64(1)
            f = (keys[slot] & np.uint64(0xFFFFFFFF)) - np.uint64(1)
            t = (counts[slot, FORWARD] + PRIOR * xx_share[f]) / (en_totals[e, 0] + PRIOR) / xx_share[f]
            u = (counts[slot, BACKWARD] + PRIOR * en_share[e]) / (xx_totals[f, 0] + PRIOR) / en_share[e]
            evidence[slot] = np.float32(0.5) * np.log(t * u)
            num_links += evidence[slot] > MIN_EVIDENCE
    en, xx, kept = np.empty(num_links, np.uint32), np.empty(num_links, np.uint32), np.empty(num_links, np.float32)
    n = 0
    for slot in range(keys.size):
        if evidence[slot] > MIN_EVIDENCE:
            en[n] = (keys[slot] >> np.uint64(32)) - np.uint64(1)
            xx[n] = (keys[slot] & np.uint64(0xFFFFFFFF)) - np.uint64(1)
            kept[n] = evidence[slot]
            n += 1
    return en, xx, kept
