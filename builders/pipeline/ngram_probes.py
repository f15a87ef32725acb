"""Find texts that may contain a benchmark text, by compiled code; the results are those of `ngram_index`."""

import numpy as np

from corpora.compiled import compiled

ONE = np.uint64(1)


@compiled
def probe(text, ends, size, stride, shortest, bits, hashes, base, step, is_candidate):  # type: ignore[no-untyped-def]
    """Write whether each normalized text has an n-gram, or is a whole text, of a `NgramIndex`.

    The text of row `n` is `text[ends[n]:ends[n + 1]]`, valid UTF-8. `base` is the base of the polynomials, `step` its
    inverse to the power of `stride`; the other arguments are those of the index.
    """
    longest = 0
    for row in range(is_candidate.size):
        longest = max(longest, ends[row + 1] - ends[row])
    sums = np.zeros(longest + 1, np.uint64)
    shift = np.uint64(64)
    num_bits = bits.size * 8
    while num_bits > 1:
        num_bits >>= 1
        shift -= ONE
    for row in range(is_candidate.size):
        length = _add_up(text, ends[row], ends[row + 1], base, sums)
        matched = shortest <= length < size + stride and _has(~sums[length], bits, shift, base, hashes)
        inverse = ONE
        for start in range(0, length - size + 1, stride):
            if matched:
                break
            matched = _has((sums[start + size] - sums[start]) * inverse, bits, shift, base, hashes)
            inverse *= step
        is_candidate[row] = matched


@compiled
def _add_up(text, begin, end, base, sums):  # type: ignore[no-untyped-def]
    """Write the cumulative sums of the polynomial of a text, and return its number of characters."""
    length = 0
    total = np.uint64(0)
    power = ONE
    position = begin
    while position < end:
        byte = np.uint64(text[position])
        position += 1
        if byte >= np.uint64(0x80):
            byte &= np.uint64(0x1F if byte < np.uint64(0xE0) else 0x0F if byte < np.uint64(0xF0) else 0x07)
            while position < end and text[position] & 0xC0 == 0x80:
                byte = byte << np.uint64(6) | np.uint64(text[position] & 0x3F)
                position += 1
        total += byte * power
        power *= base
        length += 1
        sums[length] = total
    return length


@compiled
def _has(value, bits, shift, base, hashes):  # type: ignore[no-untyped-def]
    """Return whether a hash is in the index: the table of bits spares most searches."""
    bit = (value * base) >> shift
    if bits[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7)) & 1 == 0:
        return False
    first, last = 0, hashes.size
    while first < last:
        middle = (first + last) // 2
        if hashes[middle] < value:
            first = middle + 1
        else:
            last = middle
    return first < hashes.size and hashes[first] == value
