"""Builds on two Ray nodes of 127.0.0.1; left out where Ray is not installed."""

import filecmp
import importlib.util
import json
import sys
from pathlib import Path

import pytest

import builders
from corpora.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[2] / "cluster"))
HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="the extra `cluster` (Ray) is not installed")


@pytest.fixture(scope="module")
def cluster():
    from ray_nodes import ray_nodes

    with ray_nodes(["one", "two"]) as started:
        yield started


def same_files(one: Path, other: Path) -> bool:
    """Whether both folders have the same files with the same bytes."""
    files = [sorted(path.relative_to(d) for path in d.rglob("*") if path.is_file()) for d in (one, other)]
    return files[0] == files[1] and filecmp.cmpfiles(one, other, files[0], shallow=False)[1:] == ([], [])


@needs_ray
@pytest.mark.slow
def test_sample_on_two_nodes_is_that_of_one_machine(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"sample": True, "threads": 2}
    builders.publish("coit", registry="here", work="work-here", **settings)
    builders.publish("coit", registry="there", work="work-there", cluster=cluster.address, **settings)
    assert same_files(tmp_path / "here", tmp_path / "there")
    assert not list((tmp_path / "work-there").rglob(".tmp-*"))


@needs_ray
def test_no_cluster_at_an_address_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"--cluster 127\.0\.0\.1:1: no Ray cluster was found there"):
        builders.build("coit", sample=True, langs=["el"], work=tmp_path, cluster="127.0.0.1:1")


def test_without_ray_the_sentence_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--cluster needs Ray.+coit-builders\[cluster\]"):
        builders.build("coit", sample=True, langs=["el"], work=tmp_path, cluster="auto")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from builders.translation.convert import convert_checkpoint
    from tests.builders.translation import tiny_model

    original = tiny_model.save(tmp_path_factory.mktemp("models") / "tiny")
    return convert_checkpoint(original, tmp_path_factory.mktemp("converted"), lambda sentence: None)


def memory_rows(work: Path) -> dict[str, list]:
    import pyarrow.parquet as pq

    tables = sorted((work / "memory").glob("*/*/memory.parquet"))
    return {str(path.relative_to(work)): pq.read_table(path).to_pylist() for path in tables}


@needs_ray
@pytest.mark.slow
def test_workers_translate_all_languages_as_one_process_does_and_free_their_cores(cluster, model, tmp_path):
    records = [{"instruction": f"name town {n} at https://a.b/{n}", "input": "", "output": "a b c"} for n in range(40)]
    (tmp_path / "records.json").write_text(json.dumps(records))
    settings = {"langs": ["el", "ar"], "translator": str(model), "beam": 1, "compute_type": "float32", "threads": 2}
    for folder, more in (("here", {}), ("there", {"cluster": cluster.address})):
        own = {"work": tmp_path / folder / "work", "corpora_lock": tmp_path / folder / "lock"}
        builders.translate(tmp_path / "records.json", output=tmp_path / folder / "out", **own, **settings, **more)
    assert same_files(tmp_path / "here" / "out", tmp_path / "there" / "out")
    rows = memory_rows(tmp_path / "here" / "work")
    assert len(rows) == 2
    assert rows == memory_rows(tmp_path / "there" / "work")
    assert not list((tmp_path / "there" / "work").rglob("batches/*"))
