"""Read a quantised fastText model (`.ftz`), and predict with compiled code that does not hold the interpreter lock.

The labels and probabilities are fastText's own to the last bit, about eight times as fast, since the model is laid out
anew: embeddings are kept as sums need them, and n-grams are looked up in flat tables. What fastText computes, and in
which order (sums of floating-point numbers depend on it), is from its v0.9.2: dictionary.cc, quantmatrix.cc, loss.cc.
"""

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAGIC = (793712314, 12)  # of the format, and its version
MIN_NGRAM, MAX_NGRAM = 2, 4  # characters of an n-gram
FNV_BASIS, FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)  # FNV-1a
WORD_SLOTS = 1 << 15  # of the table of words
LOG_EPSILON = 1e-5  # fastText adds it before it takes a logarithm


class Model(NamedTuple):
    """A supervised model with hierarchical softmax: what `predict` reads."""

    embeddings: NDArray[np.float32]  # rows of words, then of n-grams; (rows, dimensions)
    word_slots: NDArray[np.int32]  # slot -> word, or -1; a word's first slot is its hash's last bits
    word_hashes: NDArray[np.uint32]
    word_ends: NDArray[np.int32]  # where each word ends in `letters`, after a zero
    letters: NDArray[np.uint8]
    is_kept: NDArray[np.uint8]  # a bit a bucket of n-grams: whether the quantised model still has it (fits a cache)
    ngram_rows: NDArray[np.int32]  # bucket -> row of `embeddings`
    outputs: NDArray[np.float32]  # (labels - 1 inner nodes, dimensions), padded by a row
    left: NDArray[np.int32]  # node -> its children; leaves, which are the labels, have -1
    right: NDArray[np.int32]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def values(self, types: str) -> tuple[Any, ...]:
        unpacked = struct.unpack_from("<" + types, self.data, self.position)
        self.position += struct.calcsize("<" + types)
        return unpacked

    def array(self, kind: Any, length: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, kind, length, self.position)
        self.position += values.nbytes
        return values

    def entry(self) -> tuple[bytes, int, int]:
        """Return a word or label, its count, and whether it is a label."""
        end = self.data.index(b"\0", self.position)
        text, self.position = self.data[self.position : end], end + 1
        count, is_label = self.values("qb")
        return text, count, is_label

    def codebook(self) -> tuple[NDArray[np.float32], int]:
        """Return the centroids of a product quantizer, (parts, 256, values of a part), and the number of parts."""
        dimensions, parts, width, last = self.values("4i")
        assert width == last, "parts of one width"
        return self.array("<f4", dimensions * 256).reshape(parts, 256, width), parts


def read_model(path: Path) -> tuple[Model, list[str]]:
    """Return a model whose bytes are known to be good, and its labels without their prefix."""
    reader = _Reader(path.read_bytes())
    assert reader.values("2i") == MAGIC
    dimensions, _, _, _, _, word_grams, loss, kind, buckets, shortest, longest, _ = reader.values("12i")
    reader.values("d")
    assert (word_grams, loss, kind, shortest, longest) == (1, 1, 3, MIN_NGRAM, MAX_NGRAM)
    size, words, _, _, pruned = reader.values("3i2q")
    entries = [reader.entry() for _ in range(size)]
    kept = reader.array("<i4", 2 * pruned).reshape(-1, 2)
    assert reader.values("2?") == (True, True), "quantised, norms apart"
    rows, _, length = reader.values("2qi")
    codes = reader.array(np.uint8, length)
    centroids, parts = reader.codebook()
    norm_codes = reader.array(np.uint8, rows)
    norms = reader.codebook()[0].ravel()[norm_codes]
    codes = codes.reshape(rows, parts)
    embeddings = np.concatenate([norms[:, None] * centroids[part][codes[:, part]] for part in range(parts)], axis=1)
    assert reader.values("?") == (False,), "outputs as they are"
    labels, columns = reader.values("2q")
    outputs = reader.array("<f4", labels * columns).reshape(labels, columns)
    assert columns == dimensions == embeddings.shape[1]
    left, right = _tree([count for _, count, is_label in entries if is_label])
    names = [text.decode().removeprefix("__label__") for text, _, is_label in entries if is_label]
    slots, hashes, ends, letters = _word_table([text for text, _, _ in entries[:words]])
    ngram_rows = np.full(buckets, -1, np.int32)
    ngram_rows[kept[:, 0]] = kept[:, 1] + words
    is_kept = np.packbits(ngram_rows >= 0, bitorder="little")
    return Model(embeddings, slots, hashes, ends, letters, is_kept, ngram_rows, outputs, left, right), names


