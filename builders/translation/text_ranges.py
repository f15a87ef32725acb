"""The distinct segments of a table, in ranges of their digests that each fit in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.memory import digest
from corpora.files import temporary_folder

RANGE_SEGMENTS = 1 << 17  # about as many, equal ones counted each time, in a range
BATCH_ROWS = 1 << 15  # of the table, read at once
DIGIT_BITS = 16  # of a digest, by which its range is found
SCHEMA = pa.schema([("text", pa.string())])


def text_ranges(segments: Path, folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the distinct segments of a table by digest, sorted by it, a range of digests after the other.

    Args:
        segments: A table with a column `segments`, lists of texts.
        folder: Where the ranges are written while they are read, if there are several.
    """
    num_bits = _num_bits(segments)
    if not num_bits:
        yield _by_digest(text for texts in _texts(segments) for text in texts)
        return
    with temporary_folder(folder) as spill:
        _write_ranges(segments, num_bits, spill)
        for number in range(1 << num_bits):
            yield _by_digest(pq.read_table(spill / f"{number}.parquet")["text"].to_pylist())


def _num_bits(segments: Path) -> int:
    """Return how many bits of a digest say which range it belongs to: 0 for one range, n for 2^n ranges."""
    lengths = (pc.sum(pc.list_value_length(batch)).as_py() or 0 for batch in _batches(segments))
    return min(DIGIT_BITS, (max(0, sum(lengths) - 1) // RANGE_SEGMENTS).bit_length())


def _batches(segments: Path) -> Iterator[pa.Array]:
    for batch in pq.ParquetFile(segments).iter_batches(BATCH_ROWS, columns=["segments"]):
        yield batch.column(0)


def _texts(segments: Path) -> Iterator[list[str]]:
    for batch in _batches(segments):
        yield pc.unique(batch.flatten()).to_pylist()


def _by_digest(texts: Iterable[str]) -> dict[str, str]:
    return dict(sorted((digest(text), text) for text in set(texts)))


def _write_ranges(segments: Path, num_bits: int, folder: Path) -> None:
    """Write the segments of each range into a file of its number."""
    with ExitStack() as stack:
        writers = [
            stack.enter_context(pq.ParquetWriter(folder / f"{number}.parquet", SCHEMA))
            for number in range(1 << num_bits)
        ]
        for texts in _texts(segments):
            ranges = defaultdict[int, list[str]](list)
            for text in texts:
                ranges[int(digest(text)[: DIGIT_BITS // 4], 16) >> (DIGIT_BITS - num_bits)].append(text)
            for number, own in ranges.items():
                writers[number].write_table(pa.table([own], schema=SCHEMA))
