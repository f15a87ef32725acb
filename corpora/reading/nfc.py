"""Unicode's normal form C, for one text or for columns of texts: most lines are in it, and one search finds those that
may not be.

Python sorts marks in a row by insertion, in the square of their number: a line of a million would take an hour. Where
many follow each other they are put in order beforehand, which does not change what their normal form is.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, partial

import pyarrow as pa
import pyarrow.compute as pc

NFC = partial(unicodedata.normalize, "NFC")
NFD = partial(unicodedata.normalize, "NFD")
CROWD = 31  # marks in a row: more than any writing needs (UAX #15, Stream-Safe Text Format)
LAST = 0x30000  # no character behind the two ideographic planes has a decomposition or combines
# Hangul composes by arithmetic, not by table: leads and syllables, then vowels and finals.
HANGUL_FIRSTS = (*range(0x1100, 0x1113), *range(0xAC00, 0xD7A4))
HANGUL_SECONDS = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))


def normalize_column(texts: pa.Array) -> pa.Array:
    """The same strings in NFC, by Python's version of Unicode; nulls are not allowed."""
    suspects = pc.match_substring_regex(texts, _suspect())
    if not pc.any(suspects, min_count=0).as_py():
        return texts
    normal = [nfc(text) for text in texts.filter(suspects).to_pylist()]
    return pc.replace_with_mask(texts, suspects, pa.array(normal, pa.string()))


def nfc(text: str) -> str:
    """The text in NFC, word by word: a space never composes, and Python passes over a word in NFC six times faster."""
    if text.isascii():
        return text
    ordered = _crowds().sub(lambda marks: _in_order(marks[0]), text)
    return " ".join(map(NFC, ordered.split(" ")))


def _in_order(marks: str) -> str:
    """Marks taken apart and put in the order of their classes, those of one class as they stand."""
    apart = "".join(NFD(marks[place : place + CROWD]) for place in range(0, len(marks), CROWD))
    return "".join(sorted(apart, key=unicodedata.combining))


@cache
def _crowds() -> re.Pattern[str]:
    """A pattern of many marks in a row, characters included that are no marks but fall apart into some."""
    marks = {code for code in range(0xA0, LAST) if unicodedata.combining(NFD(chr(code))[0])}
    return re.compile(_one_of(marks, r"\U{:08x}") + f"{{{CROWD},}}")


@cache
def _suspect() -> str:
    """A pattern found in every text that is not in NFC, and in few others (after the quick check of UAX #15).

    It finds characters that are never in NFC, marks in a row, whose order may be wrong, and a character that
    composes with some mark, or has one in it, before a mark that composes with some character.
    """
    assigned = [chr(code) for code in range(0xA0, LAST) if not 0xD800 <= code < 0xE000]
    never = {ord(char) for char in assigned if not unicodedata.is_normalized("NFC", char)}
    marks = {ord(char) for char in assigned if unicodedata.combining(char)}
    composed = [char for char in assigned if ord(char) not in never and _is_composed(char)]
    pairs = [unicodedata.decomposition(char).split() for char in composed]
    firsts = {int(first, 16) for first, _ in pairs} | {ord(char) for char in composed} | {*HANGUL_FIRSTS}
    seconds = {int(second, 16) for _, second in pairs} | {*HANGUL_SECONDS}
    return f"{_one_of(never)}|{_one_of(marks)}{_one_of(marks)}|{_one_of(firsts)}{_one_of(seconds)}"


def _is_composed(char: str) -> bool:
    """Whether a character is canonically two others (a compatibility decomposition begins with `<`)."""
    return " " in unicodedata.decomposition(char) and not unicodedata.decomposition(char).startswith("<")


def _one_of(codes: Iterable[int], spelling: str = "\\x{{{:x}}}") -> str:
    """A regular expression's class of the characters with these codes, spelt as RE2 wants them."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"{spelling.format(first)}-{spelling.format(last)}" for first, last in ranges) + "]"
