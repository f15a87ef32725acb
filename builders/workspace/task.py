"""Tasks: values that say what a file is made of and how; each is done once, under the key of all that it depends on."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from builders.workspace.queries import macros, sql

Inputs = Mapping[str, Any]  # JSON values: file names (which contain keys), digests, thresholds, versions of code
Tables = Mapping[str, Sequence[Path] | pa.Table]  # by the name that SQL uses: Parquet files, or rows in memory
Functions = Callable[[], Mapping[str, Callable[..., Any]]]  # by the name that SQL uses: functions of Arrow arrays
Run = Callable[[Any, Path], None]  # of a workspace and a path: writes the file of a task there
ROW_GROUP_ROWS = 25 * 2048  # what DuckDB writes and reads in parallel: whole vectors of 2048 rows


class Database(Protocol):
    """What a query asks of a workspace."""

    def connect(
        self, tables: Tables, functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open a DuckDB connection that has `tables` as views."""


@dataclass(frozen=True)
class Task:
    """A stage, a name within it, everything that the result depends on, and what makes it. A task can be pickled."""

    stage: str
    name: str
    inputs: Inputs
    needs: tuple[Path, ...] = ()  # files that other tasks write
    run: Run | None = field(default=None, compare=False)
    num_rows: int = 0  # by which the task advances the progress of its stage

    @cached_property
    def key(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of stage, name and inputs as canonical JSON."""
        text = json.dumps([self.stage, self.name, self.inputs], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """The stage and the name, for messages."""
        return f"{self.stage} {self.name}"


@dataclass(frozen=True)
class Query:
    """Write the result of a file of sql/ over tables, as `Task.run`."""

    file: str
    tables: Tables
    values: Inputs  # of `$name` in the SQL; others are ignored
    texts: Mapping[str, str]  # pieces of SQL for the `{placeholders}` of the file
    inputs: str
    functions: Functions | None = None

    def __call__(self, work: Database, path: Path) -> None:
        with work.connect(self.tables, self.functions() if self.functions else None) as connection:
            copy = f"copy ({sql(self.file, **self.texts)}) to $path (format parquet, compression zstd, "
            copy += f"compression_level 1, row_group_size {ROW_GROUP_ROWS}, kv_metadata {{inputs: $inputs}})"
            named = {name: value for name, value in self.values.items() if f"${name}" in copy}
            connection.execute(copy, named | {"path": str(path), "inputs": self.inputs})


def query_task(
    stage: str,
    name: str,
    tables: Tables,
    values: Inputs | None = None,
    *,
    thresholds: Inputs | None = None,
    functions: Functions | None = None,
    num_rows: int = 0,
    inputs: Inputs | None = None,
    **texts: str,
) -> Task:
    """Return the task that runs the SQL file of a stage.

    Args:
        stage: The stage, which is the name of the SQL file too.
        name: The name of the task within the stage.
        tables: Tables that the SQL reads: files of other tasks, whose names contain their keys, or rows in memory,
            which `inputs` has to identify.
        values: Values of `$name` in the SQL.
        thresholds: The same, of filters.
        functions: Returns the Python functions that the SQL calls.
        num_rows: Rows by which the task advances the progress of its stage.
        inputs: What else the result depends on.
        **texts: Pieces of SQL for the `{placeholders}` of the file.
    """
    needs = tuple(path for rows in tables.values() if not isinstance(rows, pa.Table) for path in rows)
    made_from = {
        key: [path.name for path in rows] for key, rows in tables.items() if not isinstance(rows, pa.Table) and rows
    }
    digest = hashlib.sha256((macros() + sql(stage)).encode()).hexdigest()[:16]
    values, more = values or {}, {"thresholds": thresholds} if thresholds else {}
    origin = {
        "from": made_from,
        "sql": digest,
        "duckdb": duckdb.__version__,
        **values,
        **texts,
        **more,
        **(inputs or {}),
    }
    run = Query(stage, tables, {**values, **(thresholds or {})}, texts, inputs_text(origin), functions)
    return Task(stage, name, origin, needs, run, num_rows)


def inputs_json(task: Task) -> str:
    """Return the task's inputs as JSON, as the metadata of its file has them."""
    return inputs_text(task.inputs)


def inputs_text(inputs: Inputs) -> str:
    """Return inputs as JSON."""
    return json.dumps(inputs, sort_keys=True, ensure_ascii=False)
