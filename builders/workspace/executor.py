"""Do tasks: an executor takes tasks in any order and does each when the files that it needs are there."""

from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from pathlib import Path
from threading import Condition
from typing import Any, Protocol

from builders.workspace.task import Task
from builders.workspace.worker_pool import ThreadWorkers, WorkerPool

INTERVAL_S = 0.05  # between two looks at files that a task writes beside its own


class Executor(Protocol):
    """Does tasks somewhere. Tasks share nothing but files, so an engine that runs them on other machines can be one."""

    def submit(self, task: Task) -> Path:
        """Take a task, to be done as soon as the files that it needs are there, and return the path of its file."""

    def wait(self, paths: Collection[Path], some: bool = False) -> set[Path]:
        """Wait for all files, or for at least one, and return those that are there.

        Raises:
            Exception: What a task raised. No further task is begun then.
        """

    def start_workers(self, kind: Callable[..., Any], *arguments: Any, num_threads: int) -> WorkerPool:
        """Start workers: this process, or one on each GPU of other machines, or on each core if there is none.

        Args:
            kind: Makes the object of a worker, whose method `do` takes a request.
            *arguments: Those of `kind`.
            num_threads: How many requests are done at the same time if this process does them.
        """

    def device(self) -> str | None:
        """Return `cuda` or `cpu`, where workers compute; None for this machine, whatever it has."""

    def close(self) -> None:
        """Drop tasks that have not begun, interrupt those under way, and wait until they have ended."""


class TaskFolder(Protocol):
    """What an executor asks of a work folder."""

    def path(self, task: Task) -> Path:
        """Return the path of a task's file, made or not."""

    def can_reuse(self, task: Task) -> bool:
        """Return whether a task's file can be used as it is."""

    def is_intact(self, path: Path) -> bool:
        """Return whether a file is there and agrees with its seal."""

    def write(self, task: Task) -> None:
        """Write a task's file in this thread."""

    def advance(self, stage: str, num_rows: int) -> None:
        """Report rows of a stage as done."""

    def interrupt(self) -> None:
        """Stop queries under way."""


class LocalExecutor:
    """Does tasks of all stages at the same time, in threads of this process: DuckDB and compiled code use them."""

    def __init__(self, work: TaskFolder, threads: int) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(threads, "task")
        self._changed = Condition()
        self._pending: dict[Path, Task] = {}  # taken, and not done yet
        self._missing: dict[Path, set[Path]] = {}  # what a pending task waits for
        self._waiting: defaultdict[Path, list[Path]] = defaultdict(list)  # pending tasks that need a file
        self._running: set[Future[None]] = set()
        self._error: BaseException | None = None

    def submit(self, task: Task) -> Path:
        """Take a task; one whose file can be reused is done already."""
        path = self._work.path(task)
        with self._changed:
            if path in self._pending:
                return path
            missing = {need for need in task.needs if need in self._pending}
            if not missing and self._work.can_reuse(task):
                self._work.advance(task.stage, task.num_rows)
                return path
            self._pending[path], self._missing[path] = task, missing
            for need in missing:
                self._waiting[need].append(path)
            if not missing:
                self._start(path, is_checked=True)
        return path

    def wait(self, paths: Collection[Path], some: bool = False) -> set[Path]:
        """Wait for all files, or for at least one, and return those that are there."""
        enough: Callable[..., bool] = any if some else all
        with self._changed:
            while not enough(self._is_there(path) for path in paths) and not self._error:
                self._changed.wait(INTERVAL_S)
            if self._error:
                raise self._error
            return {path for path in paths if self._is_there(path)}

    def start_workers(self, kind: Callable[..., Any], *arguments: Any, num_threads: int) -> WorkerPool:
        """Start threads of this process, which share one object."""
        return ThreadWorkers(kind(*arguments).do, num_threads)

    def device(self) -> str | None:
        """Return None: this machine, whatever it has."""
        return None

    def close(self) -> None:
        """Drop tasks that have not begun, interrupt those under way, and wait until they have ended."""
        with self._changed:
            self._error = self._error or InterruptedError("the executor was closed")
            self._pending.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)
        while self._running:
            self._work.interrupt()  # again and again: a query may begin after it
            wait(list(self._running), INTERVAL_S)

    def _is_there(self, path: Path) -> bool:
        return path not in self._pending and self._work.is_intact(path)

    def _start(self, path: Path, is_checked: bool) -> None:
        if not self._error:
            context = copy_context()  # with the tables and code of the user's that are in use
            future = self._pool.submit(context.run, self._do, path, self._pending[path], is_checked)
            self._running.add(future)
            future.add_done_callback(self._running.discard)

    def _do(self, path: Path, task: Task, is_checked: bool) -> None:
        """Do a task, unless its file can be reused, and begin those that waited for it alone."""
        if self._error:
            return
        try:
            if is_checked or not self._work.can_reuse(task):
                self._work.write(task)
            self._work.advance(task.stage, task.num_rows)
        except BaseException as error:
            with self._changed:
                self._error = self._error or error
                self._changed.notify_all()
            return
        with self._changed:
            self._pending.pop(path, None)
            for waiting in self._waiting.pop(path, ()):
                missing = self._missing.get(waiting, set())
                missing.discard(path)
                if not missing and waiting in self._pending:
                    self._start(waiting, is_checked=False)
            self._changed.notify_all()
