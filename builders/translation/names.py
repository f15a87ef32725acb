"""Whether a translation in another script has a name in Latin letters that its source lacks, in the place of one."""

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from corpora.catalog import language

MIN_NAME_LETTERS = 4
SAME_BEGINNING = 3  # letters by which two names may be forms of one
MIN_SIMILARITY = 0.6
PLAIN_LETTERS = str.maketrans("ıđøł", "idol")  # which have no accent that could be taken off
WORD = re.compile(r"[^\W\d_]+")
LATIN_NAME = re.compile(r"[A-Z\u00c0-\u00de][a-z\u00df-\u024f]+")


def contradicts_names(source: str, translation: str, lang: str) -> bool:
    """Return whether a translation has a Latin name that its source lacks, and lacks one that the source has.

    Only for languages of other scripts: languages of Latin script translate names of places, and write them as names.
    """
    if "Latin" in language(lang).script:
        return False
    ours, theirs = (fold(WORD.findall(text)) for text in (source, translation))
    others = [name for name in _names(translation) if not _is_like_any(name, ours)]
    return bool(others) and any(not _is_like_any(name, theirs) for name in _names(source))


def _names(text: str) -> list[str]:
    return fold([word for word in LATIN_NAME.findall(text) if len(word) >= MIN_NAME_LETTERS])


def fold(words: Sequence[str]) -> list[str]:
    """Return words in small letters without accents."""
    decomposed = (unicodedata.normalize("NFD", word.casefold().translate(PLAIN_LETTERS)) for word in words)
    return ["".join(c for c in word if not unicodedata.combining(c)) for word in decomposed]


def _is_like_any(name: str, words: Sequence[str]) -> bool:
    return any(
        name[:SAME_BEGINNING] == word[:SAME_BEGINNING] or SequenceMatcher(None, name, word).ratio() >= MIN_SIMILARITY
        for word in words
    )
