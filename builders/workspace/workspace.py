"""The work folder: each finished task is one Parquet file, under the key of everything that its result depends on."""

import json
import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
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
from builders.workspace.executor import Executor, LocalExecutor
from builders.workspace.free_memory import release_unused_memory
from builders.workspace.queries import friendly_errors, has_footer, open_database
from builders.workspace.stages import all_stages
from builders.workspace.task import Tables, Task
from corpora.files import is_intact, remove_leftovers, remove_sealed, sealed_path
from corpora.progress import NullProgress, Progress
from corpora.stores import StagedFolder

BYTES_PER_WORKER = 1 << 30  # of the memory of a run, for each task at the same time


@dataclass
class Workspace:
    """A folder of finished tasks, and the means to do missing ones."""

    folder: Path
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    memory: int | None = None  # bytes that all processes of a run may hold; None: DuckDB's own limit
    explain: Callable[[str], None] = lambda sentence: None
    rehash: bool = False  # whether files are read to compare them with their seals
    spill: Path | None = None  # for temporary files, on a disk of this machine; None: in the work folder
    staged: StagedFolder | None = None  # a store that has the finished files of this folder too
    progress: Progress = field(default_factory=NullProgress)  # of the stage under way
    touched: list[Path] = field(default_factory=list)
    checked: set[Path] = field(default_factory=set)  # files that this run has compared with their seals
    remade: set[Path] = field(default_factory=set)  # files that were damaged, and those made from them
    is_interrupted: bool = False  # whether tasks under way are to end

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()
        self._connections: set[duckdb.DuckDBPyConnection] = set()
        self._done: Counter[str] = Counter()  # rows by stage that no progress has shown yet
        self._stage: str | None = None

    @property
    def scratch(self) -> Path:
        """A folder for temporary files of this run, which removes it at its end."""
        return self.spill or self.folder / ".builders-scratch"

    def clean(self) -> None:
        """Remove what killed runs left half-written, in our own folders only."""
        for name in (*all_stages(), "builds"):
            remove_leftovers(self.folder / name)
        remove_leftovers(
            self.folder, r"\.tmp-[0-9a-f]{16}(-(lease|probe|cluster-tasks\.jsonl))?"
        )  # others may be the user's
        for seal in (seal for name in all_stages() for seal in self.folder.glob(f"{name}/*.sha256")):
            if re.fullmatch(r"[^.].*\.[0-9a-f]{16}", seal.stem) and not seal.with_suffix(".parquet").exists():
                seal.unlink()  # a kill came between the seal and its file
        shutil.rmtree(self.scratch, ignore_errors=True)
        if self.staged:
            self.staged.clean(lambda name: _is_task((self.folder / name).with_suffix(".parquet")))

    def prune(self, keep: set[str]) -> None:
        """Remove every task's file except those with these paths, relative to the work folder."""
        for stage in all_stages():
            for path in (self.folder / stage).glob("*.parquet"):
                if _is_task(path) and self.relative(path) not in keep:
                    self.remove(path)
        for name in self.staged.names() - keep if self.staged else ():
            if _is_task(self.folder / name):
                self.remove(self.folder / name)

    def remove(self, path: Path) -> None:
        """Remove a task's file with its seal, in the store too."""
        if self.staged:
            self.staged.remove(path)
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
        if self.staged:
            self.staged.fetch(path)
        if not path.exists():
            self.explain(f"{task.title}: made, {self._reason(task)}")
            return False
        is_suspect = not self.remade.isdisjoint(task.needs)
        if is_suspect or not self.is_intact(path):
            reason = "a file that it is made from was damaged" if is_suspect else "its file is damaged"
            self.explain(f"{task.title}: made again, {reason}")
            self.remade.add(path)
            self.checked.discard(path)
            self.remove(path)
            return False
        self.explain(f"{task.title}: reused")
        return True

    def is_intact(self, path: Path) -> bool:
        """Return whether a file is there and agrees with its seal; a run looks at a file once."""
        if self.staged and path not in self.checked:
            self.staged.fetch(path)
        if path not in self.checked and is_intact(path, self.rehash):
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
            self._commit(path)
        return path

    def write(self, task: Task) -> None:
        """Write the task's file in this thread."""
        assert task.run, f"{task.title} is a name only"
        if self.memory:
            release_unused_memory()  # of earlier tasks
        with sealed_path(self.path(task)) as temporary:
            task.run(self, temporary)
        self._commit(self.path(task))

    def _commit(self, path: Path) -> None:
        if self.staged:
            self.staged.commit(path)

    def submit(self, task: Task) -> Path:
        """Let the executor do a task as soon as what it needs is there; return the path that its file will have."""
        self.touched.append(self.path(task))  # whoever does it, and whenever
        return self.executor.submit(task)

    def wait(self, paths: Collection[Path], some: bool = False) -> set[Path]:
        """Wait for all files, or for at least one, and return those that are there; raise what a task raised."""
        return self.executor.wait(paths, some)

    def do(self, task: Task) -> Path:
        """Do a task now, and return its file."""
        path = self.submit(task)
        self.wait([path])
        return path

    @cached_property
    def executor(self) -> Executor:
        """What does the tasks of this run."""
        return LocalExecutor(self, self.workers)

    @property
    def workers(self) -> int:
        """How many tasks are done at the same time."""
        return min(self.threads, max(1, self.memory // BYTES_PER_WORKER)) if self.memory else self.threads

    def close(self) -> None:
        """Stop the executor; what it has finished is kept."""
        if executor := self.__dict__.pop("executor", None):
            executor.close()

    def interrupt(self) -> None:
        """Stop queries under way, and what asks `is_interrupted` between steps of its work."""
        self.is_interrupted = True
        with self._lock:
            for connection in self._connections:
                connection.interrupt()

    def advance(self, stage: str, num_rows: int) -> None:
        """Report rows of a stage as done: now if it is the stage under way, or when it is its turn."""
        with self._lock:
            if stage == self._stage:
                self.progress.advance(num_rows)
            else:
                self._done[stage] += num_rows

    def take_counts(self) -> dict[str, int]:
        """Return the rows by stage that were reported and not shown, and forget them."""
        with self._lock:
            counts, self._done = dict(self._done), Counter()
            return counts

    def begin_stage(self, stage: str | None, progress: Progress) -> None:
        """Report a stage from now on: first the rows of it that are done."""
        with self._lock:
            self._stage, self.progress = stage, progress
            progress.advance(self._done.pop(stage, 0) if stage else 0)

    @contextmanager
    def connect(
        self, tables: Tables, functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a DuckDB connection that spills to the work folder and has `tables` as views."""
        functions = functions or {}
        files = [path for rows in tables.values() if not isinstance(rows, pa.Table) for path in rows]
        self.scratch.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder of a path only
        pa.default_memory_pool().release_unused()  # or Arrow's free memory counts beside DuckDB's
        try:
            with friendly_errors(files, self.folder), self._database().cursor() as connection:
                connection.execute("create schema views; set search_path = 'views,main'")
                for name, function in functions.items():
                    connection.create_function(  # type: ignore[call-overload]
                        name, function, None, "BOOLEAN", type="arrow", null_handling="special"
                    )
                with self._lock:
                    self._connections.add(connection)
                try:
                    for name, rows in tables.items():
                        if isinstance(rows, pa.Table):
                            connection.register(name, rows)
                        else:
                            connection.read_parquet([str(path) for path in rows]).create_view(name)
                    yield connection
                finally:
                    with self._lock:
                        self._connections.discard(connection)
                    connection.execute("set search_path = 'main'; drop schema views cascade")
                    for name in functions:
                        connection.remove_function(name)
        finally:
            if self.memory and (database := self._local.__dict__.pop("database", None)):
                database.close()  # or it would keep its free memory, where memory is limited

    def _database(self) -> duckdb.DuckDBPyConnection:
        """Return the DuckDB of this thread: starting one takes longer than most queries."""
        if not hasattr(self._local, "database"):
            memory = self.memory // self.workers if self.memory else None
            self._local.database = open_database(
                self.threads, memory, self.scratch / f"spill-{threading.get_native_id()}"
            )
        return self._local.database  # type: ignore[no-any-return]


def _is_task(path: Path) -> bool:
    """Return whether a file has the name of a task's; others may be the user's."""
    is_named = re.fullmatch(r"[^.].*\.[0-9a-f]{16}\.parquet", path.name)
    return path.parent.name in all_stages() and bool(is_named)


@contextmanager
def temporary_workspace() -> Iterator[Workspace]:
    """Open a work folder that is removed at the end of the block."""
    with TemporaryDirectory(prefix="builders-") as folder:
        work = Workspace(Path(folder))
        try:
            yield work
        finally:
            work.close()
