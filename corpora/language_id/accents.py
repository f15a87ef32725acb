"""Write texts without the marks that one writer sets and another leaves out: accents, tone marks, vowel marks.

So texts compare equal that differ only in them: Greek without accents, Arabic and Hebrew with and without vowel marks,
Vietnamese with tone marks in the old and the new places. Marks that no writer leaves out stay: vowel signs of Hindi or
Thai, and the marks of kana. SQL and compiled code read the same table of letters.
"""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACCENTS_VERSION = 1  # of what a text becomes
TABLE_SIZE = 0x2000  # code points below it may have or be marks
DROPPED = 0xFFFF  # of a mark, in the table
MARKS = (  # first and last: combining marks of Latin, Greek and Cyrillic, of Hebrew, and of Arabic
    *((0x300, 0x36F), (0x483, 0x487), (0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C4, 0x5C5), (0x5C7, 0x5C7)),
    *((0x610, 0x61A), (0x64B, 0x65F), (0x670, 0x670), (0x6D6, 0x6DC), (0x6DF, 0x6E4), (0x6E7, 0x6E8), (0x6EA, 0x6ED)),
    *((0x8CA, 0x8E1), (0x8E3, 0x8FF), (0x1DC0, 0x1DFF)),
)
# Letters that keyboards and habits exchange, though Unicode does not take them apart.
SAME_LETTERS = {"đ": "d", "ı": "i", "ł": "l", "ø": "o", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"}


@cache
def plain_letters() -> dict[str, str]:
    """Return each small letter that is written with a mark, with the letter that it is without."""
    decomposed = {chr(point): unicodedata.normalize("NFD", chr(point)) for point in range(0xC0, TABLE_SIZE)}
    own = {letter: parts[0] for letter, parts in decomposed.items() if len(parts) > 1 and all(map(_is_mark, parts[1:]))}
    known = {
        letter: SAME_LETTERS.get(plain, plain)
        for letter, plain in own.items()
        if letter == letter.lower() and not _is_mark(letter)
    }
    return known | SAME_LETTERS


def _is_mark(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in MARKS)


@cache
def plain_letter_table() -> "NDArray[Any]":
    """Return what each code point below TABLE_SIZE becomes: itself, the letter without its mark, or DROPPED."""
    import numpy as np

    table = np.arange(TABLE_SIZE, dtype=np.uint16)
    for letter, plain in plain_letters().items():
        table[ord(letter)] = ord(plain)
    for first, last in MARKS:
        table[first : last + 1] = DROPPED
    return table


def without_accents(text: str) -> str:
    """Return a text in small letters without its marks."""
    return text.translate(_translation())


@cache
def _translation() -> dict[int, str | None]:
    marks = {point: None for first, last in MARKS for point in range(first, last + 1)}
    return {**{ord(letter): plain for letter, plain in plain_letters().items()}, **marks}


@cache
def without_accents_macro() -> str:
    """Return the macro `without_accents(text)` of DuckDB, which does the same."""
    letters = plain_letters()
    latin = "".join(letter for letter in letters if "a" <= letters[letter] <= "\u024f")
    others = "".join(letter for letter in letters if letter not in latin)
    plain = {known: "".join(map(letters.__getitem__, known)) for known in (latin, others, others + latin)}
    marks = "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in MARKS)
    # `translate` reads its lists again for each text: ASCII needs none, and other scripts not the letters of Latin.
    return f"""
        create macro without_accents(text) as if(strlen(text) = length(text), text, regexp_replace(
            if(
                regexp_matches(text, '[{latin}]'),
                translate(text, '{others + latin}', '{plain[others + latin]}'),
                translate(text, '{others}', '{plain[others]}')
            ),
            '[{marks}]+', '', 'g'
        ));
    """
