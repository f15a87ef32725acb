"""Digests of rows: the SHA-256 of each row, and one of all rows of a file; they do not depend on the Parquet writer."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.pipeline import BuildResult
from builders.workspace import Workspace, sql
from corpora.errors import InputError

SPLITS = ("train", "validation")
BATCH_ROWS = 100_000


def count_digests(built: BuildResult) -> dict[str, dict[str, dict[str, Any]]]:
    """Return number and digest of the rows of each config and split, before any of them is written."""
    return {
        config: {split: rows for split in SPLITS if (rows := digest_split(paths, split))["num_rows"]}
        for config, paths in built.examples.items()
    }


def digest_split(examples: Sequence[Path], split: str) -> dict[str, Any]:
    """Return number and digest of the rows of a split, from the digest of each row."""
    digest, num_rows = hashlib.sha256(), 0
    columns = ["split", "row_sha256"]
    for batch in (b for path in examples for b in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=columns)):
        digests = batch.filter(pc.equal(batch["split"], split))["row_sha256"]
        digest.update(join_lines(digests))
        num_rows += len(digests)
    return {"num_rows": num_rows, "content_sha256": digest.hexdigest()}


def join_lines(digests: pa.Array) -> memoryview:
    """Return the digests of rows as lines, of which the digest of all rows is taken."""
    lines = pc.binary_join_element_wise(digests.cast(pa.string()), "", "\n")
    return memoryview(lines.buffers()[2])[: 65 * len(lines)] if len(lines) else memoryview(b"")


def rows_digest(tables: Iterable[pa.Table], work: Workspace) -> str:
    """Return the digest of the rows in the tables of a split, whoever wrote them."""
    digest = hashlib.sha256()
    for table in tables:
        with work.connect({"published": table}) as connection:
            connection.execute("set preserve_insertion_order = true")
            for batch in connection.sql(sql("digests")).to_arrow_reader(BATCH_ROWS):
                if batch["row_sha256"].null_count:
                    raise InputError("A row has no digest: a text of it is not UTF-8.")
                digest.update(join_lines(batch["row_sha256"]))
    return digest.hexdigest()
