"""Predict languages by compiled code that remembers the n-grams of words.

fastText looks up the n-grams of each word anew, but a few thousand words are most of any text. A `WordCache` has the
rows of the embeddings that belong to a word. Sums keep fastText's order, so labels and probabilities stay equal to the
last bit.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from corpora.language_id.fasttext_compiled import (
    DIMENSIONS,
    FNV_BASIS,
    MAX_NGRAM,
    MIN_NGRAM,
    add_row,
    compiled,
    find_most_probable,
    find_word,
    fnv1a_step,
    is_label,
    is_space,
)

NUM_SETS = 1 << 15  # of two words: 6 MiB; each thread has a cache of its own
MAX_BLOCKS = 7  # of eight bytes; longer words are not kept
MAX_ROWS = 16  # words with more rows are not kept
ONES, HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
FIRST_PRINTABLE = np.uint64(0x2121212121212121)  # smaller bytes are white space or control characters
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class WordCache(NamedTuple):
    """Words and the rows of embeddings that fastText adds for them, in sets of two; a word replaces the older one."""

    words: NDArray[np.uint64]  # (words, MAX_BLOCKS + 1): blocks of eight bytes, then num_blocks * 256 + num_rows
    rows: NDArray[np.uint16]  # (words, MAX_ROWS)


def make_cache(num_sets: int = NUM_SETS) -> WordCache:
    """Return an empty cache, of a power of two of sets; it must be used with one model, by one thread at a time."""
    return WordCache(np.zeros((2 * num_sets, MAX_BLOCKS + 1), np.uint64), np.zeros((2 * num_sets, MAX_ROWS), np.uint16))


def read_blocks(text: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a view of a text that has the eight bytes from each byte on, but for the last seven."""
    return np.ndarray(max(0, text.size - 7), np.dtype("<u8"), text, strides=(1,))


@compiled
def predict(model, cache, text, blocks, ends, labels, probabilities):  # type: ignore[no-untyped-def]
    """Write the most probable label and its probability for texts, which end at `ends[n + 1]` of the bytes `text`.

    White space is as fastText has it; a line break counts as white space, and the end of a text as the end of a line.
    `blocks` are those of `read_blocks`; at least eight bytes must follow the last text.
    """
    longest = 0
    for n in range(labels.size):
        longest = max(longest, ends[n + 1] - ends[n])
    word = np.empty(longest + 2, np.uint8)
    rows = np.empty((MAX_NGRAM - MIN_NGRAM + 1) * longest + 16, np.int32)
    last_set = cache.words.shape[0] // 2 - 1
    hidden = np.empty(DIMENSIONS, np.float32)
    stack = np.empty((2 * model.outputs.shape[0], 4), np.float64)
    for n in range(labels.size):
        hidden[:] = 0
        count = np.int64(1)
        position = ends[n]
        stop = ends[n + 1]
        while position < stop:
            if is_space(text[position]):
                position += 1
                continue
            begin = position
            position, value, num_blocks = _end_of_word(text, blocks, position, stop)
            first = 2 * (np.int64(value >> np.uint64(32)) & last_set)
            entry = _find_entry(cache, first, blocks, begin, position, num_blocks) if num_blocks else -1
            if entry >= 0:
                num = np.int64(cache.words[entry, MAX_BLOCKS] & np.uint64(0xFF))
                for i in range(num):
                    add_row(hidden, model.embeddings, cache.rows[entry, i])
                count += num
                continue
            num = _find_rows(model, text, begin, position, word, rows)
            if num < 0:  # </s> ends the line, wherever it is
                break
            for i in range(num):
                add_row(hidden, model.embeddings, rows[i])
            count += num
            if num_blocks and num <= MAX_ROWS:
                _keep(cache, first, blocks, begin, position, num_blocks, rows, num)
        add_row(hidden, model.embeddings, 0)
        hidden *= np.float32(1.0 / count)
        labels[n], probabilities[n] = find_most_probable(model, hidden, stack)


