"""Whether a translation keeps the numbers of its source, is written in its script, and leaves no words in English."""

import re
import unicodedata
from collections.abc import Sequence

import polars as pl

from corpora.catalog import language

NUMBER = re.compile(r"\d(?:[.,٬٫'’\u00a0\u202f]?\d|[ ](?=\d{3}(?!\d)))*")
# Numbers that a translation may convert: imperial units, times of twelve hours, centuries, large numbers in words.
CONVERTED = re.compile(
    r"\d[\d.,:¼½¾]*(?:\s*(?:-|–|to|and|or|by|x)\s*\d[\d.,:¼½¾]*)*[\s-]*(?:feet|foot|ft|miles?|mi|mph|yards?|yds?|"
    r"inch(?:es)?|in\.|pounds?|lbs?|ounces?|oz|acres?|gallons?|cups?|°\s?F|degrees|fahrenheit|[ap]\.?m\b\.?|hundred|"
    r"thousand|million|billion|trillion|dozen)(?![^\W\d_])|\d*00'?s(?![^\W\d_])",
    re.IGNORECASE,
)
MIN_DIGITS = 2  # of a number that is compared
ENGLISH_WORDS = re.compile(r"\b(?:the|and|which|with|from|that|this|were|have|has|been|their|for|into)\b")
WORD = re.compile(r"[^\W\d_]+")
MIN_WORD_LETTERS = 3  # of a word of the source that counts as left in English


def contradicts_numbers(source: str, translation: str) -> bool:
    """Return whether each text has a number of at least two digits that the other lacks in any spelling.

    A number of the source that translations convert may be missing in the translation, but no other one.
    """
    ours, theirs = (_numbers(text) for text in (source, translation))
    return _has_other(theirs, ours) and _has_other(_numbers(CONVERTED.sub(" ", source)), theirs)


def _numbers(text: str) -> list[str]:
    """Return the numbers of a text in ASCII digits, without separators."""
    digits = ["".join(str(unicodedata.decimal(c)) for c in number if c.isdecimal()) for number in NUMBER.findall(text)]
    return [number for number in digits if len(number) >= MIN_DIGITS]


def _has_other(numbers: list[str], others: list[str]) -> bool:
    return any(not any(_are_alike(number, other) for other in others) for number in numbers)


def _are_alike(first: str, second: str) -> bool:
    """Return whether two numbers may be the same: 15 (million) and 15,000,000; 90 and 1990; 10.50 and 10.5."""
    short, long = sorted((first, second), key=len)
    return first.strip("0") == second.strip("0") or (len(short) == MIN_DIGITS and long.endswith(short))


def count_leftover_english(source: str, translation: str, lang: str) -> tuple[int, int]:
    """Return how many words of a translation are left in English, and how many words it has, as many as in English.

    These are words of the source in small letters. Latin scripts share some of them, so at least one has to be a
    function word of English there.
    """
    in_source = {word for word in WORD.findall(source) if word.islower() and len(word) >= MIN_WORD_LETTERS}
    left = [word for word in re.findall(r"[a-z]+", translation) if word in in_source]
    if "Latin" in language(lang).script and not ENGLISH_WORDS.search(" ".join(left)):
        return 0, 1
    return len(left), max(len(WORD.findall(translation)), int(len(translation) / language(lang).ratio / 6))


def script_shares(texts: Sequence[str], lang: str) -> list[float]:
    """Return the share of the letters of texts in the script of a language, Latin ones in other scripts aside."""
    scripts = language(lang).script
    own = "".join(rf"\p{{{script}}}" for script in scripts)
    letters = r"\pL" if "Latin" in scripts else r"[\pL--\p{Latin}]"
    column = pl.Series(texts, dtype=pl.String)
    counts = [column.str.count_matches(pattern) for pattern in (rf"[\pL&&[{own}]]", letters)]
    return [own / every if every else 1.0 for own, every in zip(*(count.to_list() for count in counts), strict=True)]
