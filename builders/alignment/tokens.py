"""Cut texts into tokens that are alike in related words: the first letters of a word, or single characters.

A token is a hash of 32 bits. Its lowest bit says whether it may be the same word on both sides (a name, a number).
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from builders.alignment.characters import (
    IS_ARABIC,
    IS_DIGIT,
    IS_OPTIONAL,
    IS_SINGLE,
    IS_UNSPACED,
    NUM_CODE_POINTS,
    character_table,
    keeps_accents,
)
from corpora.compiled import compiled

STEM_LETTERS = 4  # that a token has of a word, in Arabic after the article; related words share them
ALEF, LAM, WAW, BEH, KAF, FEH = (ord(letter) for letter in "الوبكف")
POINT_MASK = (1 << 21) - 1
OFFSET, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # of the hash FNV-1a
MAX_WORD_LETTERS = 64

Array = NDArray[Any]


def tokenize(texts: pa.StringArray, lang: str) -> pa.ListArray:
    """Return the tokens of each text of a language, as lists of uint32."""
    texts = texts.fill_null("") if texts.null_count else texts
    _, offsets, data = texts.buffers()
    text = np.frombuffer(data or b"", np.uint8)
    ends = np.frombuffer(offsets, np.int32)
    for array in (text, ends):
        array.flags.writeable = False  # one type, so that functions are compiled once
    ends = ends[texts.offset : texts.offset + len(texts) + 1]
    tokens = np.empty(int(ends[-1] - ends[0]) + 1, np.uint32)
    token_ends = np.zeros(len(texts) + 1, np.int32)
    _tokenize(text, ends, character_table(keeps_accents(lang)), tokens, token_ends)
    return pa.ListArray.from_arrays(pa.array(token_ends), pa.array(tokens[: token_ends[-1]]))


def words_of(text: str, lang: str) -> list[tuple[str, int]]:
    """Return the words of a text as they are written, each with its token; slow, for people to read."""
    table, words, start = character_table(keeps_accents(lang)), [], 0
    for position in range(len(text) + 1):
        if position == len(text) or not _is_kept(text[position], table):
            words += _word_tokens(text[start:position], lang) if start < position else []
            start = position + 1
    return words


def _is_kept(character: str, table: Array) -> bool:
    return ord(character) < NUM_CODE_POINTS and bool(table[ord(character)])


def _word_tokens(word: str, lang: str) -> list[tuple[str, int]]:
    """Return the tokens of a run of letters, with what of it they stand for."""
    tokens = tokenize(pa.array([word]), lang)[0].as_py()
    if len(tokens) == len(word):
        return list(zip(word, tokens, strict=True))
    return [(word, token) for token in tokens]


@compiled
def _tokenize(text, ends, table, tokens, token_ends):  # type: ignore[no-untyped-def]
    """Write the tokens of each text, and where those of each end."""
    word = np.empty(MAX_WORD_LETTERS, np.uint32)
    count = 0
    for row in range(ends.size - 1):
        position, end = ends[row], ends[row + 1]
        length = 0
        while position < end:
            point, position = _next_point(text, position, end)
            entry = table[point] if point < table.size else np.uint32(0)
            if entry & IS_OPTIONAL:
                continue
            if entry == 0 or entry & IS_SINGLE:
                count = _add_word(word, length, tokens, count)
                length = 0
            if entry & IS_SINGLE:
                word[0] = entry
                count = _add_word(word, 1, tokens, count)
            elif entry and length < MAX_WORD_LETTERS:
                word[length] = entry
                length += 1
        count = _add_word(word, length, tokens, count)
        token_ends[row + 1] = count


@compiled
def _next_point(text, position, end):  # type: ignore[no-untyped-def]
    """Return the code point at a position of UTF-8, and the position after it."""
    byte = np.uint32(text[position])
    position += 1
    if byte >= 0x80:
        byte &= np.uint32(0x1F if byte < 0xE0 else 0x0F if byte < 0xF0 else 0x07)
        while position < end and text[position] & 0xC0 == 0x80:
            byte = (byte << np.uint32(6)) | np.uint32(text[position] & 0x3F)
            position += 1
    return byte, position


@compiled
def _add_word(word, length, tokens, count):  # type: ignore[no-untyped-def]
    """Write the token of a word (several, where words are not separated), and return the number of tokens."""
    if length == 0:
        return count
    if word[0] & IS_UNSPACED and length > 1:
        for start in range(length - 1):
            tokens[count] = _hash(word, start, start + 2)
            count += 1
        return count
    begin = _article(word, length) if word[0] & IS_ARABIC else 0
    tokens[count] = _hash(word, begin, min(length, begin + STEM_LETTERS))
    return count + 1


@compiled
def _article(word, length):  # type: ignore[no-untyped-def]
    """Return where an Arabic word begins after its article, alone or after one of its prefixes."""
    if length < 4:
        return 0
    first, second, third = word[0] & POINT_MASK, word[1] & POINT_MASK, word[2] & POINT_MASK
    if second == LAM and first in (ALEF, LAM):
        return 2
    has_prefix = first in (WAW, BEH, KAF, FEH)
    return 3 if has_prefix and length > 4 and second == ALEF and third == LAM else 0


@compiled
def _hash(word, begin, end):  # type: ignore[no-untyped-def]
    """Return the token of some letters: 31 bits of a hash, and whether it may be the same word on both sides."""
    value = OFFSET
    for index in range(begin, end):
        value = (value ^ np.uint64(word[index] & np.uint32(POINT_MASK))) * PRIME
    value ^= value >> np.uint64(32)
    value *= np.uint64(0x9E3779B97F4A7C15)
    is_name = end - begin > 1 or word[begin] & IS_DIGIT
    return np.uint32((value >> np.uint64(33)) << np.uint64(1)) | np.uint32(1 if is_name else 0)
