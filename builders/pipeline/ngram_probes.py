"""Find texts that may contain a benchmark text, by compiled code; the results are those of `ngram_index`."""

import numpy as np

from corpora.compiled import compiled
from corpora.language_id import DROPPED

ONE = np.uint64(1)


@compiled
def probe(text, ends, plain, base, ngrams, short, sentences, is_candidate):  # type: ignore[no-untyped-def]
    """Write whether each normalized text has an n-gram, or a whole short sentence, of a `NgramIndex`.

    The text of row `n` is `text[ends[n]:ends[n + 1]]`, valid UTF-8, and `plain` the table of letters without accents.
    `base` is the base of the polynomials; `ngrams` and `short` are the size, the stride, the inverse of the base to the
    power of the stride, the bits and the hashes of the n-grams of long and of short sentences; `sentences` are the
    offsets, lengths and hashes of whole short sentences.
    """
    longest = 0
    for row in range(is_candidate.size):
        longest = max(longest, ends[row + 1] - ends[row])
    sums = np.zeros(longest + 1, np.uint64)
    for row in range(is_candidate.size):
        length = _add_up(text, ends[row], ends[row + 1], plain, base, sums)
        is_candidate[row] = _has_ngram(sums, length, base, ngrams) or _has_sentence(
            sums, length, base, short, sentences
        )


@compiled
def _add_up(text, begin, end, plain, base, sums):  # type: ignore[no-untyped-def]
    """Write the cumulative sums of the polynomial of a text without accents, and return its number of characters."""
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
            if byte < np.uint64(plain.size):
                byte = np.uint64(plain[byte])
                if byte == np.uint64(DROPPED):
                    continue
        total += byte * power
        power *= base
        length += 1
        sums[length] = total
    return length


@compiled
def _has_ngram(sums, length, base, ngrams):  # type: ignore[no-untyped-def]
    """Return whether a text has an n-gram of a long sentence."""
    size, stride, step, bits, hashes = ngrams
    shift = _shift(bits)
    inverse = ONE
    for start in range(0, length - size + 1, stride):
        value = (sums[start + size] - sums[start]) * inverse
        if _may_have(value, bits, shift, base):
            entry = _first(value, hashes)
            if entry < hashes.size and hashes[entry] == value:
                return True
        inverse *= step
    return False


@compiled
def _has_sentence(sums, length, base, short, sentences):  # type: ignore[no-untyped-def]
    """Return whether a text has a whole short sentence."""
    size, stride, step, bits, hashes = short
    offsets, lengths, wholes = sentences
    shift = _shift(bits)
    inverse = ONE
    for start in range(0, length - size + 1, stride):
        value = (sums[start + size] - sums[start]) * inverse
        if _may_have(value, bits, shift, base):
            entry = _first(value, hashes)
            while entry < hashes.size and hashes[entry] == value:
                first = start - offsets[entry]
                last = first + lengths[entry]
                if first >= 0 and last <= length:
                    power = inverse
                    for _ in range(offsets[entry]):
                        power *= base
                    if (sums[last] - sums[first]) * power == wholes[entry]:
                        return True
                entry += 1
        inverse *= step
    return False


@compiled
def _shift(bits):  # type: ignore[no-untyped-def]
    """Return the bits of a hash that a table of bits leaves out."""
    shift = np.uint64(64)
    num_bits = bits.size * 8
    while num_bits > 1:
        num_bits >>= 1
        shift -= ONE
    return shift


@compiled
def _may_have(value, bits, shift, base):  # type: ignore[no-untyped-def]
    """Return whether a hash may be among others: their table of bits spares most searches."""
    bit = (value * base) >> shift
    return bits[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7)) & 1 != 0


@compiled
def _first(value, hashes):  # type: ignore[no-untyped-def]
    """Return where a hash, or the next greater one, is first among sorted ones."""
    first, last = 0, hashes.size
    while first < last:
        middle = (first + last) // 2
        if hashes[middle] < value:
            first = middle + 1
        else:
            last = middle
    return first
