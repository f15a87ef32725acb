"""Measure translations beside their sources: the words that both sides explain, length, marks, and what may be missing.

The English side is tokenized clause by clause, so that a part that is missing is known to begin or end with a clause.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from builders.alignment.judge import Judge, side_of
from builders.alignment.lengths import UsualByLength
from builders.alignment.linking import link_tokens
from builders.alignment.shortfall import differences, measure_shortfall
from builders.alignment.tokens import tokenize
from builders.alignment.training import Side, make_side
from corpora.compiled import compiled

MARK = re.compile(r"[,;:()—–،؛，；：、（）·.!?؟。！？।|](?!\d)")  # between clauses and sentences
MAX_MARKS = 4  # that one side has more
MIN_PART = 2  # words of a part that may be missing
MIN_LEFT = 0.15  # of a source, beside that part
MAX_TOKENS = 200  # of a source whose parts are read
EVIDENCE_WEIGHT = 0.5  # words beside each other are not independent
BROKEN_CLAUSE = 2.0  # log odds against a part that begins or ends within a clause
FREEDOM = 10.0  # of the t distribution of lengths

Array = NDArray[Any]


@dataclass(frozen=True)
class Texts:
    """Sources and translations, with their tokens."""

    en: Side
    xx: Side
    starts_clause: Array  # whether each token of `en` is the first of a clause
    num_marks: tuple[Array, Array]
    length: Array  # of the source
    ratio: Array

    @property
    def num_tokens(self) -> Array:
        """The tokens of the shorter side of each."""
        return np.minimum(np.diff(self.en.ends), np.diff(self.xx.ends))


def read_texts(sources: Sequence[str], translations: Sequence[str], lang: str) -> Texts:
    """Return sources and translations with their tokens."""
    clauses = [MARK.split(text) for text in sources]
    tokens = tokenize(pa.array([clause for own in clauses for clause in own], pa.string()), "en")
    clause_ends = side_of(tokens).ends
    en = make_side(side_of(tokens).tokens, clause_ends[list(accumulate(map(len, clauses), initial=0))])
    starts = np.zeros(len(en.tokens) + 1, np.bool_)
    starts[clause_ends] = True
    length, others = (np.log([1.0 + len(text) for text in own]) for own in (sources, translations))
    marks = np.array([len(own) - 1 for own in clauses]), np.array([len(MARK.findall(text)) for text in translations])
    xx = side_of(tokenize(pa.array(list(translations), pa.string()), lang))
    return Texts(en, xx, starts[:-1], marks, length, others - length)


def measure_texts(judge: Judge, lengths: UsualByLength, texts: Texts, is_counted: Array) -> Array:
    """Return a row of measures for each translation.

    Args:
        judge: What words usually get.
        lengths: The usual ratios of lengths.
        texts: Sources and translations.
        is_counted: Whether each is one of those by which judge and lengths were made.
    """
    en, xx = link_tokens(texts.en, texts.xx, judge.links)
    missing = -measure_shortfall(judge.en, texts.en, en, en, is_counted)[0]
    added = -measure_shortfall(judge.xx, texts.xx, xx, xx, is_counted)[0]
    median, spread = lengths.at(texts.length)
    short = (median - texts.ratio) / spread
    marks = np.clip(texts.num_marks[0] - texts.num_marks[1], -MAX_MARKS, MAX_MARKS)
    lost = -EVIDENCE_WEIGHT * differences(judge.en, texts.en, en, en, is_counted)[0]
    part = _largest_part(lost, texts.en.ends, texts.starts_clause, texts.ratio, median, spread)
    unlinked = [_share((own == 0), side.ends) for own, side in ((en, texts.en), (xx, texts.xx))]
    size = np.log1p(np.diff(texts.en.ends))
    worst = np.maximum(missing, added)
    return np.column_stack([missing, added, worst, *unlinked, short, np.abs(short), marks, np.abs(marks), part, size])


def _share(is_true: Array, ends: Array) -> Array:
    totals = np.append(0, np.cumsum(is_true))
    return np.asarray((totals[ends[1:]] - totals[ends[:-1]]) / np.maximum(1, np.diff(ends)))


@compiled
def _largest_part(lost, ends, starts, ratio, median, spread):  # type: ignore[no-untyped-def]
    """Return, for each source, the log odds that its likeliest part is missing: by words, clauses, and length.

    Without the part, the rest of the source has a translation of usual length, and the words of the part have none.
    """
    largest = np.zeros(ends.size - 1, np.float64)
    for row in range(largest.size):
        begin, count = ends[row], min(ends[row + 1] - ends[row], MAX_TOKENS)
        whole = (ratio[row] - median[row]) / spread[row]
        for size in range(MIN_PART, int(count * (1 - MIN_LEFT)) + 1):
            rest = (ratio[row] - np.log(1 - size / count) - median[row]) / spread[row]
            gain = (FREEDOM + 1) / 2 * (np.log1p(whole * whole / FREEDOM) - np.log1p(rest * rest / FREEDOM))
            if whole > 0:
                gain = min(gain, 0.0)
            total = 0.0
            for index in range(begin, begin + size):
                total += lost[index]
            for first in range(begin, begin + count - size + 1):
                odds = gain + total
                if not starts[first]:
                    odds -= BROKEN_CLAUSE
                if first + size < begin + count:
                    if not starts[first + size]:
                        odds -= BROKEN_CLAUSE
                    total += lost[first + size] - lost[first]
                largest[row] = max(largest[row], odds)
    return largest
