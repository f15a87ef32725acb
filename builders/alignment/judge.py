"""Judge pairs by what the other half of a corpus has taught: links, and the evidence that tokens usually get."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.chance import MIN_RANDOM_PAIRS, random_partners, take_rows
from builders.alignment.lengths import UsualByLength, compare_contents, content_of, usual_contents
from builders.alignment.linking import LinkTable, link_tokens
from builders.alignment.shortfall import UsualEvidence, count_evidence, measure_shortfall
from builders.alignment.training import Side, make_side

MIN_KNOWN_TOKENS = 1  # of either side of a pair that is judged
BETTER_SIDE = 0.2  # the weight of the better side; that of the worse is 1
UNUSUAL_CONTENT = 0.5  # the weight against a pair of each standard deviation of the ratio of its contents
MAX_UNUSUAL = 4.0  # standard deviations: contents alone make no pair look wrong
DECIMALS = 3  # of an alignment: more would depend on the processor

Array = NDArray[Any]


@dataclass(frozen=True)
class Judge:
    """What judges the pairs of a half."""

    links: LinkTable
    en: UsualEvidence
    xx: UsualEvidence
    content: UsualByLength  # the ratio of the contents of both sides

    def align(self, en: Side, xx: Side, is_counted: Array) -> Array:
        """Return the alignment of pairs; NaN for pairs without a known token.

        Args:
            en: The English sides.
            xx: The other sides.
            is_counted: Whether each pair is one of those whose evidence the judge has counted.
        """
        evidence = link_tokens(en, xx, self.links)
        return self._align((en, xx), evidence, evidence, is_counted)

    def align_random(
        self, en: Side, xx: Side, digests: Array, num_partners: int = 1, min_pairs: int = MIN_RANDOM_PAIRS
    ) -> tuple[Array, Array]:
        """Return the alignments of pairs put together at random, and the lengths of their English sides in tokens.

        Args:
            en: The English sides of counted pairs, which are in random order.
            xx: Their other sides.
            digests: Of the English sides.
            num_partners: With how many others each pair is put together.
            min_pairs: Fewer random pairs than these are none.
        """
        own_en, own_xx = link_tokens(en, xx, self.links)
        rows, partners = random_partners(content_of(self.en, en), digests, en, num_partners, min_pairs)
        sides = take_rows(en, rows), take_rows(xx, partners)
        counted = take_rows(Side(own_en, en.ends), rows).tokens, take_rows(Side(own_xx, xx.ends), partners).tokens
        evidence = link_tokens(*sides, self.links)
        aligned = self._align(sides, evidence, counted, np.ones(len(rows), np.bool_))
        is_judged = np.isfinite(aligned)
        return aligned[is_judged], np.diff(sides[0].ends)[is_judged]

    def _align(
        self, sides: tuple[Side, Side], evidence: tuple[Array, Array], counted: tuple[Array, Array], is_counted: Array
    ) -> Array:
        own = zip((self.en, self.xx), sides, evidence, counted, strict=True)
        (en, en_known, en_content), (xx, xx_known, xx_content) = (measure_shortfall(*row, is_counted) for row in own)
        is_judged = np.maximum(en_known, xx_known) >= MIN_KNOWN_TOKENS
        length, ratio = compare_contents(en_content, xx_content)
        unusual = np.minimum(np.abs(self.content.standardize(ratio, length)), MAX_UNUSUAL)
        aligned = np.minimum(en, xx) + BETTER_SIDE * np.maximum(en, xx) - UNUSUAL_CONTENT * unusual
        return np.where(is_judged, np.round(aligned, DECIMALS), np.nan)


def make_judge(links: LinkTable, en: Side, xx: Side, others_en: Side, others_xx: Side) -> Judge:
    """Return the judge of a half: `en` and `xx` are its pairs, the others those that the links were learned from."""
    evidence = link_tokens(en, xx, links)
    usual = [
        count_evidence(*np.unique(others.tokens, return_counts=True), side, own)
        for others, side, own in zip((others_en, others_xx), (en, xx), evidence, strict=True)
    ]
    return judge_by(links, usual[0], usual[1], en, xx)


def judge_by(links: LinkTable, usual_en: UsualEvidence, usual_xx: UsualEvidence, en: Side, xx: Side) -> Judge:
    """Return a judge to whom the contents of the pairs of `en` and `xx` are usual."""
    contents = content_of(usual_en, en), content_of(usual_xx, xx)
    return Judge(links, usual_en, usual_xx, usual_contents(*contents))


def side_of(tokens: Any) -> Side:
    """Return lists of tokens (an Arrow array) as a side of pairs."""
    ends = tokens.offsets.to_numpy()
    return make_side(tokens.values.to_numpy()[ends[0] : ends[-1]], (ends - ends[0]).astype(np.int32))
