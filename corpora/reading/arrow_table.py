"""Read columns of an Arrow file or stream, as `datasets` keeps its caches."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from corpora.reading.archives import DAMAGE, bomb, check_file, damaged, max_expanded
from corpora.reading.columns import BATCH_ROWS
from corpora.reading.input_file import InputFile
from corpora.reading.parquet_table import find_paths, our_columns

FILE_MAGIC = b"ARROW1"


def read_arrow(file: InputFile, required: Sequence[str], optional: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns of an Arrow IPC file or stream; a dot in a column's name leads into a struct."""
    check_file(file.path)
    try:
        with pa.OSFile(str(file.path)) as source:
            is_file = source.read(len(FILE_MAGIC)) == FILE_MAGIC
            source.seek(0)
            reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
            paths = find_paths(file, reader.schema, required, optional)
            for batch in _batches(reader, is_file, file):
                yield our_columns(batch, paths, (*required, *optional), required)
    except (*DAMAGE, pa.ArrowException, MemoryError) as error:
        raise damaged(file.path, error) from None


def _batches(reader: pa.RecordBatchReader, is_file: bool, file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield batches of at most BATCH_ROWS rows; InputError if their sum is that of a bomb."""
    total, most = 0, max_expanded(file.path)
    for batch in (reader.get_batch(n) for n in range(reader.num_record_batches)) if is_file else reader:
        batch.validate(full=False)
        total += batch.nbytes
        if total > most:
            raise bomb(file.path, most)
        for first in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(first, BATCH_ROWS)


def check_arrow(start: bytes) -> bool:
    """Return whether a file begins as Arrow does: with its magic, or with the marker of a stream's first message."""
    return start.startswith((FILE_MAGIC, b"\xff\xff\xff\xff"))
