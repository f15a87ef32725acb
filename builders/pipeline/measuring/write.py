"""Write `measured` for a part of `pairs`: by SQL alone, or with the counts of characters by compiled code."""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from builders.pipeline.decontamination import load_indexes
from builders.workspace import Workspace, sql
from corpora.catalog import language
from corpora.language_id import script_patterns

if TYPE_CHECKING:
    from builders.pipeline.measuring.batches import BatchCounter


ROW_GROUP_ROWS = 25 * 2048  # whole vectors of DuckDB


def write_measured(
    work: Workspace,
    path: Path,
    pairs: Path,
    lang: str,
    early: str,
    reject: str,
    thresholds: Mapping[str, float],
    functions: Callable[[], Mapping[str, Callable[..., Any]]],
    is_compiled: bool,
    inputs: str,
    ngrams: Mapping[str, Path] | None = None,
) -> None:
    """Write a part of `measured`: the lines of a part of `pairs`, in their order.

    Args:
        work: The work folder, for its DuckDB.
        path: File to write.
        pairs: Part of `pairs`: lines of one corpus.
        lang: Their language.
        early: SQL for the name of the first filter over `pairs` that rejects a row, as `reject_sql` returns it.
        reject: The same for filters over `measured`.
        thresholds: The parameters of both.
        functions: Returns the Python functions that both call, by name.
        is_compiled: Whether compiled code counts characters: faster for many lines. The rows are the same.
        inputs: What the part is made from, for the metadata of the file.
        ngrams: Files of `ngrams` by language. Compiled code leaves out normalized texts that share no n-gram with their
            sentences; without it, and without files, all are written.
    """
    query = measured_sql(early, reject, is_compiled)
    copy = f"copy ({query}) to $path (format parquet, compression zstd, compression_level 1, "
    copy += f"row_group_size {ROW_GROUP_ROWS}, kv_metadata {{inputs: $inputs}})"
    values = {**thresholds, **measure_parameters(lang)}
    values = {name: value for name, value in values.items() if f"${name}" in copy}
    values |= {"path": str(path), "inputs": inputs}
    with work.connect({"pairs": [pairs]}, functions()) as connection:
        if is_compiled:
            from builders.pipeline.measuring.batches import BatchCounter

            indexes = None if ngrams is None else load_indexes(ngrams, lang, work)
            counter = BatchCounter(lang, early, thresholds, indexes)
            _execute_over_batches(connection, copy, values, pairs, counter)
        else:
            connection.execute(copy, values)


def _execute_over_batches(
    connection: duckdb.DuckDBPyConnection, copy: str, values: Mapping[str, Any], pairs: Path, counter: "BatchCounter"
) -> None:
    """Run the query over what compiled code makes of a part of `pairs`."""
    from builders.pipeline.measuring.batches import BatchReader

    with closing(BatchReader(pairs, counter, connection)) as batches:
        try:
            connection.register("counted_batches", batches.reader())
            connection.execute(copy, values)
        except (duckdb.Error, OSError, pa.ArrowInvalid) as error:
            cause = batches.error or error
            if isinstance(cause, OSError | pa.ArrowInvalid):
                raise duckdb.IOException(str(cause)) from None
            raise cause from None
        finally:
            connection.unregister("counted_batches")


def measured_sql(early: str, reject: str, is_compiled: bool = False) -> str:
    """Return the query of `measured` over `pairs`, or over the rows of `character_counts` that compiled code makes."""
    counts = "select * from counted_batches" if is_compiled else sql("character_counts", early_reject_reason=early)
    return sql("measured", character_counts=counts, reject_reason=reject)


def measure_parameters(lang: str) -> dict[str, Any]:
    """Return the $parameters of the query of `measured` for a language, without thresholds."""
    return {"ratio": language(lang).ratio} | script_patterns(lang)
