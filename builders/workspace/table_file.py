"""Write the table of a task that is made by Python rather than SQL, group after group."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_groups(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], inputs: str) -> None:
    """Write tables into one Parquet file, each as a group of its rows, with the inputs of the task."""
    schema = schema.with_metadata({"inputs": inputs})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.replace_schema_metadata(schema.metadata))
