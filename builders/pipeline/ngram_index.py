"""Find texts that may contain a benchmark text: n-grams of characters as 64-bit hashes, in memory.

The hash of characters c0, c1, ... is their polynomial c0 + c1 B + c2 B^2 + ... modulo 2^64, so the n-grams of a text
are differences of its cumulative sums. It is the same on all machines and versions. Texts with equal n-grams are always
found; a text that is found by chance is rejected by the exact comparison of contaminated.sql. All texts are compared
without accents.

A sentence too short for n-grams is found as a whole, in a text of any length: the text has one of the sentence's first
shorter n-grams at a tested place, and then the hash of the whole sentence around it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpora.language_id import DROPPED, plain_letter_table

BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
INVERSE = pow(BASE, -1, 1 << 64)
SLICE_BYTES = 1 << 20  # of texts whose characters are in memory at the same time
BITS_PER_NGRAM = 16  # of the table that compiled code asks first

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class ShortSentences:
    """The n-grams of sentences that are found as a whole, sorted by their hashes."""

    hashes: Hashes  # of an n-gram
    offsets: NDArray[np.int64]  # where it begins in its sentence
    lengths: NDArray[np.int64]  # characters of the sentence
    wholes: Hashes  # the hash of the sentence
    items: NDArray[np.int64]  # the sentence
    size: int  # characters of an n-gram
    stride: int  # characters from one tested n-gram of a text to the next

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        return _bits(self.hashes)


@dataclass(frozen=True)
class NgramIndex:
    """The n-grams of the sentences of benchmarks in one language, and the lengths with which texts are compared."""

    hashes: Hashes  # sorted
    items: NDArray[np.int64]  # the sentence of each
    size: int  # characters of an n-gram
    stride: int  # characters from one tested n-gram of a text to the next
    short: ShortSentences

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        return _bits(self.hashes)

    def probe(self, data: NDArray[np.uint8], ends: NDArray[np.int32], is_candidate: NDArray[np.bool_]) -> None:
        """Write whether each text `data[ends[n]:ends[n + 1]]` may contain text of a benchmark, by compiled code."""
        from builders.pipeline.ngram_probes import probe

        views = data.view(), ends.view()
        for view in views:
            view.flags.writeable = False  # one type, so that functions are compiled once
        ngrams = (self.size, self.stride, _step(self.stride), self.bits, self.hashes)
        own = self.short
        short = (own.size, own.stride, _step(own.stride), own.bits, own.hashes)
        sentences = (own.offsets, own.lengths, own.wholes)
        probe(*views, plain_letter_table(), np.uint64(BASE), ngrams, short, sentences, is_candidate)


def _bits(hashes: Hashes) -> NDArray[np.uint8]:
    """Return a table of bits, one set for each hash: bit `hash * BASE >> (64 - log2 of the number of bits)`."""
    num_bits = 1 << max(10, (BITS_PER_NGRAM * hashes.size - 1).bit_length())
    is_set = np.zeros(num_bits, np.bool_)
    is_set[(hashes * np.uint64(BASE)) >> np.uint64(65 - num_bits.bit_length())] = True
    return np.packbits(is_set, bitorder="little")


def _step(stride: int) -> np.uint64:
    """Return what makes the inverse of a place's power that of the place `stride` further."""
    return np.uint64(pow(INVERSE, stride, 1 << 64))


