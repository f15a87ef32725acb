"""Predict the labels of texts with compiled code that does not hold the interpreter lock, and remembers words.

The labels and probabilities are fastText's own to the last bit, about twenty times as fast. Embeddings are laid out as
sums need them, n-grams are looked up in flat tables, and a `WordCache` has the rows of embeddings of words, since a few
thousand words are most of any text. What fastText computes, and in which order (sums of floating-point numbers depend
on it), is from its v0.9.2. All functions are in this file: Numba notices changes of the file that it compiles only.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from corpora.compiled import compiled
from corpora.language_id.fasttext_file import DIMENSIONS, FNV_BASIS, FNV_PRIME, MAX_NGRAM, MIN_NGRAM

LOG_EPSILON = 1e-5  # fastText adds it before it takes a logarithm
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
            if _is_space(text[position]):
                position += 1
                continue
            begin = position
            position, value, num_blocks = _end_of_word(text, blocks, position, stop)
            first = 2 * (np.int64(value >> np.uint64(32)) & last_set)
            entry = _find_entry(cache, first, blocks, begin, position, num_blocks) if num_blocks else -1
            if entry >= 0:
                num = np.int64(cache.words[entry, MAX_BLOCKS] & np.uint64(0xFF))
                for i in range(num):
                    _add_row(hidden, model.embeddings, cache.rows[entry, i])
                count += num
                continue
            num = _find_rows(model, text, begin, position, word, rows)
            if num < 0:  # </s> ends the line, wherever it is
                break
            for i in range(num):
                _add_row(hidden, model.embeddings, rows[i])
            count += num
            if num_blocks and num <= MAX_ROWS:
                _keep(cache, first, blocks, begin, position, num_blocks, rows, num)
        _add_row(hidden, model.embeddings, 0)
        hidden *= np.float32(1.0 / count)
        labels[n], probabilities[n] = _find_most_probable(model, hidden, stack)


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
        elif length < 8 and not _is_space(text[position + length]):  # a control character inside a word
            num_blocks = MAX_BLOCKS
            length += 1
        num_blocks += 1
        value = (value ^ _first_bytes(block, length)) * MULTIPLIER
        value ^= value >> np.uint64(32)
        position += length
        if position >= stop or _is_space(text[position]):
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
        value = _fnv1a_step(value, word[i])
    word_index = _find_word(model, word, length, value)
    if word_index == 0:
        return -1
    count = 0
    if word_index > 0:
        rows[0] = word_index
        count = 1
    elif _is_label(word, length):
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
            value = _fnv1a_step(value, word[end])
            end += 1
            while end < length and word[end] & 0xC0 == 0x80:
                value = _fnv1a_step(value, word[end])
                end += 1
            if size >= MIN_NGRAM:
                bucket = np.uint32(value % buckets)
                if model.is_kept[bucket >> np.uint32(3)] >> (bucket & np.uint32(7)) & 1:
                    rows[count] = model.ngram_rows[bucket]
                    count += 1
    return count


@njit(nogil=True)
def _is_space(byte):  # type: ignore[no-untyped-def]
    """Return whether fastText takes a byte for white space."""
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@njit(nogil=True)
def _fnv1a_step(value, byte):  # type: ignore[no-untyped-def]
    """Return the FNV-1a hash after one more byte; fastText's bytes have a sign."""
    return np.uint32((value ^ np.uint32(np.int32(np.int8(byte)))) * FNV_PRIME)


def _add_vectors(_, hidden, embeddings, row):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vectors = ir.VectorType(ir.FloatType(), DIMENSIONS).as_pointer()
        sums, table = (
            builder.bitcast(make_array(kind)(context, builder, value).data, vectors)
            for kind, value in zip(signature.args[:2], arguments[:2], strict=True)
        )
        values = builder.load(builder.gep(table, [arguments[2]]), align=4)
        builder.store(builder.fadd(builder.load(sums, align=4), values), sums, align=4)
        return context.get_dummy_value()

    return types.void(hidden, embeddings, types.intp), generate


# _add_row(hidden, embeddings, row): one addition of vectors, where Numba would compile one for each column
_add_row: Any = intrinsic(_add_vectors)


@njit(nogil=True)
def _find_word(model, word, length, value):  # type: ignore[no-untyped-def]
    """Return the index of the word in `word[1:length]`, or -1."""
    slot = value % np.uint32(model.word_slots.size)
    while model.word_slots[slot] >= 0:
        word_index = model.word_slots[slot]
        begin = model.word_ends[word_index]
        if model.word_hashes[word_index] == value and model.word_ends[word_index + 1] - begin == length - 1:
            same = 0
            while same < length - 1 and model.letters[begin + same] == word[same + 1]:
                same += 1
            if same == length - 1:
                return word_index
        slot = (slot + np.uint32(1)) % np.uint32(model.word_slots.size)
    return np.int32(-1)


@njit(nogil=True)
def _is_label(word, length):  # type: ignore[no-untyped-def]
    """Return whether fastText takes the word in `word[1:length]` for a label."""
    prefix = (95, 95, 108, 97, 98, 101, 108, 95, 95)  # __label__
    same = 0
    while same < min(len(prefix), length - 1) and word[same + 1] == prefix[same]:
        same += 1
    return same == len(prefix)


@njit(nogil=True)
def _find_most_probable(model, hidden, stack):  # type: ignore[no-untyped-def]
    """Search the tree, left before right, without branches that are less probable than the best label so far.

    `stack` has a row for each open branch: its node, the score of its parent, its share, and the product of the shares
    on the way to it. A score is the sum of their logarithms, in single precision as fastText has it; the product spares
    the logarithm of branches that are less probable by more than rounding.
    """
    labels = model.outputs.shape[0]
    best = np.float32(math.log(LOG_EPSILON))  # a threshold of 0
    best_product = LOG_EPSILON
    label = np.int32(0)
    stack[0, :] = (2 * labels - 2, 0, 1, 1)
    num_open = 1
    while num_open:
        num_open -= 1
        product = stack[num_open, 3]
        if product < 0.99 * best_product:
            continue
        node = np.int32(stack[num_open, 0])
        score = np.float32(stack[num_open, 1]) + np.float32(math.log(stack[num_open, 2]))
        if score < best:
            continue
        if model.left[node] < 0:
            best, best_product, label = score, product, node
            continue
        dot = np.float32(0)
        for column in range(DIMENSIONS):
            dot += hidden[column] * model.outputs[node - labels, column]
        share = np.float32(1) / (np.float32(1) + np.float32(math.exp(np.float32(-dot))))
        for child, own in ((model.right[node], share), (model.left[node], np.float32(1) - share)):
            stack[num_open, 0] = child
            stack[num_open, 1] = score
            stack[num_open, 2] = np.float64(own) + LOG_EPSILON
            stack[num_open, 3] = product * stack[num_open, 2]
            num_open += 1
    return label, np.float32(math.exp(best))
