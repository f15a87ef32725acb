"""Read a quantised fastText model (`.ftz`), laid out anew for compiled code.

The format is that of fastText's v0.9.2: dictionary.cc, quantmatrix.cc, loss.cc.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = (793712314, 12)  # of the format, and its version
DIMENSIONS = 16  # of an embedding
MIN_NGRAM, MAX_NGRAM = 2, 4  # characters of an n-gram
FNV_BASIS, FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)  # FNV-1a
WORD_SLOTS = 1 << 15  # of the table of words


class Model(NamedTuple):
    """A supervised model with hierarchical softmax, laid out for sums."""

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
    assert columns == dimensions == embeddings.shape[1] == DIMENSIONS
    assert len(embeddings) <= 2**16
    left, right = huffman_tree([count for _, count, is_label in entries if is_label])
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


def huffman_tree(counts: Sequence[int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
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