def make_index(sentences: pa.Table, size: int, stride: int, shortest: int) -> NgramIndex:
    """Return the index of a table `ngrams`, of sentences with at least `shortest` characters."""
    short_stride = max(1, min(stride, shortest * 2 // 5))
    short_size = shortest - short_stride + 1
    hashes, items = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    short: list[list[NDArray[Any]]] = [[np.zeros(0, np.uint64)] for _ in range(5)]
    numbers = _values(sentences["item"].combine_chunks(), np.int64)
    for first, texts in _slices(sentences["sentence"].combine_chunks()):
        is_short = texts.lengths < size + stride
        rows, _, own = texts.hashes(np.where(is_short, 0, texts.lengths - size + 1), size, 1)
        hashes.append(own)
        items.append(numbers[first + rows])
        num = np.where(is_short, np.clip(texts.lengths - short_size + 1, 0, short_stride), 0)
        rows, offsets, own = texts.hashes(num, short_size, 1)
        columns = (own, offsets, texts.lengths[rows], texts.sums_from(texts.begins[rows], texts.lengths[rows]))
        for column, values in zip(short, (*columns, numbers[first + rows]), strict=True):
            column.append(values)
    ngrams, offsets, lengths, wholes, owners = (np.concatenate(column) for column in short)
    order = np.argsort(ngrams, kind="stable")
    spans = offsets[order].astype(np.int64), lengths[order].astype(np.int64)
    known = ShortSentences(
        ngrams[order], *spans, wholes[order], owners[order].astype(np.int64), short_size, short_stride
    )
    all_hashes = np.concatenate(hashes)
    order = np.argsort(all_hashes)
    return NgramIndex(all_hashes[order], np.concatenate(items)[order], size, stride, known)


def find_candidates(norms: pa.StringArray, index: NgramIndex, is_many: bool) -> NDArray[np.bool_]:
    """Return for each normalized text (or null) whether it may contain text of a benchmark.

    `is_many` says whether to use compiled code, which takes half a second to load; the result is the same.
    """
    if not is_many:
        return find_matches(norms, index)[0]
    is_candidate = np.zeros(len(norms), np.bool_)
    index.probe(*_bytes_of(norms.fill_null("") if norms.null_count else norms), is_candidate)
    return is_candidate


def find_matches(norms: pa.StringArray, index: NgramIndex) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return what `find_candidates` returns, and the numbers of the sentences that the texts may contain, in order."""
    is_candidate, items = np.zeros(len(norms), np.bool_), [np.zeros(0, np.int64)]
    for begin, texts in _slices(norms):
        for rows, own in (_ngram_matches(texts, index), _sentence_matches(texts, index.short)):
            is_candidate[begin + rows] = True
            items.append(np.unique(own))
    return is_candidate, np.unique(np.concatenate(items))


def _ngram_matches(texts: "_Texts", index: NgramIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of texts that have n-grams of sentences, and the sentences."""
    rows, _, hashes = texts.hashes(_num_places(texts, index), index.size, index.stride)
    matches, entries = _equal(hashes, index.hashes)
    return rows[matches], index.items[entries]


def _sentence_matches(texts: "_Texts", short: ShortSentences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of texts that have a whole short sentence, and the sentence of each."""
    rows, starts, hashes = texts.hashes(_num_places(texts, short), short.size, short.stride)
    matches, entries = _equal(hashes, short.hashes)
    rows, first = rows[matches], starts[matches] - short.offsets[entries]
    is_inside = (first >= 0) & (first + short.lengths[entries] <= texts.lengths[rows])
    rows, first, entries = rows[is_inside], first[is_inside], entries[is_inside]
    sums = texts.sums_from(texts.begins[rows] + first, short.lengths[entries]) * texts.inverses[first]
    is_equal = sums == short.wholes[entries]
    return rows[is_equal], short.items[entries[is_equal]]


def _num_places(texts: "_Texts", index: NgramIndex | ShortSentences) -> NDArray[np.int64]:
    """Return the number of n-grams of each text that are tested."""
    num: NDArray[np.int64] = np.maximum(0, texts.lengths - index.size + index.stride) // index.stride
    return num


def _equal(hashes: Hashes, known: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs of places in `hashes` and in the sorted `known` with equal values."""
    first, last = (np.searchsorted(known, hashes, side) for side in ("left", "right"))
    return np.repeat(np.arange(hashes.size), last - first), _ranges(first, last - first)


def _slices(texts: pa.StringArray) -> Iterator[tuple[int, "_Texts"]]:
    """Yield the texts in slices of a limited size, each with the row of its first text."""
    texts = texts.fill_null("") if texts.null_count else texts
    _, ends = _bytes_of(texts)
    first = 0
    while first < len(texts):
        last = max(first + 1, int(np.searchsorted(ends, int(ends[first]) + SLICE_BYTES, "right")) - 1)
        yield first, _Texts(texts.slice(first, last - first))
        first = last


class _Texts:
    """The characters of texts without accents, and the cumulative sums of their polynomials."""

    def __init__(self, texts: pa.StringArray) -> None:
        data, ends = _bytes_of(texts)
        data = data[ends[0] : ends[-1]]
        characters = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32)
        plain = plain_letter_table()
        has_entry = characters < plain.size
        characters = np.where(has_entry, plain[np.where(has_entry, characters, 0)], characters)
        is_kept = (characters != DROPPED) | ~has_entry
        begins = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])[ends - ends[0]]
        begins = np.concatenate([[0], np.cumsum(is_kept)])[begins]
        characters = characters[is_kept].astype(np.uint64)
        self.begins, self.lengths = begins[:-1], np.diff(begins)
        positions = np.arange(characters.size) - np.repeat(self.begins, self.lengths)
        longest = int(self.lengths.max(initial=0))
        self.inverses = _powers(INVERSE, longest + 1)
        self.sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(characters * _powers(BASE, longest)[positions])])

    def hashes(
        self, num: NDArray[np.int64], size: int, stride: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Hashes]:
        """Return the first `num` n-grams of each text: its row, where they begin in it, and their hashes."""
        rows = np.repeat(np.arange(num.size), num)
        starts = (np.arange(rows.size) - np.repeat(np.cumsum(num) - num, num)) * stride
        return rows, starts, self.sums_from(self.begins[rows] + starts, size) * self.inverses[starts]

    def sums_from(self, begins: NDArray[np.int64], size: NDArray[np.int64] | int) -> Hashes:
        """Return the sums of the characters from each of `begins`."""
        sums: Hashes = self.sums[begins + size] - self.sums[begins]
        return sums


def _powers(base: int, num: int) -> Hashes:
    """Return base^0, base^1, ... modulo 2^64."""
    factors = np.full(max(1, num), base, np.uint64)
    factors[0] = 1
    powers: Hashes = np.cumprod(factors, dtype=np.uint64)
    return powers


def _ranges(first: NDArray[np.int64], num: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return first, first + 1, ... up to `num` values, for each pair of both."""
    ranges: NDArray[np.int64] = np.arange(num.sum()) + np.repeat(first - (np.cumsum(num) - num), num)
    return ranges


def _bytes_of(texts: pa.StringArray) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the bytes of texts, and where each begins and the last one ends."""
    _, ends, data = texts.buffers()
    ends = np.frombuffer(ends or bytes(4), np.int32)[texts.offset :]
    return np.frombuffer(data or b"", np.uint8), ends[: len(texts) + 1]


def _values(numbers: pa.Array, kind: type) -> NDArray[Any]:
    """Return the values of a column without nulls; `to_numpy` would import pandas, which takes 0.2 seconds."""
    data = numbers.buffers()[1]
    return np.frombuffer(data or b"", kind)[numbers.offset :][: len(numbers)]
