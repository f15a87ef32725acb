"""Builds on two Ray nodes of 127.0.0.1; left out where Ray is not installed."""

import filecmp
import importlib.util
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
