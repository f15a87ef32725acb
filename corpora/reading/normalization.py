"""Unicode's normal form C for texts and columns; one search finds the few texts that may not be in it already.

Python sorts consecutive marks by insertion, in quadratic time: a line of a million would take an hour. Where many
marks follow each other they are sorted beforehand, which does not change the normal form.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, partial

import pyarrow as pa
import pyarrow.compute as pc

NFC = partial(unicodedata.normalize, "NFC")
NFD = partial(unicodedata.normalize, "NFD")
MAX_MARKS = 31  # consecutive marks: more than any script needs (UAX #15, Stream-Safe Text Format)
MAX_CODE_POINT = 0x30000  # no character behind the two ideographic planes has a decomposition or combines
# Hangul composes by arithmetic, not by table: leads and syllables, then vowels and finals.
HANGUL_FIRSTS = (*range(0x1100, 0x1113), *range(0xAC00, 0xD7A4))
HANGUL_SECONDS = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))


def normalize_column(texts: pa.Array) -> pa.Array:
    """Return the same strings in NFC, by Python's version of Unicode; nulls are not allowed."""
    suspects = pc.match_substring_regex(texts, _suspect())
    if not pc.any(suspects, min_count=0).as_py():
        return texts
    normal = [nfc(text) for text in texts.filter(suspects).to_pylist()]
    return pc.replace_with_mask(texts, suspects, pa.array(normal, pa.string()))


def nfc(text: str) -> str:
    """Return a text in NFC, word by word: a space never composes, and Python skips a word in NFC six times faster."""
    if text.isascii():
        return text
    ordered = _many_marks().sub(lambda marks: _sort_marks(marks[0]), text)
    return " ".join(map(NFC, ordered.split(" ")))


def _sort_marks(marks: str) -> str:
    """Return marks decomposed and sorted by their classes; those of one class keep their order."""
    apart = "".join(NFD(marks[start : start + MAX_MARKS]) for start in range(0, len(marks), MAX_MARKS))
    return "".join(sorted(apart, key=unicodedata.combining))


@cache
def _many_marks() -> re.Pattern[str]:
    """Return a pattern of many consecutive marks, including other characters that decompose into marks."""
    marks = {code for code in range(0xA0, MAX_CODE_POINT) if unicodedata.combining(NFD(chr(code))[0])}
    return re.compile(_one_of(marks, r"\U{:08x}") + f"{{{MAX_MARKS},}}")


@cache
def _suspect() -> str:
    """Return a pattern that matches every text that is not in NFC, and few others (after the quick check of UAX #15).

    It matches characters that are never in NFC, consecutive marks, whose order may be wrong, and a character that
    composes with some mark, or contains one, before a mark that composes with some character.
    """
    assigned = [chr(code) for code in range(0xA0, MAX_CODE_POINT) if not 0xD800 <= code < 0xE000]
    never = {ord(char) for char in assigned if not unicodedata.is_normalized("NFC", char)}
    marks = {ord(char) for char in assigned if unicodedata.combining(char)}
    composed = [char for char in assigned if ord(char) not in never and _is_composed(char)]
    pairs = [unicodedata.decomposition(char).split() for char in composed]
    firsts = {int(first, 16) for first, _ in pairs} | {ord(char) for char in composed} | {*HANGUL_FIRSTS}
    seconds = {int(second, 16) for _, second in pairs} | {*HANGUL_SECONDS}
    return f"{_one_of(never)}|{_one_of(marks)}{_one_of(marks)}|{_one_of(firsts)}{_one_of(seconds)}"


def _is_composed(char: str) -> bool:
    """Return whether a character is canonically two others (a compatibility decomposition begins with `<`)."""
    return " " in unicodedata.decomposition(char) and not unicodedata.decomposition(char).startswith("<")


def _one_of(codes: Iterable[int], template: str = "\\x{{{:x}}}") -> str:
    """Return a character class of these code points for RE2."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"{template.format(first)}-{template.format(last)}" for first, last in ranges) + "]"
