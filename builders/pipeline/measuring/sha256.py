"""SHA-256 (FIPS 180-4) of many texts at once: compiled code computes a block of sixteen texts in the lanes of vectors.

Processors have instructions for one text at a time, but no library that we use calls them without the interpreter lock.
"""

import numpy as np

from corpora.compiled import compiled, inlined

LANES = 16  # texts of about the same length that are hashed together
BLOCK_BYTES, WORDS = 64, 16
STATE = WORDS  # where the state follows the words of a block; each has a value a lane
PRIMES = [n for n in range(2, 312) if all(n % divisor for divisor in range(2, n))]  # 64 of them


def _fraction(prime: int, root: int) -> int:
    """Return the first 32 bits of the fraction of a square or cube root."""
    scaled, guess = prime << 32 * root, int(prime ** (1 / root) * 2**32)
    while guess**root > scaled:
        guess -= 1
    while (guess + 1) ** root <= scaled:
        guess += 1
    return guess & 0xFFFFFFFF


ROUND_CONSTANTS = np.array([_fraction(prime, 3) for prime in PRIMES], np.uint32)
INITIAL_STATE = np.array([_fraction(prime, 2) for prime in PRIMES[:8]], np.uint32)


@compiled
def hash_texts(text, ends, is_read, digests):  # type: ignore[no-untyped-def]
    """Write the first 16 bytes of the SHA-256 of each text that `is_read`; text n is `text[ends[n]:ends[n + 1]]`.

    `digests` has four words of 32 bits a text, whose bytes in a processor that is little-endian are the digest's.
    """
    order = _by_blocks(ends, is_read)
    values = np.zeros((WORDS + 8) * LANES, np.uint32)
    data = np.zeros(LANES * BLOCK_BYTES, np.uint8)
    for first in range(0, order.size, LANES):
        rows = order[first : first + LANES]
        for word in range(8):
            values[(STATE + word) * LANES : (STATE + word + 1) * LANES] = INITIAL_STATE[word]
        for block in range(_num_blocks(ends, rows[-1])):
            for lane in range(rows.size):
                _copy(text, ends[rows[lane]] + block * BLOCK_BYTES, ends[rows[lane] + 1], data, lane)
            _load(data.view(np.uint32), values)
            for lane in range(rows.size):
                if block == _num_blocks(ends, rows[lane]) - 1:
                    length = np.int64(ends[rows[lane] + 1] - ends[rows[lane]])
                    values[14 * LANES + lane], values[15 * LANES + lane] = length >> 29, length << 3
            _compress(values)
            for lane in range(rows.size):
                if block == _num_blocks(ends, rows[lane]) - 1:
                    for word in range(4):
                        digests[rows[lane], word] = _swap(values[(STATE + word) * LANES + lane])


@compiled
def _num_blocks(ends, row):  # type: ignore[no-untyped-def]
    return (ends[row + 1] - ends[row] + 8) // BLOCK_BYTES + 1


@compiled
def _by_blocks(ends, is_read):  # type: ignore[no-untyped-def]
    """Return the rows that are read, those with fewer blocks first."""
    most = 0
    for row in range(is_read.size):
        most = max(most, _num_blocks(ends, row))
    starts = np.zeros(most + 2, np.int64)
    for row in range(is_read.size):
        if is_read[row]:
            starts[_num_blocks(ends, row) + 1] += 1
    for size in range(1, starts.size):
        starts[size] += starts[size - 1]
    order = np.empty(starts[-1], np.int64)
    for row in range(is_read.size):
        if is_read[row]:
            size = _num_blocks(ends, row)
            order[starts[size]] = row
            starts[size] += 1
    return order


@compiled
def _copy(text, begin, end, data, lane):  # type: ignore[no-untyped-def]
    """Copy a block of a text that begins at `begin` and ends at `end`, which may be before it or in it."""
    block = data[lane * BLOCK_BYTES : (lane + 1) * BLOCK_BYTES]
    size = end - begin
    if size >= BLOCK_BYTES:
        whole = text[begin : begin + BLOCK_BYTES]
        for byte in range(BLOCK_BYTES):
            block[byte] = whole[byte]
    else:
        for byte in range(BLOCK_BYTES):
            block[byte] = 0
        rest = text[begin:end]
        for byte in range(rest.size):
            block[byte] = rest[byte]
        if size >= 0:
            block[size] = 0x80


@compiled
def _load(data, values):  # type: ignore[no-untyped-def]
    """Write the words of the blocks of all lanes, which are big-endian."""
    for word in range(WORDS):
        for lane in range(LANES):
            values[word * LANES + lane] = _swap(data[lane * WORDS + word])


@inlined
def _swap(word):  # type: ignore[no-untyped-def]
    """Return a word with its bytes in the other order."""
    high = np.uint32((word & np.uint32(0xFF00FF)) << np.uint32(8))
    low = np.uint32((word & np.uint32(0xFF00FF00)) >> np.uint32(8))
    return _rotate(np.uint32(high | low), 16)


