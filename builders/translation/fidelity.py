"""Whether a translation is written in the script of its language, and leaves no words in English."""

import re
from collections.abc import Iterator, Sequence

import polars as pl

from corpora.catalog import language

ENGLISH_WORDS = re.compile(r"\b(?:the|and|which|with|from|that|this|were|have|has|been|their|for|into)\b")
WORD = re.compile(r"[^\W\d_]+")
LATIN_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
PHRASE_WORDS = 4  # in a row of the source that are left in English
IN_BRACKETS = re.compile(r"[(（]([^()（）]+)[)）]")
QUOTED = re.compile(r"[\"'“‘«]([^\"“”‘«»]+?)[\"'”’»](?!\w)")
MAX_QUOTED = 0.5  # of a source: more are a sentence that was to be translated
MIN_WORD_LETTERS = 3  # of a word of the source that counts as left in English


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


def without_glosses(source: str, translation: str) -> str:
    """Return a translation without names in brackets as the source writes them: `奥尔登 (Alden)`."""
    return IN_BRACKETS.sub(lambda match: "" if match[1] in source else match[0], translation)


def without_quotations(source: str, translation: str) -> tuple[str, str]:
    """Return both texts without what the source has in quotation marks, and the translation leaves as it is."""
    kept = {text for text in QUOTED.findall(source) if text in translation}
    if sum(map(len, kept)) > MAX_QUOTED * len(source):
        return source, translation
    for text in sorted(kept, key=len, reverse=True):
        source, translation = source.replace(text, ""), translation.replace(text, "")
    return source, translation


def keeps_phrase(source: str, translation: str) -> bool:
    """Return whether a translation has words in a row of its source, most in small letters: no name or title."""
    phrases = set(_phrases(source))
    return bool(phrases) and any(phrase in phrases for phrase in _phrases(translation))


def _phrases(text: str) -> Iterator[tuple[str, ...]]:
    words = LATIN_WORD.findall(text)
    for start in range(len(words) - PHRASE_WORDS + 1):
        phrase = tuple(words[start : start + PHRASE_WORDS])
        if sum(map(str.islower, phrase)) >= PHRASE_WORDS - 1:
            yield phrase


def script_shares(texts: Sequence[str], lang: str) -> list[float]:
    """Return the share of the letters of texts in the script of a language, Latin ones in other scripts aside."""
    scripts = language(lang).script
    own = "".join(rf"\p{{{script}}}" for script in scripts)
    letters = r"\pL" if "Latin" in scripts else r"[\pL--\p{Latin}]"
    column = pl.Series(texts, dtype=pl.String)
    counts = [column.str.count_matches(pattern) for pattern in (rf"[\pL&&[{own}]]", letters)]
    return [own / every if every else 1.0 for own, every in zip(*(count.to_list() for count in counts), strict=True)]
