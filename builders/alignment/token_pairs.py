"""A table in memory from pairs of tokens to rows: open addressing, for compiled code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.compiled import compiled

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
EMPTY = np.uint64(0)  # no key: key_of never returns it
MIN_CAPACITY = 1 << 10

Array = NDArray[Any]


def capacity_for(num_keys: int) -> int:
    """Return the slots of a table that is at most half full: a power of two."""
    return int(max(MIN_CAPACITY, 1 << (2 * num_keys - 1).bit_length())) if num_keys else MIN_CAPACITY


@compiled
def key_of(first, second):  # type: ignore[no-untyped-def]
    """Return the key of two values of 32 bits, not both 0."""
    return (np.uint64(first) << np.uint64(32)) | np.uint64(second)


@compiled
def slot_of(key, keys):  # type: ignore[no-untyped-def]
    """Return the slot that has a key, or the empty one where it belongs."""
    mask = np.uint64(keys.size - 1)
    value = (key ^ (key >> np.uint64(32))) * MULTIPLIER
    slot = (value ^ (value >> np.uint64(29))) & mask
    while keys[slot] != key and keys[slot] != EMPTY:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def fill_table(first, second, values, keys, slot_values):  # type: ignore[no-untyped-def]
    """Write the values of all pairs of tokens into a table."""
    for row in range(first.size):
        key = key_of(first[row], second[row])
        slot = slot_of(key, keys)
        keys[slot] = key
        slot_values[slot] = values[row]