@inlined
def _rotate(word, bits):  # type: ignore[no-untyped-def]
    return np.uint32(np.uint32(word) >> np.uint32(bits)) | np.uint32(np.uint32(word) << np.uint32(32 - bits))


@inlined
def _round(a, b, c, d, e, f, g, h, word, constant):  # type: ignore[no-untyped-def]
    """Return what replaces `d` and `h`."""
    choice = (e & f) ^ (~e & g)
    first = np.uint32(h + (_rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)) + choice + constant + word)
    majority = (a & b) ^ (a & c) ^ (b & c)
    second = np.uint32((_rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)) + majority)
    return np.uint32(d + first), np.uint32(first + second)


@inlined
def _eight_rounds(state, words, constants):  # type: ignore[no-untyped-def]
    a, b, c, d, e, f, g, h = state
    d, h = _round(a, b, c, d, e, f, g, h, words[0], constants[0])
    c, g = _round(h, a, b, c, d, e, f, g, words[1], constants[1])
    b, f = _round(g, h, a, b, c, d, e, f, words[2], constants[2])
    a, e = _round(f, g, h, a, b, c, d, e, words[3], constants[3])
    h, d = _round(e, f, g, h, a, b, c, d, words[4], constants[4])
    g, c = _round(d, e, f, g, h, a, b, c, words[5], constants[5])
    f, b = _round(c, d, e, f, g, h, a, b, words[6], constants[6])
    e, a = _round(b, c, d, e, f, g, h, a, words[7], constants[7])
    return a, b, c, d, e, f, g, h


@inlined
def _extend(word, second, tenth, fifteenth):  # type: ignore[no-untyped-def]
    """Return the word sixteen after `word`."""
    first = _rotate(second, 7) ^ _rotate(second, 18) ^ np.uint32(second >> np.uint32(3))
    last = _rotate(fifteenth, 17) ^ _rotate(fifteenth, 19) ^ np.uint32(fifteenth >> np.uint32(10))
    return np.uint32(word + first + tenth + last)


@inlined
def _next_eight(low, high):  # type: ignore[no-untyped-def]
    """Return the eight words after sixteen."""
    w0 = _extend(low[0], low[1], high[1], high[6])
    w1 = _extend(low[1], low[2], high[2], high[7])
    w2 = _extend(low[2], low[3], high[3], w0)
    w3 = _extend(low[3], low[4], high[4], w1)
    w4 = _extend(low[4], low[5], high[5], w2)
    w5 = _extend(low[5], low[6], high[6], w3)
    w6 = _extend(low[6], low[7], high[7], w4)
    w7 = _extend(low[7], high[0], w0, w5)
    return w0, w1, w2, w3, w4, w5, w6, w7


@inlined
def _eight(values, first, lane):  # type: ignore[no-untyped-def]
    return (
        values[(first + 0) * LANES + lane],
        values[(first + 1) * LANES + lane],
        values[(first + 2) * LANES + lane],
        values[(first + 3) * LANES + lane],
        values[(first + 4) * LANES + lane],
        values[(first + 5) * LANES + lane],
        values[(first + 6) * LANES + lane],
        values[(first + 7) * LANES + lane],
    )


@compiled
def _compress(values):  # type: ignore[no-untyped-def]
    """Add a block of each lane to its state: straight code, so that the loop over lanes becomes vectors."""
    for lane in range(LANES):
        k = ROUND_CONSTANTS
        before, low, high = _eight(values, STATE, lane), _eight(values, 0, lane), _eight(values, 8, lane)
        after = _eight_rounds(_eight_rounds(before, low, k[:8]), high, k[8:16])
        low = _next_eight(low, high)
        high = _next_eight(high, low)
        after = _eight_rounds(_eight_rounds(after, low, k[16:24]), high, k[24:32])
        low = _next_eight(low, high)
        high = _next_eight(high, low)
        after = _eight_rounds(_eight_rounds(after, low, k[32:40]), high, k[40:48])
        low = _next_eight(low, high)
        high = _next_eight(high, low)
        after = _eight_rounds(_eight_rounds(after, low, k[48:56]), high, k[56:])
        values[(STATE + 0) * LANES + lane] = before[0] + after[0]
        values[(STATE + 1) * LANES + lane] = before[1] + after[1]
        values[(STATE + 2) * LANES + lane] = before[2] + after[2]
        values[(STATE + 3) * LANES + lane] = before[3] + after[3]
        values[(STATE + 4) * LANES + lane] = before[4] + after[4]
        values[(STATE + 5) * LANES + lane] = before[5] + after[5]
        values[(STATE + 6) * LANES + lane] = before[6] + after[6]
        values[(STATE + 7) * LANES + lane] = before[7] + after[7]
