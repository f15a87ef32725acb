"""What a process of a cluster does with one task: the same as a thread of a local run, and a report of it."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from builders.workspace import Task, Workspace
from corpora.cluster import NodeFacts, appears, check_versions, node_name, own_versions
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions

SPILL = "builders-spill-"  # the folder of a process on its node's own disk
NEEDED_FILES_S = 60.0  # until a network filesystem shows a file that another node has written


@dataclass(frozen=True)
class RunSettings:
    """What all tasks of a run have in common."""

    folder: Path
    memory: int | None  # bytes of a task
    rehash: bool
    extensions: Extensions
    versions: tuple[tuple[str, str], ...]  # of the machine that began the run


@dataclass(frozen=True)
class TaskReport:
    """What a task did, where, and what it took."""

    title: str
    node: str
    is_made: bool
    remade: frozenset[Path]  # files that were damaged, or made from such
    touched: tuple[Path, ...]
    num_rows: Mapping[str, int]  # by stage, of what it has written beside its own file
    reasons: tuple[str, ...]  # why files were made or reused
    begun: float  # seconds since 1970
    seconds: float
    cpu_seconds: float
    max_bytes: int  # of memory, within this task where the system says so

    def to_json(self) -> str:
        """Return a line for the log of tasks."""
        names = ("title", "node", "is_made", "begun", "seconds", "cpu_seconds", "max_bytes")
        return json.dumps({name: getattr(self, name) for name in names})


def do_task(settings: RunSettings, task: Task, remade: Collection[Path], *earlier: TaskReport) -> TaskReport:
    """Do a task, unless its file can be reused, and report it.

    Args:
        settings: Those of the run.
        task: The task.
        remade: Files that it needs and that were damaged, as the driver knows.
        *earlier: Reports of the tasks that wrote the other files that it needs.
    """
    _check_versions(settings.versions)
    work, reasons = _open(settings.folder, settings.memory or share_of_memory(), settings.rehash)
    reasons.clear()
    work.touched.clear()
    work.remade.clear()
    work.remade.update(remade, *(report.remade for report in earlier))
    begun, cpu = time.time(), time.process_time()
    _reset_peak()
    with use_extensions(settings.extensions), _named_errors():
        _wait_for(task.needs)
        if is_made := not work.can_reuse(task):
            work.write(task)
    return TaskReport(
        task.title,
        node_name(),
        is_made,
        frozenset(work.remade),
        tuple(work.touched),
        work.take_counts(),
        tuple(reasons),
        begun,
        time.time() - begun,
        time.process_time() - cpu,
        _peak_bytes(),
    )


@cache
def _check_versions(expected: tuple[tuple[str, str], ...]) -> None:
    """Raise InputError if this node, which may have joined late, has other versions than the driver."""
    check_versions(NodeFacts(node_name(), own_versions()), dict(expected))


@cache
def _open(folder: Path, memory: int | None, rehash: bool) -> tuple[Workspace, list[str]]:
    """Return the work folder as this process uses it, on one core and its own disk, and the reasons that it gives."""
    disk = Path(tempfile.gettempdir())
    for left in disk.glob(f"{SPILL}*"):
        if not Path("/proc", left.name.removeprefix(SPILL)).exists():
            shutil.rmtree(left, ignore_errors=True)  # of a process that was killed
    reasons: list[str] = []
    return Workspace(folder, 1, memory, reasons.append, rehash, spill=disk / f"{SPILL}{os.getpid()}"), reasons


def share_of_memory() -> int:
    """Return the memory of this node for each of its cores: what a task may use where the run has no limit.

    DuckDB's own limit, four fifths of the node, would count for each of the tasks at the same time.
    """
    num_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1 << 30, num_bytes // (os.cpu_count() or 1))


def _wait_for(paths: Collection[Path]) -> None:
    for path in paths:
        if not appears(path, NEEDED_FILES_S):
            raise InputError(f"{path}, which another node has written, is not there after {NEEDED_FILES_S:.0f} seconds")


@contextmanager
def _named_errors() -> Iterator[None]:
    """Say on which node an error happened."""
    try:
        yield
    except (InputError, OSError) as error:
        raise InputError(f"On the node {node_name()}: {error}") from error


def _reset_peak() -> None:
    with suppress(OSError):  # elsewhere the peak is that of all tasks of this process
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    try:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    except OSError:
        return 0
    value: Any = status.get("VmHWM", "0 kB")
    return int(value.split()[0]) * 1024
