"""Judge the pairs of a bitext in memory: each half by what the other teaches."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from builders.alignment.bands import random_pairs
from builders.alignment.chance import take_rows
from builders.alignment.judge import Judge, make_judge, side_of
from builders.alignment.limits import MIN_HALF_PAIRS, SAMPLE_PAIRS
from builders.alignment.linking import link_table
from builders.alignment.tokens import tokenize
from builders.alignment.training import Side, learn_links

Array = NDArray[Any]


def judge_texts(en: pa.StringArray, xx: pa.StringArray, lang: str) -> tuple[Array, Array]:
    """Return the alignment and the chance of each pair; NaN for pairs that are not judged.

    Args:
        en: English sides.
        xx: The other sides, as many.
        lang: Their language.
    """
    digests = np.array([_digest(text) for text in en.to_pylist()], np.int64)
    sides = side_of(tokenize(en, "en")), side_of(tokenize(xx, lang))
    alignment, chance = np.full(len(en), np.nan), np.full(len(en), np.nan)
    order = np.argsort(digests, kind="stable")
    rows = [order[digests[order] % 2 == half] for half in (0, 1)]
    if min(map(len, rows)) < MIN_HALF_PAIRS:
        return alignment, chance
    samples = [_take(sides, own[:SAMPLE_PAIRS]) for own in rows]
    for own, sample, others in zip(rows, samples, reversed(samples), strict=True):
        judge = _judge(sample, others)
        random = random_pairs(*judge.align_random(*sample, digests[own[:SAMPLE_PAIRS]]))
        is_counted = np.arange(len(own)) < SAMPLE_PAIRS
        own_sides = _take(sides, own)
        aligned = judge.align(*own_sides, is_counted)
        alignment[own] = aligned
        if len(random.alignment):  # none where all sentences are nearly alike
            own_chance = random.chances(aligned, np.diff(own_sides[0].ends))
            chance[own] = np.where(np.isnan(aligned), np.nan, own_chance)
    return alignment, chance


def _judge(own: tuple[Side, Side], others: tuple[Side, Side]) -> Judge:
    links = learn_links(*others)
    return make_judge(link_table(links.en, links.xx, links.evidence), *own, *others)


def _take(sides: tuple[Side, Side], rows: Array) -> tuple[Side, Side]:
    return take_rows(sides[0], rows), take_rows(sides[1], rows)


def _digest(text: str) -> int:
    """Return 60 bits of the digest of a sentence, without case and spaces."""
    return int(hashlib.sha256("".join(text.lower().split()).encode()).hexdigest()[:15], 16)
