"""Find texts that may contain a benchmark text: n-grams of characters as 64-bit hashes, in memory.

The hash of characters c0, c1, ... is their polynomial c0 + c1 B + c2 B^2 + ... modulo 2^64, so the n-grams of a text
are differences of its cumulative sums. It is the same on all machines and versions. Texts with equal n-grams are always
found; a text that is found by chance is rejected by the exact comparison of contaminated.sql.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
INVERSE = pow(BASE, -1, 1 << 64)
SLICE_BYTES = 1 << 20  # of texts whose characters are in memory at the same time
BITS_PER_NGRAM = 16  # of the table that compiled code asks first

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class NgramIndex:
    """The n-grams of the sentences of benchmarks in one language, and the lengths with which texts are compared."""

    hashes: Hashes  # sorted; a sentence too short for the search by n-grams has one, of its whole text
    items: NDArray[np.int64]  # the sentence of each
    size: int  # characters of an n-gram
    stride: int  # characters from one tested n-gram of a text to the next
    shortest: int  # characters of a sentence

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        """A table of bits, one set for each n-gram: bit `hash * BASE >> (64 - log2 of the number of bits)`."""
        num_bits = 1 << max(10, (BITS_PER_NGRAM * self.hashes.size - 1).bit_length())
        is_set = np.zeros(num_bits, np.bool_)
        is_set[(self.hashes * np.uint64(BASE)) >> np.uint64(65 - num_bits.bit_length())] = True
        return np.packbits(is_set, bitorder="little")

    def probe(self, data: NDArray[np.uint8], ends: NDArray[np.int32], is_candidate: NDArray[np.bool_]) -> None:
        """Write whether each text `data[ends[n]:ends[n + 1]]` may contain text of a benchmark, by compiled code."""
        from builders.pipeline.ngram_probes import probe

        views = data.view(), ends.view()
        for view in views:
            view.flags.writeable = False  # one type, so that functions are compiled once
        factors = np.uint64(BASE), np.uint64(pow(INVERSE, self.stride, 1 << 64))
        probe(*views, self.size, self.stride, self.shortest, self.bits, self.hashes, *factors, is_candidate)


def make_index(sentences: pa.Table, size: int, stride: int, shortest: int) -> NgramIndex:
    """Return the index of a table `ngrams`."""
    hashes, items = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    numbers = _values(sentences["item"].combine_chunks(), np.int64)
    for first, texts in _slices(sentences["sentence"].combine_chunks()):
        is_whole = texts.lengths < size + stride
        rows, own = texts.hashes(np.where(is_whole, 0, texts.lengths - size + 1), size, 1, is_whole)
        hashes.append(own)
        items.append(numbers[first + rows])
    all_hashes = np.concatenate(hashes)
    order = np.argsort(all_hashes)
    return NgramIndex(all_hashes[order], np.concatenate(items)[order], size, stride, shortest)


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
    is_candidate, candidate_hashes = np.zeros(len(norms), np.bool_), [np.zeros(0, np.uint64)]
    for begin, texts in _slices(norms):
        is_whole = (texts.lengths >= index.shortest) & (texts.lengths < index.size + index.stride)
        num = np.maximum(0, texts.lengths - index.size + index.stride) // index.stride
        rows, hashes = texts.hashes(num, index.size, index.stride, is_whole)
        is_known = np.searchsorted(index.hashes, hashes) < np.searchsorted(index.hashes, hashes, "right")
        is_candidate[begin + rows[is_known]] = True
        candidate_hashes.append(np.unique(hashes[is_known]))
    known = np.unique(np.concatenate(candidate_hashes))
    first, last = (np.searchsorted(index.hashes, known, side) for side in ("left", "right"))
    return is_candidate, np.unique(index.items[_ranges(first, last - first)])


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
    """The characters of texts, and the cumulative sums of their polynomials."""

    def __init__(self, texts: pa.StringArray) -> None:
        data, ends = _bytes_of(texts)
        data = data[ends[0] : ends[-1]]
        begins = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])[ends - ends[0]]
        self.begins, self.lengths = begins[:-1], np.diff(begins)
        characters = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32).astype(np.uint64)
        positions = np.arange(characters.size) - np.repeat(self.begins, self.lengths)
        longest = int(self.lengths.max(initial=0))
        self.inverses = _powers(INVERSE, longest + 1)
        self.sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(characters * _powers(BASE, longest)[positions])])

    def hashes(
        self, num: NDArray[np.int64], size: int, stride: int, is_whole: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], Hashes]:
        """Return texts and hashes: of the first `num` n-grams of each text, and of some whole texts, which differ."""
        rows = np.repeat(np.arange(num.size), num)
        starts = (np.arange(rows.size) - np.repeat(np.cumsum(num) - num, num)) * stride
        begins = self.begins[rows] + starts
        ngrams = (self.sums[begins + size] - self.sums[begins]) * self.inverses[starts]
        begins = self.begins[is_whole]
        whole = ~(self.sums[begins + self.lengths[is_whole]] - self.sums[begins])
        return np.concatenate([rows, np.flatnonzero(is_whole)]), np.concatenate([ngrams, whole])


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
