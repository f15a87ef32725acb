"""Tasks of a build in another process, without an engine: they pickle, and what they write and report is the same."""

import filecmp
import multiprocessing
import pickle
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import pytest

from builders.cluster import ClusterExecutor, RunSettings
from builders.execution import build_recipes, open_workspace, plan_steps
from builders.options import read_options
from builders.resolve import resolve
from corpora.cluster import Call, own_versions
from corpora.errors import InputError
from corpora.extensions import current_extensions, extend
from corpora.progress import NullProgress

FILTER = """
[shouting]
table = "measured"
function = "mine:is_loud"
thresholds = { min_share = 0.5 }
description = "Most letters are capitals."
"""
FUNCTION = """
import polars as pl


def is_loud(frame, min_share):
    return frame["en"].str.count_matches(r"[A-Z]") > min_share * frame["en"].str.len_chars()
"""


class OneProcess:
    """A cluster of one other process, which does each call at once."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.sizes: list[int] = []

    def nodes(self):
        return {"0": "other"}

    def call(self, function, *arguments, after=(), resources=None, node=None, title=""):
        results = [call.future.result() for call in after]
        self.sizes.append(len(pickle.dumps((function, arguments, results))))
        future: Future = self.pool.submit(function, *arguments, *results)
        future.exception()
        return Call(None, future)

    def cancel(self, calls, is_forced=False):
        pass

    def total(self):
        return self.free()

    def free(self):
        return {"CPU": 1.0, "GPU": 0.0, "memory": 8e9}

    def close(self):
        self.pool.shutdown()


def build(folder: Path, own: Path, versions: dict[str, str] | None = None) -> list[OneProcess]:
    """Build the sample of one language into a folder, in another process if versions are given; the clusters used."""
    options = read_options("coit", {"sample": True, "langs": ["el"], "work": folder, "with_": [own], "threads": 1})
    used = []
    with extend(options.with_):
        plan = resolve(options)
        with open_workspace(options) as work:
            if versions is not None:
                used.append(OneProcess())
                settings = RunSettings(work.folder, None, False, current_extensions(), tuple(versions.items()))
                work.executor = ClusterExecutor(work, used[0], settings)
            list(build_recipes(plan, work, plan_steps(plan, work, NullProgress())))
    return used


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "filters.toml").write_text(FILTER)
    (folder / "mine.py").write_text(FUNCTION)
    return folder


@pytest.mark.slow
def test_tasks_pickle_and_another_process_writes_the_same_files(tmp_path, own):
    build(tmp_path / "here", own)
    (cluster,) = build(tmp_path / "there", own, dict(own_versions()))
    files = [sorted(p.relative_to(tmp_path / d) for p in (tmp_path / d).rglob("*.parquet")) for d in ("here", "there")]
    assert files[0] == files[1]
    assert filecmp.cmpfiles(tmp_path / "here", tmp_path / "there", files[0], shallow=False)[1:] == ([], [])
    records = [(tmp_path / d / "builds" / "coit-sample.json").read_bytes() for d in ("here", "there")]
    assert records[0] == records[1]
    assert len(cluster.sizes) > 20
    assert max(cluster.sizes) < 100_000, "Ray would copy larger arguments through its store"


def test_node_with_another_version_is_refused_by_name(tmp_path, own):
    with pytest.raises(InputError, match=r"The node .+ has duckdb .+; this machine has 0\.1\. .*install the same"):
        build(tmp_path / "work", own, {"duckdb": "0.1"})
