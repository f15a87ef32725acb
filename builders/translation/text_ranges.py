"""The distinct segments of a table, in ranges of their digests that each fit in memory."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.digest_ranges import num_bits, write_ranges
from builders.translation.memory import digest
from corpora.files import temporary_folder

BATCH_ROWS = 1 << 15  # of the table, read at once
SCHEMA = pa.schema([("sha256", pa.string()), ("text", pa.string())])


def text_ranges(segments: Path, folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the distinct segments of a table by digest, sorted by it, a range of digests after the other.

    Args:
        segments: A table with a column `segments`, lists of texts.
        folder: Where the ranges are written while they are read, if there are several.
    """
    bits = num_bits(_num_texts(segments))
    if not bits:
        yield dict(sorted((digest(text), text) for text in {text for texts in _texts(segments) for text in texts}))
        return
    with temporary_folder(folder) as spill:
        tables = (pa.table([list(map(digest, texts)), texts], schema=SCHEMA) for texts in _texts(segments))
        for path in write_ranges(tables, SCHEMA, bits, spill):
            table = pq.read_table(path)
            yield dict(sorted(zip(table["sha256"].to_pylist(), table["text"].to_pylist(), strict=True)))


def _num_texts(segments: Path) -> int:
    return sum(pc.sum(pc.list_value_length(batch)).as_py() or 0 for batch in _batches(segments))


def _batches(segments: Path) -> Iterator[pa.Array]:
    for batch in pq.ParquetFile(segments).iter_batches(BATCH_ROWS, columns=["segments"]):
        yield batch.column(0)


def _texts(segments: Path) -> Iterator[list[str]]:
    for batch in _batches(segments):
        yield pc.unique(batch.flatten()).to_pylist()
