"""Judge translations by what a bitext of the language has taught: do they say what their sources say, and all of it.

What words usually get, random pairs and usual lengths are those of the translations themselves, and of translations of
like length, so that a bitext of another domain judges them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from builders.alignment.bands import LengthBands, cut_bands
from builders.alignment.chance import MIN_RANDOM_PAIRS
from builders.alignment.judge import Judge, side_of
from builders.alignment.linking import LinkTable, link_tokens
from builders.alignment.shortfall import count_evidence, longest_shortfall
from builders.alignment.tokens import tokenize
from builders.alignment.training import Side

MIN_TRANSLATIONS = 400  # fewer do not say what is usual
MIN_TOKENS = 4  # of each side of a translation that is judged
BAND_PAIRS = 200  # of like length, that say what is usual
DEVIATION = 1.4826  # standard deviations in a median deviation
MIN_SPREAD = 0.05  # of a measure

Array = NDArray[Any]


@dataclass(frozen=True)
class TaughtWords:
    """What a bitext has taught: links, and how often it has each token of either side (in order)."""

    links: LinkTable
    en_tokens: Array
    en_counts: Array
    xx_tokens: Array
    xx_counts: Array


@dataclass(frozen=True)
class _Usual:
    """Median and spread of a measure of translations, by the length of the source."""

    length: Array
    median: Array
    spread: Array

    def standardize(self, values: Array, length: Array) -> Array:
        """Return how far values are from the median, in standard deviations."""
        median, spread = (np.interp(length, self.length, own) for own in (self.median, self.spread))
        return np.asarray((values - median) / spread)


@dataclass(frozen=True)
class TranslationJudge:
    """What judges translations into a language."""

    lang: str
    judge: Judge
    random: LengthBands
    ratio: _Usual  # of lengths
    missing: _Usual

    def measure(self, sources: Sequence[str], translations: Sequence[str], is_counted: Array) -> tuple[Array, Array]:
        """Return chance and missing part of translations; NaN for those that are not judged.

        The chance is the share of random pairs that are aligned as well. The missing part is how much of the source has
        no counterpart, in standard deviations of all translations.

        Args:
            sources: English segments.
            translations: Their translations.
            is_counted: Whether each is one of those by which the judge was made.
        """
        sides = _sides(sources, translations, self.lang)
        aligned, num_tokens = self.judge.align(*sides, is_counted), [np.diff(side.ends) for side in sides]
        is_judged = np.isfinite(aligned) & (np.minimum(*num_tokens) >= MIN_TOKENS)
        length, ratio = _lengths(sources, translations)
        missing = _missing_part(self.judge, sides, is_counted, self.ratio.standardize(ratio, length))
        scores = self.random.chances(aligned, num_tokens[0]), self.missing.standardize(missing, length)
        return np.where(is_judged, scores[0], np.nan), np.where(is_judged, scores[1], np.nan)


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
    sides = _sides(sources, translations, lang)
    evidence = link_tokens(*sides, words.links)
    counts = ((words.en_tokens, words.en_counts), (words.xx_tokens, words.xx_counts))
    usual = [count_evidence(*own, *rest) for own, rest in zip(counts, zip(sides, evidence, strict=True), strict=True)]
    judge = Judge(words.links, *usual)
    random = _random_pairs(judge, *sides)
    if random is None:
        return None
    length, ratio = _lengths(sources, translations)
    own_ratio, is_counted = _usual(ratio, length), np.ones(len(sources), np.bool_)
    missing = _missing_part(judge, sides, is_counted, own_ratio.standardize(ratio, length))
    return TranslationJudge(lang, judge, random, own_ratio, _usual(missing, length))


def _sides(sources: Sequence[str], translations: Sequence[str], lang: str) -> tuple[Side, Side]:
    texts = [pa.array(list(own), pa.string()) for own in (sources, translations)]
    return side_of(tokenize(texts[0], "en")), side_of(tokenize(texts[1], lang))


def _lengths(sources: Sequence[str], translations: Sequence[str]) -> tuple[Array, Array]:
    """Return the logarithms of the lengths of sources, and of the ratios of the lengths of both."""
    length, others = (np.log([1.0 + len(text) for text in own]) for own in (sources, translations))
    return length, others - length


def _missing_part(judge: Judge, sides: tuple[Side, Side], is_counted: Array, ratio: Array) -> Array:
    """Return how much of each source has no counterpart: by its words, and by the length of its translation."""
    evidence, _ = link_tokens(*sides, judge.links)
    return longest_shortfall(judge.en, sides[0], evidence, is_counted) + np.maximum(0, -ratio)


def _bands(length: Array) -> list[Array]:
    """Return rows in bands of like length, the shortest first."""
    return np.array_split(np.argsort(length, kind="stable"), max(1, len(length) // BAND_PAIRS))


def _random_pairs(judge: Judge, en: Side, xx: Side) -> LengthBands | None:
    """Return the alignments of random pairs by length; None if there are too few."""
    aligned, length = judge.align_random(en, xx, np.arange(len(en.ends) - 1))
    aligned, length = aligned[length >= MIN_TOKENS], length[length >= MIN_TOKENS]
    return cut_bands(aligned, length, len(aligned) // BAND_PAIRS) if len(aligned) >= MIN_RANDOM_PAIRS else None


def _usual(values: Array, length: Array) -> _Usual:
    """Return median and spread of values in bands of length."""
    bands = _bands(length)
    medians = np.array([np.median(values[band]) for band in bands])
    spreads = [np.median(np.abs(values[band] - own)) for band, own in zip(bands, medians, strict=True)]
    centers = np.array([np.median(length[band]) for band in bands])
    return _Usual(centers, medians, np.maximum(MIN_SPREAD, DEVIATION * np.array(spreads)))
