"""What each character becomes in a token: a table for compiled code.

The table has an entry of 32 bits for each code point: bits 0 to 20 are the code point as tokens have it (case folded,
digits as ASCII digits, optional accents left out), or 0 if it is no letter, mark or digit; the others are the classes
below. Optional accents are those of English and French, and the marks of Greek, Arabic and Hebrew, which texts have or
not.
"""

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

NUM_CODE_POINTS = 0x33480  # all letters; private use and unassigned planes are none
IS_DIGIT, IS_SINGLE, IS_UNSPACED, IS_ARABIC, IS_OPTIONAL = (1 << bit for bit in range(21, 26))
OPTIONAL_ACCENTS = ("en", "fr")  # languages whose Latin letters are compared without accents
SINGLE = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA")  # each character is a token
UNSPACED = ("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")  # words are not separated: each two characters are a token
MARKED = ("GREEK", "ARABIC", "HEBREW")
SAME_LETTER = {"ى": "ي", "ة": "ه", "ـ": "", "ς": "σ"}


@lru_cache(maxsize=2)
def character_table(has_accents: bool) -> NDArray[np.uint32]:
    """Return the entries of all code points, for texts whose Latin letters keep their accents or lose them."""
    table = np.zeros(NUM_CODE_POINTS, np.uint32)
    for point in range(NUM_CODE_POINTS):
        character = chr(point)
        if unicodedata.category(character)[0] in "LMN":
            table[point] = _entry(character, has_accents)
    table.flags.writeable = False
    return table


def keeps_accents(lang: str) -> bool:
    """Return whether accents tell words of a language apart."""
    return lang not in OPTIONAL_ACCENTS


def _entry(character: str, has_accents: bool) -> int:
    name = unicodedata.name(character, "")
    if name.startswith(SINGLE):
        return ord(unicodedata.normalize("NFKC", character)[0]) | IS_SINGLE
    kind = IS_UNSPACED if name.startswith(UNSPACED) else IS_ARABIC if name.startswith("ARABIC") else 0
    if character.isdecimal():
        return ord(str(unicodedata.decimal(character))) | IS_DIGIT
    is_mark = unicodedata.category(character).startswith("M")
    if is_mark and (name.startswith((*MARKED, "COMBINING")) and (kind or not has_accents or "ARABIC" in name)):
        return IS_OPTIONAL
    text = unicodedata.normalize("NFKC", character).casefold()
    if name.startswith(MARKED) or (not has_accents and name.startswith("LATIN")):
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    text = SAME_LETTER.get(text, text)
    letters = [c for c in text if unicodedata.category(c)[0] in "LMN"]
    return ord(letters[0]) | kind if letters else IS_OPTIONAL
