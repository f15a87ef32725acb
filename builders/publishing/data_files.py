"""Write the data of a release: Parquet files of each config and split, and the ledger."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.pipeline import BuildResult
from builders.publishing.row_digests import SPLITS, join_lines
from cards.manifest import file_entry
from cards.manifest_types import Config, Split

ROWS_PER_GROUP = 100_000
GROUPS_PER_FILE = 10
LAYOUT: dict[str, str | int] = {
    "compression": "zstd",
    "chunks": "content-defined",
    "row_group": ROWS_PER_GROUP,
    "groups": GROUPS_PER_FILE,
}
LEDGER = "ledger.parquet"
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
TEXT = [(name, pa.string()) for name in ("instruction", "input", "output")]
SCHEMAS = {
    output_format: pa.schema(
        [(name, pa.string()) for name in ("id", "lang", "task", "direction")]
        + columns
        + [(name, pa.string()) for name in ("corpus", "split")]
    )
    for output_format, columns in {"instructions": TEXT, "messages": [("messages", pa.list_(MESSAGE))]}.items()
}


def write_data(built: BuildResult, output_format: str, folder: Path) -> dict[str, Config]:
    """Write the ledger and the Parquet files of every config, and return the configs as the manifest has them."""
    pq.write_table(built.ledger.to_arrow(), folder / LEDGER, compression="zstd")
    configs: dict[str, Config] = {}
    for config, langs in built.recipe.config_langs().items():
        splits: dict[str, Split] = {}
        for split in SPLITS:
            written = write_split(
                built.examples[config], split, SCHEMAS[output_format], folder, folder / "data" / config
            )
            if written["num_rows"]:
                splits[split] = written
        configs[config] = {"langs": list(langs), "splits": splits}
    return configs


def write_split(examples: Sequence[Path], split: str, schema: pa.Schema, release: Path, folder: Path) -> Split:
    """Write one split in the order of `examples`, cut into files, and return its entry."""
    rows = pl.scan_parquet([str(path) for path in examples], glob=False)
    num_rows = rows.filter(pl.col("split") == split).select(pl.len()).collect().item()
    num_files = -(-num_rows // (ROWS_PER_GROUP * GROUPS_PER_FILE))
    paths = [folder / f"{split}-{number:05}-of-{num_files:05}.parquet" for number in range(num_files)]
    digest, num_bytes, groups = hashlib.sha256(), 0, _read_groups(examples, split)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _BufferedFile(path) as file, _open_writer(file, schema) as writer:
            for table in islice(groups, GROUPS_PER_FILE):
                digest.update(join_lines(table["row_sha256"].combine_chunks()))
                rows = table.select(schema.names).cast(schema)
                num_bytes += rows.nbytes
                writer.write_table(rows)
                file.flush_buffer()
    files = [file_entry(release, path) for path in paths]
    return {"num_rows": num_rows, "num_bytes": num_bytes, "content_sha256": digest.hexdigest(), "files": files}


def _open_writer(file: io.RawIOBase, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(file, schema, compression="zstd", use_content_defined_chunking=True, write_page_index=True)


class _BufferedFile(io.RawIOBase):
    """A file that holds in memory what Arrow writes, and writes it to the disk a row group at a time.

    Arrow ends the process if a write fails between content-defined chunks; here a full disk is an OSError.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self.buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.buffer += data
        return len(data)

    def tell(self) -> int:
        return self.file.tell() + len(self.buffer)

    def flush_buffer(self) -> None:
        """Write the buffer to the disk; an OSError names the file."""
        try:
            self.file.write(self.buffer)
            self.file.flush()
        except OSError as error:
            error.filename = self.file.name
            raise
        self.buffer.clear()

    def close(self) -> None:
        if not self.closed:
            super().close()
            with self.file:
                self.flush_buffer()


def _read_groups(examples: Sequence[Path], split: str) -> Iterator[pa.Table]:
    """Yield the rows of a split in file order, in tables of ROWS_PER_GROUP rows and a last one of fewer."""
    batches: list[pa.RecordBatch] = []
    size = ROWS_PER_GROUP // 5  # more at once would be in memory thrice
    for batch in (batch for path in examples for batch in pq.ParquetFile(path).iter_batches(size)):
        batches += pa.Table.from_batches([batch]).filter(pc.field("split") == split).to_batches()
        if sum(part.num_rows for part in batches) >= ROWS_PER_GROUP:
            table = pa.Table.from_batches(batches)
            yield table[:ROWS_PER_GROUP].combine_chunks()
            batches = table[ROWS_PER_GROUP:].to_batches()
    if rest := [part for part in batches if part.num_rows]:
        yield pa.Table.from_batches(rest).combine_chunks()
