"""The work folder: a complete task is not done again, and a damaged one is."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.run import run_build
from builders.workspace import Task, Workspace, query_task, sql
from corpora.errors import InputError
from corpora.reading.instruction_rows import MESSAGES
from tests.builders.messages import logged_messages

TASK = Task("stage", "name", {"threshold": 1.0, "files": {"a": "x", "b": "y"}})
LINES = [
    (1.2, "The cat sleeps on the warm roof of the house.", "Η γάτα κοιμάται στη ζεστή στέγη του σπιτιού."),
    (1.1, "We will travel to the island in the summer.", "Θα ταξιδέψουμε στο νησί το καλοκαίρι."),
]


@pytest.fixture
def told():
    return []


@pytest.fixture
def work(tmp_path, told):
    return Workspace(tmp_path / "work", threads=1, explain=told.append)


def write_table(task: Task, value: int, calls: list[int]):
    """A function that writes a table with the task's inputs, and notes that it was called."""

    def write(path: Path) -> None:
        calls.append(value)
        schema = pa.schema([("value", pa.int64())], {"inputs": json.dumps(task.inputs)})
        pq.write_table(pa.table({"value": [value]}, schema=schema), path)

    return write


def test_task_is_done_once(work, told):
    calls: list[int] = []
    first = work.make(TASK, write_table(TASK, 1, calls))
    again = work.make(TASK, write_table(TASK, 2, calls))
    assert (first, calls) == (again, [1])
    assert told == ["stage name: made, there is none yet", "stage name: reused"]
    assert work.touched == [first, first]


def test_key_depends_on_stage_name_and_inputs_in_any_order():
    same = replace(TASK, inputs={"files": {"b": "y", "a": "x"}, "threshold": 1.0})
    assert same.key == TASK.key
    others = [replace(TASK, stage="other"), replace(TASK, name="other"), replace(TASK, inputs={})]
    assert len({TASK.key, *(task.key for task in others)}) == 4


def test_changed_input_makes_a_task_again_and_is_explained(work, told):
    calls: list[int] = []
    changed = replace(TASK, inputs={"threshold": 1.5, "files": {"a": "x", "c": "z"}})
    before = work.make(TASK, write_table(TASK, 1, calls))
    after = work.make(changed, write_table(changed, 2, calls))
    assert (calls, before.exists(), before != after) == ([1, 2], True, True)
    assert told[-1] == (
        "stage name: made, files.b was 'y', is None; files.c was None, is 'z'; threshold was 1.0, is 1.5"
    )


