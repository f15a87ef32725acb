"""The texts of the pairs that filters so far keep: what is judged by its words, or by a model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from builders.pipeline.batches import read_batches
from builders.pipeline.decisions import PartTables, deciding_task
from builders.pipeline.filters import Filter
from builders.workspace import Query, Task, Workspace, inputs_json, sql

BATCH_ROWS = 50_000  # pairs whose texts are in memory at the same time


def kept_texts_task(
    stage: str,
    tables: PartTables,
    filters: tuple[Filter, ...],
    scores: Sequence[str],
    write: Callable[..., None],
    own: Mapping[str, Any],
) -> Task:
    """Return a task over the texts of the pairs of a part that filters keep.

    Args:
        stage: The task's.
        tables: The tables of the part that decide.
        filters: Those that decide.
        scores: Columns with the user's scores.
        write: Writes the file; gets the query `decisions` and the path of the pairs, for `read_kept_texts`.
        own: What else the file is made from.
    """
    deciding = deciding_task(tables, filters, scores)
    assert isinstance(deciding.run, Query)
    inputs = {**deciding.inputs, "texts_sql": sql("kept_texts"), **own}
    task = Task(stage, tables.part.name, inputs, (*deciding.needs, tables.part.pairs))
    run = partial(write, decisions=deciding.run, pairs=tables.part.pairs)
    return replace(task, run=partial(run, inputs=inputs_json(task)))


def read_kept_texts(work: Workspace, decisions: Query, pairs: Path) -> Iterator[pa.RecordBatch]:
    """Yield digest, corpus, line number and both texts of the pairs that `decisions` keeps, ordered by the digest."""
    query = sql("kept_texts", decisions=sql("decisions", **decisions.texts))
    values = {name: value for name, value in decisions.values.items() if f"${name}" in query}
    functions = decisions.functions() if decisions.functions else {}
    with work.connect({**decisions.tables, "pairs": [pairs]}, functions) as connection:
        yield from read_batches(connection.sql(query, params=values), BATCH_ROWS)
