"""Ranges: tables over all lines of a language are made range by range of a key, so that no task holds a language."""

from collections.abc import Sequence
from dataclasses import dataclass

from builders.workspace import Inputs

RANGE_ROWS = 4_000_000  # rows of a range, about; DuckDB takes about 300 bytes for each of them to find duplicates
BUCKETS = 1 << 16  # of a side: the first 16 bits of its key


@dataclass(frozen=True)
class Range:
    """Range `number` of `count` of equal size."""

    number: int = 0
    count: int = 1

    @property
    def name(self) -> str:
        """The name that tells the tasks of ranges apart."""
        return f"{self.number:05}-of-{self.count:05}"

    def buckets(self, side: str) -> Inputs:
        """Return the first bucket of a side in the range, and the first after it; `keys` numbers xx after en."""
        first, after = (BUCKETS * n // self.count for n in (self.number, self.number + 1))
        start = BUCKETS if side == "xx" else 0
        return {"first_bucket": start + first, "after_bucket": start + after}

    def ids(self) -> Inputs:
        """Return the first id in the range, and one after it: ids are hexadecimal digits, and `g` follows `f`."""
        first, after = (f"{(n << 32) // self.count:08x}" for n in (self.number, self.number + 1))
        return {"first_id": first, "after_id": "g" if self.number + 1 == self.count else after}


def ranges_of(num_rows: int) -> Sequence[Range]:
    """Return the ranges of a table of at most `num_rows` rows."""
    count = max(1, -(-num_rows // RANGE_ROWS))
    return [Range(number, count) for number in range(count)]
