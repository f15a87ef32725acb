"""Judge translations by what a bitext of the language has taught: do they say what their sources say, and all of it.

What words usually get and usual lengths are those of the translations themselves, so that a bitext of another domain
judges them too. What tells wrong ones from right ones is learned from the translations as well: beside other sources,
and with a part left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.chance import chances, random_partners
from builders.alignment.contrast import Contrast, fit_contrast
from builders.alignment.cuts import leave_out_part
from builders.alignment.judge import Judge, judge_by
from builders.alignment.lengths import UsualByLength, usual_by_length
from builders.alignment.linking import LinkTable, link_tokens
from builders.alignment.measures import Texts, measure_texts, read_texts
from builders.alignment.shortfall import count_evidence

MIN_TRANSLATIONS = 500  # fewer do not say what is usual
MAX_EXAMPLES = 2_000  # of right translations, by which wrong ones are told from them
MIN_EXAMPLES = 50  # of each kind
MAX_CHANCE = 0.05  # of translations that are taken for right ones, when parts are left out
MIN_TOKENS = 4  # of each side of a translation that is judged

Array = NDArray[Any]
Pairs = tuple[Sequence[str], Sequence[str]]  # sources and translations


@dataclass(frozen=True)
class TaughtWords:
    """What a bitext has taught: links, and how often it has each token of either side (in order)."""

    links: LinkTable
    en_tokens: Array
    en_counts: Array
    xx_tokens: Array
    xx_counts: Array


@dataclass(frozen=True)
class TranslationJudge:
    """What judges translations into a language."""

    lang: str
    judge: Judge
    lengths: UsualByLength
    misaligned: Contrast
    random: Array  # how right translations of other sources look
    incomplete: Contrast

    def measure(self, sources: Sequence[str], translations: Sequence[str], is_counted: Array) -> tuple[Array, Array]:
        """Return of each translation a chance and log odds; NaN for those that are not judged.

        The chance is the share of translations of other sources that look as right. The odds are those that a part is
        left out.

        Args:
            sources: English segments.
            translations: Their translations.
            is_counted: Whether each is one of those by which the judge was made.
        """
        texts = read_texts(sources, translations, self.lang)
        measures = measure_texts(self.judge, self.lengths, texts, is_counted)
        is_judged = texts.num_tokens >= MIN_TOKENS
        chance = chances(-self.misaligned.log_odds(measures), self.random)
        incomplete = self.incomplete.log_odds(measures)
        return np.where(is_judged, chance, np.nan), np.where(is_judged, incomplete, np.nan)


def make_translation_judge(
    words: TaughtWords, sources: Sequence[str], translations: Sequence[str], lang: str
) -> TranslationJudge | None:
    """Return what judges translations like these, most of which are right; None if they are too few or all alike.

    Args:
        words: What a bitext has taught.
        sources: Different English segments, in random order.
        translations: Their translations.
        lang: The language.
    """
    if len(sources) < MIN_TRANSLATIONS:
        return None
    examples = sources[:MAX_EXAMPLES], translations[:MAX_EXAMPLES]
    halves = [(examples[0][half::2], examples[1][half::2]) for half in (0, 1)]
    measured = [_measure_half(words, own, other, lang) for own, other in zip(halves, reversed(halves), strict=True)]
    right, misaligned, cut = (np.concatenate(rows) for rows in zip(*measured, strict=True))
    if min(len(right), len(misaligned), len(cut)) < MIN_EXAMPLES:
        return None
    judge, lengths = _learn_usual(words, read_texts(sources, translations, lang))
    aligned = fit_contrast(right, misaligned)
    random = -aligned.log_odds(misaligned)
    own = right[chances(-aligned.log_odds(right), random) < MAX_CHANCE]
    incomplete = fit_contrast(own if len(own) >= MIN_EXAMPLES else right, cut)
    return TranslationJudge(lang, judge, lengths, aligned, random, incomplete)


def _learn_usual(words: TaughtWords, texts: Texts) -> tuple[Judge, UsualByLength]:
    en, xx = link_tokens(texts.en, texts.xx, words.links)
    usual_en = count_evidence(words.en_tokens, words.en_counts, texts.en, en)
    usual_xx = count_evidence(words.xx_tokens, words.xx_counts, texts.xx, xx)
    return judge_by(words.links, usual_en, usual_xx, texts.en, texts.xx), usual_by_length(texts.ratio, texts.length)


def _measure_half(words: TaughtWords, pairs: Pairs, others: Pairs, lang: str) -> tuple[Array, Array, Array]:
    """Return the measures of translations, of the same beside other sources, and of those with a part left out.

    What is usual is learned from the others, since those that were learned from would be measured in another way than
    wrong ones.
    """
    usual = _learn_usual(words, read_texts(*others, lang))

    def measure(sources: Sequence[str], translations: Sequence[str]) -> Array:
        texts = read_texts(sources, translations, lang)
        is_judged = texts.num_tokens >= MIN_TOKENS
        return measure_texts(*usual, texts, np.zeros(len(is_judged), np.bool_))[is_judged]

    ways = [(en, leave_out_part(xx, by_clause)) for en, xx in zip(*pairs, strict=True) for by_clause in (False, True)]
    shorter = [(en, xx) for en, xx in ways if xx]
    mixed, cut = (measure([en for en, _ in own], [xx for _, xx in own]) for own in (_mix(pairs, lang), shorter))
    return measure(*pairs), mixed, cut


def _mix(pairs: Pairs, lang: str) -> list[tuple[str, str]]:
    """Return sources with translations of others: of any length, and of about the same."""
    texts = read_texts(*pairs, lang)
    lengths, mixed = np.diff(texts.xx.ends), []
    for num_tokens in (lengths, np.zeros_like(lengths)):
        rows, partners = random_partners(num_tokens, np.arange(len(lengths)), texts.en)
        mixed += [(pairs[0][row], pairs[1][other]) for row, other in zip(rows, partners, strict=True)]
    return mixed
