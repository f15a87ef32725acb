"""The experiments of a law: nested subsets, each run once, each with its record."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from corpora.errors import InputError
from trainer.cli.main import cli
from trainer.run import read_record
from trainer.sweep import plan_runs
from trainer.training.prepare import Request, prepare

from .conftest import SMALL

Ask = Callable[..., Request]


def translations(request: Request) -> set[str]:
    """The keys of the translations that a request trains on."""
    return {key for key in prepare(request).keys("train") if key.split("\t")[2] == "translation"}


def test_a_smaller_subset_is_a_part_of_a_larger_one_and_another_seed_has_another(ask: Ask) -> None:
    def keys(size: int, seed: int) -> set[str]:
        return translations(replace(ask(f"seed={seed}", out=f"{size}-{seed}"), size=size))

    assert keys(5, 0) < keys(20, 0) < keys(100, 0)
    assert keys(20, 1) < keys(100, 1)
    assert keys(20, 0) != keys(20, 1)
    assert [len(keys(size, 0)) for size in (5, 20, 100)] == [5, 20, 100]


def test_the_other_tasks_are_the_same_at_every_size(ask: Ask) -> None:
    def others(request: Request) -> list[str]:
        return [key for key in prepare(request).keys("train") if key.split("\t")[2] != "translation"]

    whole = others(ask(out="whole"))
    assert len(whole) == 86
    assert others(replace(ask(out="few"), size=5)) == whole


def test_runs_come_smallest_first_for_each_language_and_seed(ask: Ask, tmp_path: Path) -> None:
    request = replace(ask(), config=None, langs=("el", "hi"))
    planned = plan_runs(request, [20, 10], 2, tmp_path)
    named = [(run.size, run.langs, run.recipe["seed"]) for run in planned]
    assert named == [(size, (lang,), seed) for size in (10, 20) for lang in ("el", "hi") for seed in (0, 1)]
    assert len({run.out for run in planned}) == 8


def test_a_size_that_the_release_does_not_hold_is_refused_before_the_first_run(ask: Ask, tmp_path: Path) -> None:
    request = replace(ask(), config=None, langs=("el",))
    with pytest.raises(InputError, match="has 171 translations in el, fewer than 5,000"):
        plan_runs(request, [10, 5000], 1, tmp_path)
    assert not list(tmp_path.glob("*/run.json"))


def test_sizes_trains_what_is_not_done_and_says_what_each_reached(registry: Path, tmp_path: Path) -> None:
    arguments = ["sizes", "tiny", "--release=coit-sample", f"--registry={registry}", "--langs=tr", "--json"]
    arguments += [f"--runs={tmp_path}", *[f"--set={change}" for change in (*SMALL, "num_train_epochs=0.2")]]
    first = CliRunner().invoke(cli, [*arguments, "--sizes=10"], catch_exceptions=False)
    (done,) = json.loads(first.stdout)
    before = (Path(done["folder"]) / "run.json").stat().st_mtime_ns
    both = json.loads(CliRunner().invoke(cli, [*arguments, "--sizes=10,20"], catch_exceptions=False).stdout)
    assert [row["size"] for row in both] == [10, 20]
    assert both[0] == done
    assert (Path(done["folder"]) / "run.json").stat().st_mtime_ns == before
    for row in both:
        record = read_record(Path(row["folder"]))
        assert record is not None
        assert record["size"] == row["size"] == record["mixture"]["translation"]["tr"]
        assert row["loss"] == record["evaluations"][-1]["tr"]["loss"]
        assert (Path(row["folder"]) / "model" / "model.safetensors").exists()
