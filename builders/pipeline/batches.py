"""Read the result of a query in batches, with the errors of a query."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa


def read_batches(relation: duckdb.DuckDBPyRelation, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a relation in batches; memory holds one.

    Raises:
        duckdb.IOException: The query failed; Arrow makes another error of it.
    """
    try:
        yield from relation.to_arrow_reader(batch_rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise duckdb.IOException(str(error)) from None
