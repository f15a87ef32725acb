"""Do tasks on a cluster: the whole graph is handed over at once, and reports come back."""

import logging
from collections.abc import Callable, Collection
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import Condition
from time import monotonic
from typing import Any

from builders.cluster.remote_task import RunSettings, TaskReport, do_task
from builders.cluster.worker_pool import ClusterPool
from builders.workspace import Task, Workspace
from corpora.cluster import SILENCE_S, Call, Cluster, Resources, silence_text
from corpora.errors import InputError
from corpora.files import atomic_path

logger = logging.getLogger(__name__)
INTERVAL_S = 0.2  # between two looks at files that a task writes beside its own
CANCEL_S = 10.0  # for tasks to end by themselves
TASK_LOG = "cluster-tasks.jsonl"  # in the work folder: a line for each task of the newest run
TASK_BYTES = 1 << 30  # of memory for a task, if the run has no limit


class ClusterExecutor:
    """Does tasks on the nodes of a cluster that share the work folder."""

    def __init__(self, work: Workspace, cluster: Cluster, settings: RunSettings) -> None:
        self.reports: list[TaskReport] = []
        self._work = work
        self._cluster = cluster
        self._settings = settings
        self._resources = Resources(1, 0, settings.memory or TASK_BYTES)
        self._changed = Condition()
        self._pending: dict[Path, Call] = {}  # handed over, and not reported yet
        self._pools: list[ClusterPool] = []
        self._error: BaseException | None = None
        self._last_report_s = monotonic()  # when the last report came

    def submit(self, task: Task) -> Path:
        """Hand a task over; one whose file can be reused is done already."""
        path = self._work.path(task)
        with self._changed:
            if path in self._pending or self._error:
                return path
            after = [self._pending[need] for need in task.needs if need in self._pending]
            if not after and self._work.can_reuse(task):
                self._work.advance(task.stage, task.num_rows)
                return path
            remade = self._work.remade.intersection(task.needs)
            call = self._cluster.call(
                do_task, self._settings, task, remade, after=after, resources=self._resources, title=task.title
            )
            self._pending[path] = call
        call.future.add_done_callback(partial(self._end, path, task.stage, task.num_rows))
        return path

    def wait(self, paths: Collection[Path], some: bool = False) -> set[Path]:
        """Wait for all files, or for at least one, and return those that are there."""
        enough: Callable[..., bool] = any if some else all
        with self._changed:
            self._last_report_s = monotonic()
            while not enough(self._is_there(path) for path in paths) and not self._error:
                self._changed.wait(INTERVAL_S)
                self._explain_silence(paths)
            if self._error:
                raise self._error
            return {path for path in paths if self._is_there(path)}

    def start_workers(self, kind: Callable[..., Any], *arguments: Any, num_threads: int) -> ClusterPool:
        """Start a worker on each GPU of the cluster, or on each core if there is none."""
        total, memory = self._cluster.total(), self._settings.memory
        is_gpu = total["GPU"] >= 1
        resources = Resources(1, 1, memory) if is_gpu else Resources(1, 0, memory)
        pool = ClusterPool(self._cluster, int(total["GPU"] if is_gpu else total["CPU"]), resources, kind, arguments)
        self._pools.append(pool)
        return pool

    def device(self) -> str:
        """Return `cuda` if a node of the cluster has a GPU, else `cpu`; this machine's own do not count."""
        return "cuda" if self._cluster.total()["GPU"] >= 1 else "cpu"

    def close(self) -> None:
        """Drop tasks that have not begun, interrupt those under way, and wait until they have ended."""
        with self._changed:
            self._error = self._error or InterruptedError("the executor was closed")
            calls = list(self._pending.values())
        for pool in self._pools:
            pool.close()
        self._cluster.cancel(calls)
        with self._changed:
            if not self._changed.wait_for(lambda: not self._pending, CANCEL_S):
                self._cluster.cancel(list(self._pending.values()), is_forced=True)
                self._changed.wait_for(lambda: not self._pending, CANCEL_S)
        self._cluster.close()
        with atomic_path(self._work.folder / TASK_LOG) as path:
            path.write_text("".join(f"{report.to_json()}\n" for report in self.reports), encoding="utf-8")

    def _is_there(self, path: Path) -> bool:
        return path not in self._pending and self._work.is_intact(path)

    def _end(self, path: Path, stage: str, num_rows: int, future: "Future[TaskReport]") -> None:
        """Take the report of a task, or its error."""
        with self._changed:
            self._pending.pop(path, None)
            self._last_report_s = monotonic()
            if error := future.exception():
                self._error = self._error or error
            else:
                self._take(future.result())
                self._work.advance(stage, num_rows)
            self._changed.notify_all()

    def _take(self, report: TaskReport) -> None:
        self.reports.append(report)
        self._work.touched.extend(report.touched)
        self._work.remade |= report.remade
        for path in report.remade:
            self._work.checked.discard(path)
        for reason in report.reasons:
            self._work.explain(reason)
        for stage, num_rows in report.num_rows.items():
            self._work.advance(stage, num_rows)

    def _explain_silence(self, paths: Collection[Path]) -> None:
        """Say what the run waits for if no task has ended for a while."""
        if monotonic() - self._last_report_s < SILENCE_S:
            return
        self._last_report_s = monotonic()
        missing = [path for path in paths if path not in self._pending and not self._work.is_intact(path)]
        if missing and not self._pending:
            raise InputError(f"All tasks have ended, but {missing[0]} is not seen here. Run the same command again.")
        logger.warning(silence_text("task", len(self._pending), self._resources, self._cluster))
