"""Digests of rows: a SHA-256 a row, and one of all in the order of the file; the same whoever writes the Parquet."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.pipeline.build import Built
from builders.workspace import Workspace, sql

SPLITS = ("train", "validation")
BATCH = 100_000  # rows


def count_digests(built: Built) -> dict[str, dict[str, dict[str, Any]]]:
    """The rows of each config and split and their digest, as the manifest will have them: before any is written."""
    return {
        config: {split: rows for split in SPLITS if (rows := count_rows(path, split))["rows"]}
        for config, path in built.examples.items()
    }


def count_rows(examples: Path, split: str) -> dict[str, Any]:
    """The rows of a split, and their digest, from those of each row."""
    digest, rows = hashlib.sha256(), 0
    for batch in pq.ParquetFile(examples).iter_batches(BATCH, columns=["split", "row_sha256"]):
        chosen = batch.filter(pc.equal(batch["split"], split))["row_sha256"]
        digest.update(lines(chosen))
        rows += len(chosen)
    return {"rows": rows, "rows_sha256": digest.hexdigest()}


def lines(digests: pa.Array) -> memoryview:
    """The digests of rows as lines, which is what a digest of all rows is taken of."""
    lines = pc.binary_join_element_wise(digests.cast(pa.string()), "", "\n")
    return memoryview(lines.buffers()[2])[: 65 * len(lines)] if len(lines) else memoryview(b"")


def rows_digest(files: Sequence[Path], work: Workspace) -> str:
    """The digest of the rows that published Parquet files hold, whoever wrote them."""
    digest = hashlib.sha256()
    for path in files:
        with work.connect({"published": [path]}) as connection:
            connection.execute("set preserve_insertion_order = true")
            for batch in connection.sql(sql("digests")).to_arrow_reader(BATCH):
                digest.update(lines(batch["row_sha256"]))
    return digest.hexdigest()
