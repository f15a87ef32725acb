"""Rows in ranges of their digests that each fit in memory: in files of a folder while there are several."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.files import temporary_folder

RANGE_ROWS = 1 << 17  # about as many in a range
DIGIT_BITS = 16  # of a digest, by which its range is found


def num_bits(num_rows: int) -> int:
    """Return how many bits of a digest say which range a row belongs to: 0 for one range, n for 2^n ranges."""
    return min(DIGIT_BITS, (max(0, num_rows - 1) // RANGE_ROWS).bit_length())


def range_of(digest: str, bits: int) -> int:
    """Return the number of the range of a digest."""
    return int(digest[: DIGIT_BITS // 4], 16) >> (DIGIT_BITS - bits)


def write_ranges(tables: Iterable[pa.Table], schema: pa.Schema, bits: int, folder: Path) -> list[Path]:
    """Write rows, by their column `sha256`, into a file for each range, in their order; return the files in order."""
    paths = [folder / f"{number}.parquet" for number in range(1 << bits)]
    with ExitStack() as stack:
        writers = [stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd")) for path in paths]
        for table in tables:
            for number, rows in _by_range(table, bits):
                writers[number].write_table(rows)
    return paths


def read_ranges(paths: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the rows of files, in their order within each range, a range after the other."""
    bits = num_bits(sum(pq.read_metadata(path).num_rows for path in paths))
    if not bits:
        yield pa.concat_tables(map(pq.read_table, paths))
        return
    with temporary_folder(paths[0].parent) as folder:
        for path in write_ranges(map(pq.read_table, paths), pq.read_schema(paths[0]), bits, folder):
            yield pq.read_table(path)


def _by_range(table: pa.Table, bits: int) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of each range that a table has rows of."""
    digests = table["sha256"].to_pylist()
    numbers = np.fromiter((range_of(digest, bits) for digest in digests), np.int64, len(digests))
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    sorted_rows = table.take(pa.array(order)).combine_chunks()
    for first, last in zip(starts, [*starts[1:], len(order)], strict=True):
        yield int(numbers[order[first]]), sorted_rows.slice(first, last - first)
