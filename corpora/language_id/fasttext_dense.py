"""Read supervised fastText models that are not quantised, and predict with compiled code: GlotLID, lid.176.bin, ...

The format and the order of sums are those of fastText's v0.9.2: dictionary.cc, densematrix.cc, loss.cc. Embeddings stay
in the file and are read where they are needed.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpora.compiled import compiled
from corpora.errors import InputError

MAGIC = (793712314, 12)  # of the format, and its version
SUPERVISED, HIERARCHICAL_SOFTMAX, SOFTMAX = 3, 1, 3
FNV_BASIS, FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)  # FNV-1a
LOG_EPSILON = 1e-5  # fastText adds it before it takes a logarithm
PREFIX = b"__label__"


class DenseModel(NamedTuple):
    """A model as compiled code reads it; nodes of the tree are empty for a softmax over all labels."""

    embeddings: NDArray[np.float32]  # rows of words, then of buckets of n-grams
    outputs: NDArray[np.float32]
    slots: NDArray[np.int32]  # hash of a word -> word, or -1, with linear probing
    ends: NDArray[np.int64]  # where each word ends in `letters`, after a zero
    letters: NDArray[np.uint8]
    sizes: NDArray[np.int64]  # words, buckets, shortest and longest n-gram, the word </s> or -1
    left: NDArray[np.int32]  # node -> its children; leaves, which are labels, have -1
    right: NDArray[np.int32]


class DenseReader:
    """The bytes of a model file, mapped, and a position in them."""

    def __init__(self, path: Path) -> None:
        self.path, self.position = path, 0
        self.data: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")

    def values(self, types: str) -> tuple[Any, ...]:
        """Return numbers of these types."""
        size = struct.calcsize("<" + types)
        unpacked = struct.unpack("<" + types, self.data[self.position : self.position + size].tobytes())
        self.position += size
        return unpacked

    def entries(self, size: int) -> list[tuple[bytes, int, int]]:
        """Return words and labels, each with its count, and whether it is a label."""
        entries = []
        for _ in range(size):
            end = self.position
            while self.data[end]:
                end += 1
            text = self.data[self.position : end].tobytes()
            self.position = end + 1
            count, is_label = self.values("qb")
            entries.append((text, count, is_label))
        return entries

    def matrix(self) -> NDArray[np.float32]:
        """Return a matrix, which stays in the file."""
        rows, columns = self.values("2q")
        if rows < 0 or columns < 0 or self.position + rows * columns * 4 > self.data.size:
            raise ValueError("a matrix ends behind the file")
        matrix = np.ndarray((rows, columns), "<f4", self.data, self.position)
        self.position += rows * columns * 4
        return matrix


def read_dense_model(path: Path) -> tuple[DenseModel, list[str]]:
    """Return a model and its labels without their prefix.

    Raises:
        InputError: The file is no supervised fastText model without quantisation, or is damaged.
    """
    try:
        return _read(DenseReader(path))
    except (struct.error, ValueError, IndexError, OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is not a fastText model that can be read: {error}. Name the .bin of a model."
        ) from None


def _read(reader: DenseReader) -> tuple[DenseModel, list[str]]:
    if reader.values("2i") != MAGIC:
        raise ValueError("it does not begin as fastText's models do")
    dimensions, _, _, _, _, word_grams, loss, kind, buckets, shortest, longest, _ = reader.values("12i")
    reader.values("d")
    if kind != SUPERVISED or word_grams != 1 or loss not in (HIERARCHICAL_SOFTMAX, SOFTMAX):
        raise ValueError("a supervised model of single words with (hierarchical) softmax was expected")
    size, words, num_labels, _, pruned = reader.values("3i2q")
    entries = reader.entries(size)
    if pruned > 0 or reader.values("?") != (False,):
        raise ValueError("it is quantised")
    embeddings = reader.matrix()
    if reader.values("?") != (False,):
        raise ValueError("its outputs are quantised")
    outputs = reader.matrix()
    if embeddings.shape != (words + buckets, dimensions) or outputs.shape[1] != dimensions or not num_labels:
        raise ValueError("its matrices do not fit its dictionary")
    texts = [text for text, _, _ in entries[:words]]
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    letters = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
    slots = np.full(1 << max(4, (2 * words).bit_length()), -1, np.int32)
    fill_slots(slots, ends, letters)
    end_of_line = texts.index(b"</s>") if b"</s>" in texts else -1
    sizes = np.array([words, buckets, shortest, longest, end_of_line], np.int64)
    labels = entries[words:]
    left, right = _tree([count for _, count, _ in labels]) if loss == HIERARCHICAL_SOFTMAX else (_none(), _none())
    names = [text.removeprefix(PREFIX).decode() for text, _, _ in labels]
    return DenseModel(embeddings, outputs, slots, ends, letters, sizes, left, right), names


def _none() -> NDArray[np.int32]:
    return np.zeros(0, np.int32)


def _tree(counts: Sequence[int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    from corpora.language_id.fasttext_file import huffman_tree

    return huffman_tree(counts)


@compiled
def fill_slots(slots, ends, letters):  # type: ignore[no-untyped-def]
    """Write the number of each word to the first free slot from its hash on."""
    for word in range(ends.size - 1):
        value = FNV_BASIS
        for position in range(ends[word], ends[word + 1]):
            value = _step(value, letters[position])
        slot = np.int64(value) & (slots.size - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (slots.size - 1)
        slots[slot] = word


@compiled
def predict_dense(model, text, ends, labels, probabilities):  # type: ignore[no-untyped-def]
    """Write the most probable label and its probability for texts, which end at `ends[n + 1]` of the bytes `text`."""
    hidden = np.empty(model.embeddings.shape[1], np.float32)
    scores = np.empty(model.outputs.shape[0], np.float32)
    longest = 0
    for n in range(labels.size):
        longest = max(longest, ends[n + 1] - ends[n])
    word = np.empty(longest + 2, np.uint8)
    stack = np.empty((2 * model.outputs.shape[0] + 2, 2), np.float64)
    for n in range(labels.size):
        hidden[:] = 0
        count = np.int64(0)
        position, stop = ends[n], ends[n + 1]
        while position < stop:
            if _is_space(text[position]):
                position += 1
                continue
            begin = position
            while position < stop and not _is_space(text[position]):
                position += 1
            added = _add_word(model, text, begin, position, word, hidden)
            if added < 0:  # </s> ends the line, wherever it is
                break
            count += added
        if model.sizes[4] >= 0:
            _add(hidden, model.embeddings, model.sizes[4])
            count += 1
        if count:
            factor = np.float32(1.0 / count)
            for column in range(hidden.size):
                hidden[column] *= factor
        if model.left.size:
            labels[n], probabilities[n] = _search_tree(model, hidden, stack)
        else:
            labels[n], probabilities[n] = _softmax(model, hidden, scores)


@compiled
def _add_word(model, text, begin, end, word, hidden):  # type: ignore[no-untyped-def]
    """Add the rows of a word and of its n-grams; return their number, or -1 for the end of a line."""
    value = FNV_BASIS
    for position in range(begin, end):
        value = _step(value, text[position])
    index = _find_word(model, text, begin, end, value)
    if index >= 0 and index == model.sizes[4]:
        return np.int64(-1)
    count = np.int64(0)
    if index >= 0:
        _add(hidden, model.embeddings, index)
        count += 1
    elif _is_label(text, begin, end):
        return count
    length = end - begin + 2
    word[0], word[length - 1] = 60, 62  # < and >
    for i in range(end - begin):
        word[i + 1] = text[begin + i]
    shortest, longest = model.sizes[2], model.sizes[3]
    for first in range(length):
        if word[first] & 0xC0 == 0x80:
            continue
        value = FNV_BASIS
        last = first
        for size in range(1, longest + 1):
            if last >= length:
                break
            value = _step(value, word[last])
            last += 1
            while last < length and word[last] & 0xC0 == 0x80:
                value = _step(value, word[last])
                last += 1
            if size >= shortest and not (size == 1 and (first == 0 or last == length)):
                _add(hidden, model.embeddings, model.sizes[0] + np.int64(value) % model.sizes[1])
                count += 1
    return count


@compiled
def _find_word(model, text, begin, end, value):  # type: ignore[no-untyped-def]
    """Return the number of a word, or -1."""
    slot = np.int64(value) & (model.slots.size - 1)
    while model.slots[slot] >= 0:
        index = np.int64(model.slots[slot])
        start = model.ends[index]
        if model.ends[index + 1] - start == end - begin:
            same = 0
            while same < end - begin and model.letters[start + same] == text[begin + same]:
                same += 1
            if same == end - begin:
                return index
        slot = (slot + 1) & (model.slots.size - 1)
    return np.int64(-1)


@compiled
def _is_label(text, begin, end):  # type: ignore[no-untyped-def]
    """Return whether fastText takes a word for a label."""
    prefix = (95, 95, 108, 97, 98, 101, 108, 95, 95)  # __label__
    if end - begin < len(prefix):
        return False
    same = 0
    while same < len(prefix) and text[begin + same] == prefix[same]:
        same += 1
    return same == len(prefix)


@compiled
def _add(hidden, embeddings, row):  # type: ignore[no-untyped-def]
    for column in range(hidden.size):
        hidden[column] += embeddings[row, column]


@compiled
def _dot(outputs, row, hidden):  # type: ignore[no-untyped-def]
    dot = np.float32(0)
    for column in range(hidden.size):
        dot += outputs[row, column] * hidden[column]
    return dot


@compiled
def _softmax(model, hidden, scores):  # type: ignore[no-untyped-def]
    """Return the label with the largest score and its share of all."""
    label = np.int32(0)
    for row in range(scores.size):
        scores[row] = _dot(model.outputs, row, hidden)
        if scores[row] > scores[label]:
            label = np.int32(row)
    largest = scores[label]
    total = np.float32(0)
    for row in range(scores.size):
        total += np.float32(np.exp(np.float64(scores[row] - largest)))
    return label, np.float32(np.float32(1) / total + np.float32(LOG_EPSILON))


@compiled
def _search_tree(model, hidden, stack):  # type: ignore[no-untyped-def]
    """Return the label whose path through the tree is the most probable, and its probability."""
    num_labels = model.outputs.shape[0]
    best, label = np.log(LOG_EPSILON), np.int32(0)
    stack[0, 0], stack[0, 1] = 2 * num_labels - 2, 0
    num_open = 1
    while num_open:
        num_open -= 1
        node, score = np.int64(stack[num_open, 0]), stack[num_open, 1]
        if score < best:
            continue
        if model.left[node] < 0:
            best, label = score, np.int32(node)
            continue
        share = np.float32(1) / (np.float32(1) + np.float32(np.exp(-_dot(model.outputs, node - num_labels, hidden))))
        for child, own in ((model.right[node], share), (model.left[node], np.float32(1) - share)):
            stack[num_open, 0] = child
            stack[num_open, 1] = score + np.log(np.float64(own) + LOG_EPSILON)
            num_open += 1
    return label, np.float32(np.exp(best))


@compiled
def _is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@compiled
def _step(value, byte):  # type: ignore[no-untyped-def]
    """Return the FNV-1a hash after one more byte; fastText's bytes have a sign."""
    return np.uint32((value ^ np.uint32(np.int32(np.int8(byte)))) * FNV_PRIME)