@njit(nogil=True)
def _end_of_word(text, blocks, position, stop):  # type: ignore[no-untyped-def]
    """Return where a word ends, a hash of it, and its number of blocks; none if it cannot be cached."""
    value = np.uint64(0)
    num_blocks = 0
    while True:
        block = blocks[position]
        below = (block - FIRST_PRINTABLE) & ~block & HIGH_BITS  # the lowest bit is that of the first such byte
        length = np.int64(8)
        if below:
            lowest = below & (~below + np.uint64(1))
            length = np.int64((((lowest - np.uint64(1)) & ONES) * ONES) >> np.uint64(56)) - 1
        if position + length >= stop:
            length = stop - position
        elif length < 8 and not is_space(text[position + length]):  # a control character inside a word
            num_blocks = MAX_BLOCKS
            length += 1
        num_blocks += 1
        value = (value ^ _first_bytes(block, length)) * MULTIPLIER
        value ^= value >> np.uint64(32)
        position += length
        if position >= stop or is_space(text[position]):
            return position, value * MULTIPLIER, num_blocks if num_blocks <= MAX_BLOCKS else 0


@njit(nogil=True)
def _first_bytes(block, length):  # type: ignore[no-untyped-def]
    """Return the first bytes of a block, and zeros for the others."""
    return block & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)) if length < 8 else block


@njit(nogil=True)
def _find_entry(cache, first, blocks, begin, end, num_blocks):  # type: ignore[no-untyped-def]
    """Return the entry of a word in its set, or -1; no word has zero bytes, so its blocks are unique."""
    for entry in range(first, first + 2):
        if cache.words[entry, MAX_BLOCKS] >> np.uint64(8) == np.uint64(num_blocks):
            i = 0
            while i < num_blocks and cache.words[entry, i] == _first_bytes(blocks[begin + 8 * i], end - begin - 8 * i):
                i += 1
            if i == num_blocks:
                return entry
    return -1


@njit(nogil=True)
def _keep(cache, first, blocks, begin, end, num_blocks, rows, num):  # type: ignore[no-untyped-def]
    """Put a word in the first entry of its set, and the word there in the second one."""
    for i in range(MAX_BLOCKS + 1):
        cache.words[first + 1, i] = cache.words[first, i]
    for i in range(MAX_ROWS):
        cache.rows[first + 1, i] = cache.rows[first, i]
    cache.words[first, MAX_BLOCKS] = np.uint64(num_blocks) << np.uint64(8) | np.uint64(num)
    for i in range(num_blocks):
        cache.words[first, i] = _first_bytes(blocks[begin + 8 * i], end - begin - 8 * i)
    for i in range(num):
        cache.rows[first, i] = rows[i]


@njit(nogil=True)
def _find_rows(model, text, begin, end, word, rows):  # type: ignore[no-untyped-def]
    """Write the rows of a word's embeddings in the order in which fastText adds them; return their number.

    The number is -1 for the end of a line.
    """
    length = end - begin + 1
    value = FNV_BASIS
    for i in range(1, length):
        word[i] = text[begin + i - 1]
        value = fnv1a_step(value, word[i])
    word_index = find_word(model, word, length, value)
    if word_index == 0:
        return -1
    count = 0
    if word_index > 0:
        rows[0] = word_index
        count = 1
    elif is_label(word, length):
        return 0
    word[0] = ord("<")
    word[length] = ord(">")
    return _find_ngrams(model, word, length + 1, rows, count)


@njit(nogil=True)
def _find_ngrams(model, word, length, rows, count):  # type: ignore[no-untyped-def]
    """Write the rows of the character n-grams that the model has from `rows[count]` on; return the new count."""
    buckets = np.uint32(model.ngram_rows.size)
    for begin in range(length):
        if word[begin] & 0xC0 == 0x80:
            continue
        value = FNV_BASIS
        end = begin
        for size in range(1, MAX_NGRAM + 1):
            if end >= length:
                break
            value = fnv1a_step(value, word[end])
            end += 1
            while end < length and word[end] & 0xC0 == 0x80:
                value = fnv1a_step(value, word[end])
                end += 1
            if size >= MIN_NGRAM:
                bucket = np.uint32(value % buckets)
                if model.is_kept[bucket >> np.uint32(3)] >> (bucket & np.uint32(7)) & 1:
                    rows[count] = model.ngram_rows[bucket]
                    count += 1
    return count
