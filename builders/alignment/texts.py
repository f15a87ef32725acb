"""Judge the pairs of a bitext in memory: each half by what the other teaches."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from builders.alignment.bands import random_pairs
from builders.alignment.chance import WRONG_CHANCE, take_rows, wrong_share
from builders.alignment.domains import (
    NUM_DOMAINS,
    DomainCounts,
    RandomDomain,
    align_domain,
    is_spared,
    learn_domains,
)
from builders.alignment.judge import Judge, make_judge, side_of
from builders.alignment.limits import MIN_HALF_PAIRS, SAMPLE_PAIRS
from builders.alignment.linking import link_table
from builders.alignment.tokens import tokenize
from builders.alignment.training import Side, learn_links

Array = NDArray[Any]


@dataclass(frozen=True)
class JudgedTexts:
    """The alignment and the chance of each pair of a bitext; NaN for pairs that are not judged."""

    alignment: Array
    chance: Array
    domain: Array  # of each pair, by the vocabulary of its English side
    apart: Mapping[int, int]  # domains that are judged by random pairs of their own, with how many these spare
    share: tuple[float, float, float]  # of wrong pairs among those judged, with the ends of its interval

    @property
    def is_judged(self) -> Array:
        """Which pairs are judged."""
        return ~np.isnan(self.chance)


def judge_texts(en: pa.StringArray, xx: pa.StringArray, lang: str) -> JudgedTexts:
    """Judge the pairs of a bitext.

    Args:
        en: English sides.
        xx: The other sides, as many.
        lang: Their language.
    """
    digests = np.array([_digest(text) for text in en.to_pylist()], np.int64)
    sides = side_of(tokenize(en, "en")), side_of(tokenize(xx, lang))
    order = np.argsort(digests, kind="stable")
    rows = [order[digests[order] % 2 == half] for half in (0, 1)]
    pairs = _Pairs(sides, digests)
    if min(map(len, rows)) >= MIN_HALF_PAIRS:
        pairs.domain[:] = learn_domains(take_rows(sides[0], order)).of(sides[0])
        samples = [_take(sides, own[:SAMPLE_PAIRS]) for own in rows]
        for own, sample, others in zip(rows, samples, reversed(samples), strict=True):
            pairs.judge(own, _judge(sample, others))
    return pairs.judged()


class _Pairs:
    """The pairs of a bitext, while they are judged."""

    def __init__(self, sides: tuple[Side, Side], digests: Array) -> None:
        self.sides, self.digests = sides, digests
        self.alignment, self.chance, self.domain_chance = (np.full(len(digests), np.nan) for _ in range(3))
        self.domain = np.zeros(len(digests), np.int64)
        self.random: dict[int, list[RandomDomain]] = {}

    def judge(self, own: Array, judge: Judge) -> None:
        """Judge the pairs of a half, in the order of their digests."""
        sides, sample = _take(self.sides, own), own[:SAMPLE_PAIRS]
        aligned = judge.align(*sides, np.arange(len(own)) < SAMPLE_PAIRS)
        random = random_pairs(*judge.align_random(*_take(self.sides, sample), self.digests[sample]))
        self.alignment[own] = aligned
        if not len(random.alignment):  # where all sentences are nearly alike
            return
        self.chance[own] = np.where(np.isnan(aligned), np.nan, random.chances(aligned, np.diff(sides[0].ends)))
        for number in range(NUM_DOMAINS):
            rows = sample[self.domain[sample] == number]
            of_domain, length = align_domain(judge, *_take(self.sides, rows), self.digests[rows])
            if len(of_domain):
                own_random = RandomDomain(of_domain, random.chances(of_domain, length))
                self.random.setdefault(number, []).append(own_random)
                rows = own[self.domain[own] == number]
                self.domain_chance[rows] = own_random.chances(self.alignment[rows], self.chance[rows])

    def judged(self) -> JudgedTexts:
        """Return what is known of the pairs, once both halves are judged."""
        is_judged = ~np.isnan(self.chance)
        share = wrong_share(int(is_judged.sum()), int((self.chance > WRONG_CHANCE).sum()))
        lowest = np.argsort(np.where(is_judged, self.alignment, np.inf), kind="stable")
        is_low = np.zeros(len(self.chance), np.bool_)
        is_low[lowest[: int(share[2] * is_judged.sum())]] = True
        spared = is_low & is_spared(self.chance, self.domain_chance)
        counts = {number: int(spared[self.domain == number].sum()) for number in self.random}
        apart = {number: count for number, count in counts.items() if self._is_apart(number, count)}
        is_own = np.isin(self.domain, list(apart))
        chance = np.where(is_own, np.fmin(self.chance, self.domain_chance), self.chance)
        return JudgedTexts(self.alignment, chance, self.domain, apart, share)

    def _is_apart(self, number: int, num_spared: int) -> bool:
        own, random = self.domain == number, [domain.own_chances for domain in self.random[number]]
        chances = [domain.chance for domain in self.random[number]]
        counts = DomainCounts(
            int(own.sum()),
            num_spared,
            int((self.domain_chance[own] > WRONG_CHANCE).sum()),
            sum(int(is_spared(*both).sum()) for both in zip(chances, random, strict=True)),
            sum(int((values > WRONG_CHANCE).sum()) for values in random),
        )
        return counts.is_apart(len(self.domain))


def _judge(own: tuple[Side, Side], others: tuple[Side, Side]) -> Judge:
    links = learn_links(*others)
    return make_judge(link_table(links.en, links.xx, links.evidence), *own, *others)


def _take(sides: tuple[Side, Side], rows: Array) -> tuple[Side, Side]:
    return take_rows(sides[0], rows), take_rows(sides[1], rows)


def _digest(text: str) -> int:
    """Return 60 bits of the digest of a sentence, without case and spaces."""
    return int(hashlib.sha256("".join(text.lower().split()).encode()).hexdigest()[:15], 16)