def test_failed_task_leaves_no_file(work):
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError):
        work.make(TASK, fail)
    assert [path for path in work.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("damage", [b"", b"no Parquet", b"PAR1" + b"\0" * 50])
def test_damaged_file_is_made_again(work, told, damage):
    calls: list[int] = []
    path = work.make(TASK, write_table(TASK, 1, calls))
    path.write_bytes(damage)
    work.make(TASK, write_table(TASK, 2, calls))
    assert (calls, pq.read_table(path)["value"].to_pylist()) == ([1, 2], [2])
    assert "made again, its file is damaged" in told[-1]


def test_seals_without_files_are_removed_and_user_files_are_kept(work):
    path = work.make(replace(TASK, stage="pairs"), write_table(TASK, 1, []))
    lone, own = path.with_name(f"other.{'0' * 16}.sha256"), path.with_name("mine.sha256")
    for seal in (lone, own):
        seal.write_text("")
    work.clean()
    assert {file.name for file in path.parent.iterdir()} == {path.name, path.with_suffix(".sha256").name, own.name}


def test_files_that_another_process_is_writing_are_neither_tasks_nor_seals(work):
    path = work.make(replace(TASK, stage="pairs"), write_table(TASK, 1, []))
    half = path.with_name(f".tmp-{'1' * 16}-{path.name}")
    half.mkdir()
    work.prune({work.relative(path)})
    assert half.is_dir()
    assert path.exists()


def test_truncated_file_is_made_again(work):
    calls: list[int] = []
    path = work.make(TASK, write_table(TASK, 1, calls))
    path.write_bytes(path.read_bytes()[:-10])
    work.make(TASK, write_table(TASK, 2, calls))
    assert calls == [1, 2]


def test_damaged_file_of_an_older_task_is_ignored(work):
    calls: list[int] = []
    work.make(TASK, write_table(TASK, 1, calls)).write_bytes(b"no Parquet")
    changed = replace(TASK, inputs={})
    work.make(changed, write_table(changed, 2, calls))
    assert calls == [1, 2]


def test_query_writes_the_table_of_its_sql_file_with_its_inputs(work):
    row = {"id": "1", "lang": "el", "task": "text", "direction": "", "instruction": "", "input": "", "output": "o"}
    columns = [(name, pa.string()) for name in (*row, "corpus", "split")]
    schema = pa.schema([*columns, ("messages", MESSAGES)])
    examples = pa.Table.from_pylist([row | {"corpus": "c", "split": "train", "messages": None}], schema)
    task = query_task("messages", "el", {"examples": examples}, {"not_used": 1}, inputs={"more": 1})
    path = work.do(task)
    assert pl.read_parquet(path)["id"].to_list() == ["1"]
    noted = json.loads(pq.read_metadata(path).metadata[b"inputs"])
    assert noted == json.loads(json.dumps(task.inputs))
    assert set(noted) == {"from", "sql", "duckdb", "more", "not_used"}


def test_task_of_a_query_names_the_files_that_it_needs_and_pickles():
    task = query_task("messages", "el", {"examples": [Path("from.parquet")]})
    assert task.needs == (Path("from.parquet"),)
    assert task.inputs["from"] == {"examples": ["from.parquet"]}
    assert pickle.loads(pickle.dumps(task)).run == task.run


def test_query_reads_files_as_tables(work, tmp_path):
    pl.DataFrame({"x": [1, 2]}).write_parquet(tmp_path / "one.parquet")
    pl.DataFrame({"x": [3]}).write_parquet(tmp_path / "it's two.parquet")
    with work.connect({"t": [tmp_path / "one.parquet", tmp_path / "it's two.parquet"]}) as connection:
        assert connection.sql("select sum(x) from t").fetchall() == [(6,)]


def test_missing_placeholder_makes_no_file(work):
    assert "{reject_reason}" in sql("contaminated")
    with pytest.raises(Exception, match="reject_reason"):
        work.do(query_task("contaminated", "el", {"pairs": pa.table({"en": ["a"]})}))
    assert list(work.folder.rglob("*.parquet")) == []


def test_placeholder_is_replaced_everywhere():
    assert "{reject_reason}" not in sql("measured", reject_reason="null")
    assert r"\P{Latin}" in sql("character_counts", early_reject_reason="null")


def test_unknown_placeholder_fails():
    with pytest.raises(AssertionError):
        sql("measured", verdcit="null")


def test_duckdb_uses_the_work_folder_and_the_number_of_threads(work):
    with replace(work, threads=2).connect({}) as connection:
        [(spill, threads)] = connection.sql(
            "select current_setting('temp_directory'), current_setting('threads')"
        ).fetchall()
    assert (Path(spill).parent, threads) == (work.scratch, 2)


@pytest.mark.slow
def test_query_larger_than_memory_spills_to_disk(work):
    rows = "select sha256(range::varchar) as text from range(400_000)"
    held_at_once = f"select max(place) from (select text, row_number() over (order by text) as place from ({rows}))"
    with replace(work, memory=120 << 20).connect({}) as connection:
        assert connection.sql(held_at_once).fetchall() == [(400_000,)]
        assert list(work.scratch.glob("spill-*/duckdb_temp*"))


def test_tables_in_memory_and_empty_tables_are_queried(work):
    with work.connect({"t": pa.schema([("x", pa.int64())]).empty_table()}) as connection:
        assert connection.sql("select count(*) from t").fetchall() == [(0,)]


def test_errors_of_duckdb_are_sentences(work, tmp_path):
    with pytest.raises(InputError, match="Finished work is kept"), work.connect({"t": [tmp_path / "gone.parquet"]}):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a space", "it's", "lang=xx", "star*", "what?", "ελληνικά"])
def test_work_folder_may_have_any_name(judge, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    assert [(row["lang"], row["reject_reason"]) for row in judge(LINES, folder=folder)] == [("el", None)] * 2


def test_work_folder_with_brackets_is_refused(request_for, tmp_path):
    with pytest.raises(InputError, match="pattern"):
        run_build(replace(request_for({"small": {"el": LINES}}), work=tmp_path / "work [1]"))


@pytest.mark.slow
def test_second_build_reuses_every_task(request_for):
    request = replace(request_for({"small": {"el": LINES}}), explain=True)
    with logged_messages() as told:
        run_build(request)
    assert all("made, there is none yet" in sentence for sentence in told)
    first = {path: path.read_bytes() for path in request.work.rglob("*.parquet")}
    with logged_messages() as told:
        run_build(request)
    assert told
    assert all(sentence.endswith(": reused") for sentence in told)
    assert {path: path.read_bytes() for path in request.work.rglob("*.parquet")} == first


@pytest.mark.slow
def test_killed_build_is_continued(request_for):
    request = request_for({"small": {"el": LINES}})
    code = (
        "import os, pathlib, signal, sys, builders.pipeline.pairs as s\n"
        "from builders.options import BuildOptions\n"
        "from builders.run import run_build\n"
        "s.english_overlap = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "recipe, folder, work, lock = sys.argv[1:]\n"
        "run_build(BuildOptions(recipes=(recipe,), with_=(pathlib.Path(folder),), offline=True, translator='none',"
        " threads=1, work=pathlib.Path(work), corpora_lock=pathlib.Path(lock)))\n"
    )
    places = [request.recipes[0], *map(str, (request.with_[0], request.work, request.corpora_lock))]
    done = subprocess.run([sys.executable, "-c", code, *places], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr.decode()
    with logged_messages() as told:
        built = run_build(replace(request, explain=True))[0]
    assert [s for s in told if s.startswith(("pairs", "measured", "duplicates")) and not s.endswith("reused")] == []
    assert built.composition["num_rows"].sum() == 2
    assert list(request.work.rglob(".tmp-*")) == []
