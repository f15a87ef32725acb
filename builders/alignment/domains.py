"""Domains of a corpus by the vocabulary of its English sides, and what tells right pairs of a rare one from wrong ones.

Domains are the parts of a mixture: each has its own shares of words. Pairs of a rare domain have words that the corpus
seldom has, so that their alignments are low, and so are those of random pairs of that domain. Where its own random
pairs accept more pairs that all random pairs reject than wrong pairs explain, most of these are right.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.chance import chances
from builders.alignment.judge import Judge
from builders.alignment.training import Side
from corpora.compiled import compiled

NUM_DOMAINS = 6
NUM_BUCKETS = 1 << 13  # of hashes of tokens
MAX_PAIRS = 20_000  # that teach
NUM_PASSES = 15
PRIOR = 400.0  # tokens of a domain that the shares of the whole corpus are worth
TEMPER = 0.5  # of the evidence of a token, since the words of a sentence depend on each other
OTHER_SLICES = 0.02  # of a pair, at first
MIN_DOMAIN_PAIRS = 60  # random pairs of a half and domain; fewer say nothing
MANY_RANDOM_PAIRS = 400  # that a domain shall have, by up to MAX_PARTNERS for each pair
MAX_PARTNERS = 4
OWN_WEIGHT = 0.5  # of the random pairs of the same domain; the rest is on all
REJECTED_CHANCE = 0.05  # above which `misaligned` rejects by default
MAX_DOMAIN_SHARE = 0.1  # of a corpus: a larger domain is what random pairs of the corpus are made of
SPARED_PER_WRONG = 2.0  # pairs for each wrong one among them
MIN_SPARED = 1.0  # more than these
MIN_NAMED = 5  # pairs that a domain gains, of which people are told; fewer may be chance
MAX_TEXTS = 2_000  # of a domain, and of the rest, whose words are compared
NUM_WORDS = 8  # that stand for a domain
WORD = re.compile(r"[^\W\d_]{4,}")

Array = NDArray[Any]


@dataclass(frozen=True)
class Domains:
    """The parts of a mixture; the last ones have the longest sentences of the rarest words."""

    log_shares: Array  # of each bucket of tokens, in each domain
    log_sizes: Array

    def of(self, en: Side) -> Array:
        """Return the domain of each pair: the likeliest."""
        memberships = np.empty((len(en.ends) - 1, len(self.log_sizes)))
        _expect(buckets_of(en), en.ends, self.log_shares, self.log_sizes, memberships)
        return np.asarray(memberships.argmax(axis=1))


def learn_domains(en: Side) -> Domains:
    """Return the domains of the English sides of a corpus, which are in random order."""
    ends = en.ends[: MAX_PAIRS + 1]
    buckets = buckets_of(en)[: ends[-1]]
    all_shares = np.bincount(buckets, minlength=NUM_BUCKETS) + 0.5
    all_shares /= all_shares.sum()
    memberships = first_memberships(buckets, ends)
    for _ in range(NUM_PASSES):
        counts = np.zeros((NUM_BUCKETS, NUM_DOMAINS))
        _count(buckets, ends, memberships, counts)
        shares = (counts + PRIOR * all_shares[:, None]) / (counts.sum(axis=0) + PRIOR)
        log_shares = np.round(np.log(shares), 4).astype(np.float32)
        log_sizes = np.round(np.log(memberships.mean(axis=0) + 1e-9), 4)
        _expect(buckets, ends, log_shares, log_sizes, memberships)
    return Domains(log_shares, log_sizes)


def buckets_of(side: Side) -> Array:
    """Return the bucket of each token."""
    return np.asarray((side.tokens >> np.uint32(1)) % np.uint32(NUM_BUCKETS))


def first_memberships(buckets: Array, ends: Array) -> Array:
    """Return how much each pair belongs to each domain at first: slices, each half of what is left.

    Pairs are ordered by length and by how rare their words are, short ones of frequent words first.
    """
    lengths, counts = np.diff(ends), np.bincount(buckets, minlength=NUM_BUCKETS)
    sums = np.append(0, np.cumsum(np.log(np.maximum(1, counts))[buckets]))
    frequency = (sums[ends[1:]] - sums[ends[:-1]]) / np.maximum(1, lengths)
    order = np.argsort(_ranks(lengths) - _ranks(frequency), kind="stable")
    memberships = np.full((len(order), NUM_DOMAINS), OTHER_SLICES)
    for number, rows in enumerate(np.split(order, [len(order) - (len(order) >> n) for n in range(1, NUM_DOMAINS)])):
        memberships[rows, number] = 1
    return np.asarray(memberships / memberships.sum(axis=1, keepdims=True))


def align_domain(judge: Judge, en: Side, xx: Side, digests: Array) -> tuple[Array, Array]:
    """Return alignments and English lengths of random pairs of a domain; none if they are too few.

    Args:
        judge: What judges the half.
        en: The English sides of pairs of the domain and half.
        xx: Their other sides.
        digests: Of the English sides.
    """
    num_partners = max(1, min(MAX_PARTNERS, -(-MANY_RANDOM_PAIRS // max(1, len(digests)))))
    return judge.align_random(en, xx, digests, num_partners, MIN_DOMAIN_PAIRS)


@dataclass(frozen=True)
class RandomDomain:
    """The random pairs of a domain and half: their alignments, and their chances by all random pairs."""

    alignment: Array
    chance: Array

    def chances(self, alignment: Array, chance: Array) -> Array:
        """Return the chances of pairs in their domain: half of the weight is on random pairs of it.

        Args:
            alignment: The alignment of each pair.
            chance: Its chance by all random pairs.
        """
        return np.asarray(OWN_WEIGHT * chances(alignment, self.alignment) + (1 - OWN_WEIGHT) * chance)

    @property
    def own_chances(self) -> Array:
        """The chances in the domain of the random pairs themselves."""
        return self.chances(self.alignment, self.chance)


def is_spared(chance: Array, domain_chance: Array) -> Array:
    """Return which pairs all random pairs reject, and those of their domain do not."""
    return np.asarray((chance > REJECTED_CHANCE) & (domain_chance <= REJECTED_CHANCE))


@dataclass(frozen=True)
class DomainCounts:
    """The counts by which a domain is judged by its own random pairs or not."""

    num_pairs: int
    num_spared: int  # pairs that they would spare
    num_wrong: int  # pairs of the domain with a chance above `WRONG_CHANCE`
    random_spared: int  # random pairs of the domain that would be spared
    random_wrong: int  # those with such a chance; so many of them stand for `num_wrong` wrong pairs

    def is_apart(self, num_corpus_pairs: int) -> bool:
        """Return whether the domain is rare in its corpus, and most of the pairs that would be spared are right."""
        spared_wrong = self.num_wrong * self.random_spared / max(1, self.random_wrong)
        is_rare = self.num_pairs <= MAX_DOMAIN_SHARE * num_corpus_pairs
        return is_rare and self.num_spared > SPARED_PER_WRONG * spared_wrong + MIN_SPARED


def typical_words(texts: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the words that are most typical of English texts, against others of the same corpus."""
    own, rest = (Counter(word for text in side for word in set(WORD.findall(text.lower()))) for side in (texts, others))
    weight = {
        word: sqrt(count) * log(count / len(texts) * (len(others) + 1) / (rest[word] + 1))
        for word, count in own.items()
    }
    return sorted(weight, key=lambda word: (-weight[word], word))[:NUM_WORDS]


def _ranks(values: Array) -> Array:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


@compiled
def _expect(buckets, ends, log_shares, log_sizes, memberships):  # type: ignore[no-untyped-def]
    """Write how much each pair belongs to each domain."""
    for row in range(ends.size - 1):
        own = memberships[row]
        for number in range(log_sizes.size):
            total = 0.0
            for index in range(ends[row], ends[row + 1]):
                total += log_shares[buckets[index], number]
            own[number] = TEMPER * total + log_sizes[number]
        own[:] = np.exp(own - own.max())
        own /= own.sum()


@compiled
def _count(buckets, ends, memberships, counts):  # type: ignore[no-untyped-def]
    """Count the tokens of each domain by bucket."""
    for row in range(ends.size - 1):
        for index in range(ends[row], ends[row + 1]):
            for number in range(memberships.shape[1]):
                counts[buckets[index], number] += memberships[row, number]