def _word_table(words: Sequence[bytes]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return slots, hashes, ends and letters, as a Model has them."""
    hashes = np.full(len(words), FNV_BASIS, np.uint32)
    slots = np.full(WORD_SLOTS, -1, np.int32)
    for word, text in enumerate(words):
        value = int(FNV_BASIS)
        for byte in text:
            value = (value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * int(FNV_PRIME) & 0xFFFFFFFF
        hashes[word] = value
        slot = value % slots.size
        while slots[slot] >= 0:
            slot = (slot + 1) % slots.size
        slots[slot] = word
    ends = np.cumsum([0, *map(len, words)]).astype(np.int32)
    return slots, hashes, ends, np.frombuffer(b"".join(words), np.uint8)


def _tree(counts: Sequence[int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the children of each node of the Huffman tree over labels, which are sorted by falling count."""
    number = len(counts)
    weights = [*counts, *[10**15] * (number - 1)]
    left, right = (np.full(2 * number - 1, -1, np.int32) for _ in range(2))
    leaf, inner = number - 1, number
    for node in range(number, 2 * number - 1):
        for side in (left, right):
            if leaf >= 0 and weights[leaf] < weights[inner]:
                side[node], leaf = leaf, leaf - 1
            else:
                side[node], inner = inner, inner + 1
        weights[node] = weights[left[node]] + weights[right[node]]
    return left, right


def _compiled(function: Any) -> Any:
    """Compile a function, and keep the result for later runs where there is a folder for it."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither this folder nor the user's cache can be written
        return njit(nogil=True)(function)


@_compiled
def predict(model, text, ends, first, last, labels, probabilities):  # type: ignore[no-untyped-def]
    """Write the most probable label and its probability for texts `first` to `last`, whose bytes end at `ends[n + 1]`.

    White space is as fastText has it; a line break counts as white space, and the end of a text as the end of a line.
    """
    longest = 0
    for n in range(first, last):
        longest = max(longest, ends[n + 1] - ends[n])
    word = np.empty(longest + 2, np.uint8)
    hidden = np.empty(model.embeddings.shape[1], np.float32)
    for n in range(first, last):
        hidden[:] = 0
        count = 1
        position = ends[n]
        while position < ends[n + 1]:
            if _is_space(text[position]):
                position += 1
                continue
            length = 1
            value = FNV_BASIS
            while position < ends[n + 1] and not _is_space(text[position]):
                word[length] = text[position]
                value = _fnv1a_step(value, text[position])
                length += 1
                position += 1
            word_index = _find_word(model, word, length, value)
            if word_index == 0:  # </s> ends the line, wherever it is
                break
            if word_index > 0:
                _add(hidden, model.embeddings, word_index)
                count += 1
            elif _is_label(word, length):
                continue
            word[0] = ord("<")
            word[length] = ord(">")
            count += _add_ngrams(hidden, model, word, length + 1)
        _add(hidden, model.embeddings, 0)
        hidden *= np.float32(1.0 / count)
        labels[n], probabilities[n] = _most_probable(model, hidden)


@njit(nogil=True)
def _is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@njit(nogil=True)
def _fnv1a_step(value, byte):  # type: ignore[no-untyped-def]
    """Return the FNV-1a hash after one more byte; fastText's bytes have a sign."""
    return np.uint32((value ^ np.uint32(np.int32(np.int8(byte)))) * FNV_PRIME)


@njit(nogil=True)
def _add(hidden, embeddings, row):  # type: ignore[no-untyped-def]
    for column in range(hidden.size):
        hidden[column] += embeddings[row, column]


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
    prefix = (95, 95, 108, 97, 98, 101, 108, 95, 95)  # __label__: fastText takes such a word for a label
    same = 0
    while same < min(len(prefix), length - 1) and word[same + 1] == prefix[same]:
        same += 1
    return same == len(prefix)


@njit(nogil=True)
def _add_ngrams(hidden, model, word, length):  # type: ignore[no-untyped-def]
    """Add the embeddings of the character n-grams that the model has; return their number."""
    buckets = np.uint32(model.ngram_rows.size)
    count = 0
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
                    _add(hidden, model.embeddings, model.ngram_rows[bucket])
                    count += 1
    return count


@njit(nogil=True)
def _most_probable(model, hidden):  # type: ignore[no-untyped-def]
    """Search the tree, left before right, without branches that are less probable than the best label so far."""
    labels = model.outputs.shape[0]
    nodes = np.empty(2 * labels, np.int32)
    scores = np.empty(2 * labels, np.float32)
    nodes[0] = 2 * labels - 2
    scores[0] = 0
    num_open = 1
    best = np.float32(math.log(LOG_EPSILON))  # a threshold of 0
    label = np.int32(0)
    while num_open:
        num_open -= 1
        node, score = nodes[num_open], scores[num_open]
        if score < best:
            continue
        if model.left[node] < 0:
            best, label = score, node
            continue
        dot = np.float32(0)
        for column in range(hidden.size):
            dot += hidden[column] * model.outputs[node - labels, column]
        share = np.float32(1) / (np.float32(1) + np.float32(math.exp(np.float32(-dot))))
        rest = np.float32(1) - share
        nodes[num_open] = model.right[node]
        scores[num_open] = score + np.float32(math.log(np.float64(share) + LOG_EPSILON))
        nodes[num_open + 1] = model.left[node]
        scores[num_open + 1] = score + np.float32(math.log(np.float64(rest) + LOG_EPSILON))
        num_open += 2
    return label, np.float32(math.exp(best))
