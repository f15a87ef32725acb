"""The work folder: each finished task is one Parquet file, under the key of everything that its result depends on."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from builders.workspace.changes import describe_changes
from builders.workspace.queries import execute, friendly_errors, has_footer, open_database, sql
from builders.workspace.stages import all_stages
from builders.workspace.task import Inputs, Task, inputs_json
from corpora.files import is_intact, remove_leftovers, remove_sealed, sealed_path
from corpora.progress import NullProgress, Progress

Tables = Mapping[str, Sequence[Path] | pa.Table]  # by the name that SQL uses: Parquet files, or rows in memory
Functions = Mapping[
    str, Callable[..., Any]
]  # by the name that SQL uses: functions of Arrow arrays that return booleans
ROW_GROUP_ROWS = 25 * 2048  # what DuckDB writes and reads in parallel: whole vectors of 2048 rows
LANGUAGE_IDS = "language_ids"  # the one table that is no task: a store of all texts that were ever identified


@dataclass
class Workspace:
    """A folder of finished tasks, and the means to do missing ones."""

    folder: Path
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    memory: int | None = None  # bytes that all processes of a run may hold; None: DuckDB's own limit
    explain: Callable[[str], None] = lambda sentence: None
    progress: Progress = field(default_factory=NullProgress)  # of the stage under way
    touched: list[Path] = field(default_factory=list)
    checked: set[Path] = field(default_factory=set)  # files that this run has compared with their seals

    @property
    def scratch(self) -> Path:
        """A folder for temporary files of this run, which removes it at its end."""
        return self.folder / ".builders-scratch"

    def clean(self) -> None:
        """Remove what killed runs left half-written, in our own folders only."""
        for name in (*all_stages(), "builds", LANGUAGE_IDS):
            remove_leftovers(self.folder / name)
        for store in (self.folder / LANGUAGE_IDS).glob("*"):
            remove_leftovers(store)
        for seal in (s for name in (*all_stages(), f"{LANGUAGE_IDS}/*") for s in self.folder.glob(f"{name}/*.sha256")):
            if re.fullmatch(r"(.+\.)?[0-9a-f]{16,32}", seal.stem) and not seal.with_suffix(".parquet").exists():
                seal.unlink()  # a kill came between the seal and its file
        shutil.rmtree(self.scratch, ignore_errors=True)

    def prune(self, keep: set[str]) -> None:
        """Remove every task's file except those with these paths, relative to the work folder."""
        for stage in all_stages():
            for path in (self.folder / stage).glob("*.parquet"):
                if re.fullmatch(r".+\.[0-9a-f]{16}\.parquet", path.name) and self.relative(path) not in keep:
                    remove_sealed(path)

    def relative(self, path: Path) -> str:
        """Return the path of a task's file within the work folder, as build manifests name it."""
        return path.relative_to(self.folder).as_posix()

    def path(self, task: Task) -> Path:
        """Return the path of the task's file, made or not."""
        return self.folder / task.stage / f"{task.name}.{task.key}.parquet"

    def can_reuse(self, task: Task) -> bool:
        """Return whether the task's file can be used as it is; `explain` gets the reason, a damaged file is removed."""
        path = self.path(task)
        self.touched.append(path)
        if not path.exists():
            self.explain(f"{task.stage} {task.name}: made, {self._reason(task)}")
            return False
        if not self.is_complete(task):
            self.explain(f"{task.stage} {task.name}: made again, its file is damaged")
            remove_sealed(path)
            return False
        self.explain(f"{task.stage} {task.name}: reused")
        return True

    def is_complete(self, task: Task) -> bool:
        """Return whether the task's file exists and equals its seal; a run reads a file for this once."""
        path = self.path(task)
        if path not in self.checked and is_intact(path):
            self.checked.add(path)
        return path in self.checked

    def _reason(self, task: Task) -> str:
        """Return what differs from the newest task of the same stage and name."""
        others = sorted((self.folder / task.stage).glob(f"{task.name}.*.parquet"), key=lambda p: p.stat().st_mtime)
        if not others:
            return "there is none yet"
        if not has_footer(others[-1]):
            return "the one before is damaged"
        before = json.loads((pq.read_metadata(others[-1]).metadata or {}).get(b"inputs", b"{}"))
        return "; ".join(describe_changes(before, json.loads(json.dumps(task.inputs)))) or "its key is new"

    def make(self, task: Task, write: Callable[[Path], None]) -> Path:
        """Return the task's file; if it cannot be reused, `write` writes it under a temporary name."""
        path = self.path(task)
        if not self.can_reuse(task):
            with sealed_path(path) as temporary:
                write(temporary)
        return path

    def query(
        self,
        task: Task,
        tables: Tables,
        parameters: Inputs,
        functions: Functions | None = None,
        num_rows: int = 0,
        **texts: str,
    ) -> Path:
        """Return the task's file, the result of its stage's SQL file over `tables`.

        Args:
            task: The task; its stage names the SQL file.
            tables: Tables that the SQL reads.
            parameters: Values of `$name` in the SQL; others are ignored.
            functions: Python functions that the SQL calls.
            num_rows: Rows by which the task advances the progress of its stage.
            **texts: Pieces of SQL for the `{placeholders}` of the file.
        """
        if self.is_complete(task):
            self.progress.advance(num_rows)

        def write(path: Path) -> None:
            with self.connect(tables, functions or {}) as connection:
                copy = f"copy ({sql(task.stage, **texts)}) to $path (format parquet, compression zstd, "
                copy += f"compression_level 1, row_group_size {ROW_GROUP_ROWS}, kv_metadata {{inputs: $inputs}})"
                named = {k: v for k, v in parameters.items() if f"${k}" in copy}
                values = named | {"path": str(path), "inputs": inputs_json(task)}
                execute(connection, copy, values, self.progress, num_rows)

        return self.make(task, write)

    @contextmanager
    def connect(self, tables: Tables, functions: Functions | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a DuckDB connection that spills to the work folder and has `tables` as views, in a schema of its own."""
        functions = functions or {}
        files = [path for rows in tables.values() if not isinstance(rows, pa.Table) for path in rows]
        self.scratch.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder of a path only
        pa.default_memory_pool().release_unused()  # or Arrow's free memory counts beside DuckDB's
        try:
            with friendly_errors(files, self.folder), self._database.cursor() as connection:
                connection.execute("create schema views; set search_path = 'views,main'")
                for name, function in functions.items():
                    connection.create_function(  # type: ignore[call-overload]
                        name, function, None, "BOOLEAN", type="arrow", null_handling="special"
                    )
                try:
                    for name, rows in tables.items():
                        if isinstance(rows, pa.Table):
                            connection.register(name, rows)
                        else:
                            connection.read_parquet([str(path) for path in rows]).create_view(name)
                    yield connection
                finally:
                    connection.execute("set search_path = 'main'; drop schema views cascade")
                    for name in functions:
                        connection.remove_function(name)
        finally:
            if self.memory and (database := self.__dict__.pop("_database", None)):
                database.close()  # or it would keep its free memory, where memory is limited

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        """One DuckDB for all queries of a run: starting one takes longer than most queries."""
        return open_database(self.threads, self.memory, self.scratch / "spill")


@contextmanager
def temporary_workspace() -> Iterator[Workspace]:
    """Open a work folder that is removed at the end of the block."""
    with TemporaryDirectory(prefix="builders-") as folder:
        yield Workspace(Path(folder))
