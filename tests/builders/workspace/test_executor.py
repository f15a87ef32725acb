"""The local executor: tasks are done when their inputs are there, errors reach who waits, closing leaves nothing."""

import threading
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.workspace import Task, Workspace, query_task
from corpora.progress import CallbackProgress, Status


@pytest.fixture
def work(tmp_path):
    opened = Workspace(tmp_path / "work", threads=2)
    yield opened
    opened.close()


def write_sum(work: Workspace, path: Path, needs: tuple[Path, ...], value: int) -> None:
    """Write the sum of a value and of those of the files that are needed."""
    total = value + sum(pq.read_table(need)["value"][0].as_py() for need in needs)
    pq.write_table(pa.table({"value": [total]}), path)


def adding(name: str, value: int, *needs: Path) -> Task:
    inputs = {"value": value, "from": [need.name for need in needs]}
    return Task("pairs", name, inputs, needs, partial(write_sum, needs=needs, value=value), num_rows=1)


def value_of(path: Path) -> int:
    return pq.read_table(path)["value"][0].as_py()


def test_tasks_are_done_after_what_they_need_in_any_order_of_names(work):
    first = work.submit(adding("c", 1))
    second = work.submit(adding("b", 2, first))
    third = work.submit(adding("a", 3, first, second))
    assert work.wait([third]) == {third}
    assert [value_of(path) for path in (first, second, third)] == [1, 3, 7]


def test_task_that_is_submitted_twice_is_done_once(work):
    calls: list[int] = []

    def write(work: Workspace, path: Path) -> None:
        calls.append(1)
        pq.write_table(pa.table({"value": [1]}), path)

    task = Task("pairs", "a", {}, run=write)
    work.wait([work.submit(task), work.submit(task)])
    work.do(task)
    assert calls == [1]


def test_error_of_a_task_is_raised_where_one_waits_and_nothing_that_needs_it_is_made(work):
    def fail(work: Workspace, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("the disk is gone")

    failed = work.submit(Task("pairs", "a", {}, run=fail))
    later = work.submit(adding("b", 1, failed))
    with pytest.raises(RuntimeError, match="the disk is gone"):
        work.wait([later])
    assert not [path for path in work.folder.rglob("*") if path.is_file()]


def test_wait_for_some_returns_when_the_first_file_is_written(work):
    open_gate = threading.Event()

    def slow(work: Workspace, path: Path) -> None:
        assert open_gate.wait(20)
        pq.write_table(pa.table({"value": [1]}), path)

    late, early = work.submit(Task("pairs", "late", {}, run=slow)), work.submit(adding("early", 1))
    assert work.wait([late, early], some=True) == {early}
    open_gate.set()
    assert work.wait([late, early]) == {late, early}


def test_closing_drops_tasks_that_have_not_begun_and_interrupts_queries(tmp_path):
    work = Workspace(tmp_path / "work", threads=1)
    rows = pa.table({"id": ["a"], "lang": ["el"], "task": ["text"], "direction": [""], "instruction": [""]})
    examples = rows.append_column("input", [[""]]).append_column("output", [["o"]]).append_column("corpus", [["c"]])
    endless = query_task("messages", "endless", {"examples": examples.append_column("split", [["train"]])})

    def hold(work: Workspace, path: Path) -> None:
        with work.connect({}) as connection:
            started.set()
            connection.execute("select count(*) from range(1e12::bigint) as a where hash(a.range) = 1").fetchall()

    started = threading.Event()
    held = work.submit(Task("pairs", "held", {}, run=hold))
    waiting = work.submit(endless)
    assert started.wait(20)
    work.close()
    assert not held.exists()
    assert not waiting.exists()
    assert not list(work.folder.rglob(".tmp-*"))


def test_rows_of_a_later_stage_are_reported_when_it_is_its_turn(work):
    statuses: list[Status] = []
    progress = CallbackProgress(statuses.append)
    work.do(adding("a", 1))
    work.do(Task("measured", "a", {}, run=partial(write_sum, needs=(), value=1), num_rows=5))
    progress.start("measure", 1, 2, 5)
    work.begin_stage("measured", progress)
    assert statuses[-1].done == 5
    work.begin_stage(None, progress)
    progress.finish()


def test_damaged_file_and_what_is_made_from_it_are_made_again(tmp_path):
    told: list[str] = []
    for damage in (False, True):
        work = Workspace(tmp_path / "work", threads=2, explain=told.append)
        first, other = work.path(adding("a", 1)), work.submit(adding("other", 9))
        if damage:
            first.write_bytes(b"no Parquet")
        told.clear()
        last = work.submit(adding("b", 2, work.submit(adding("a", 1))))
        work.wait([last, other])
        work.close()
    assert value_of(last) == 3
    assert sorted(told) == [
        "pairs a: made again, its file is damaged",
        "pairs b: made again, a file that it is made from was damaged",
    ]
