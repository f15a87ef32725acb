"""Evaluation on two Ray nodes of 127.0.0.1: the results of one machine, in its order; left out without Ray."""

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from tests.trainer.models import make_model
from trainer.evaluation import evaluate

Options = Callable[..., dict[str, Any]]
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra `cluster` is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from tests.cluster.ray_nodes import ray_nodes

    with ray_nodes(["one", "two"]) as started:
        yield started


@needs_ray
@pytest.mark.slow
def test_results_are_those_of_one_machine_and_a_unit_that_fails_is_left_out(
    cluster: Any, model: Path, options: Options, tmp_path: Path
) -> None:
    good = tmp_path / "good"
    shutil.copytree(model, good)
    damaged = make_model(tmp_path / "damaged", 1)
    (damaged / "model.safetensors").write_bytes(b"damaged")
    local = evaluate(good, **options(langs=["el", "hi"], benchmarks=["flores"], metrics=["chrf++"]))
    places = {"output": tmp_path / "there", "results": tmp_path / "there.jsonl", "cluster": cluster.address}
    chosen = options(langs=["el", "hi"], benchmarks=["flores"], metrics=["chrf++"], **places)
    table = evaluate([good, damaged], **chosen)
    assert table.results == local.results
    assert (tmp_path / "there.jsonl").read_bytes() == (tmp_path / "results.jsonl").read_bytes()
    assert set(table.skipped) == {"damaged on flores.el", "damaged on flores.hi"}
    assert "damaged on flores.el was left out: " in table.to_text()
    log = (tmp_path / "there" / "cluster-units.jsonl").read_text()
    assert {json.loads(line)["unit"] for line in log.splitlines()} == {"good on flores.el", "good on flores.hi"}

    (tmp_path / "there.jsonl").write_bytes(b"".join((tmp_path / "results.jsonl").read_bytes().splitlines(True)[:2]))
    evaluate([good, damaged], **chosen)  # as after a kill of the driver between two units
    assert (tmp_path / "there.jsonl").read_bytes() == (tmp_path / "results.jsonl").read_bytes()


def test_servers_and_names_that_are_not_unique_are_refused(fake_model: Path, options: Options, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Leave out --endpoint"):
        evaluate("name", **options(endpoint="http://127.0.0.1:1/v1", cluster="auto"))
    shutil.copytree(fake_model, tmp_path / "other" / "random")
    with pytest.raises(InputError, match="the same name"):
        evaluate([fake_model, tmp_path / "other" / "random"], **options(cluster="auto"))
