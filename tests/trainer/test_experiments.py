"""The runs of a sweep: nested subsets, each run trained once, each with its metadata."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from corpora.errors import InputError
from trainer.cli import cli

from .conftest import SMALL

if TYPE_CHECKING:
    from cards.releases import Release

ConfigOf = Callable[..., Any]


def translations(config: Any) -> set[str]:
    """Return the keys of the translations that a run trains on."""
    from trainer.preparation import prepare

    return {key for key in prepare(config).keys("train") if key.split("\t")[2] == "translation"}


def test_sizes_have_suffixes() -> None:
    from trainer.experiments import parse_size

    assert [parse_size(text) for text in ("500", "4k", "1.2M", " 2K ", 300)] == [500, 4000, 1_200_000, 2000, 300]
    with pytest.raises(InputError, match="'0' is not a size"):
        parse_size("0")


@pytest.mark.slow
def test_subsets_are_nested_within_a_seed(config_of: ConfigOf) -> None:
    def keys(size: int, seed: int) -> set[str]:
        return translations(replace(config_of(f"seed={seed}", output=f"{size}-{seed}"), size=size))

    assert keys(5, 0) < keys(20, 0) < keys(100, 0)
    assert keys(20, 1) < keys(100, 1)
    assert keys(20, 0) != keys(20, 1)
    assert [len(keys(size, 0)) for size in (5, 20, 100)] == [5, 20, 100]


@pytest.mark.slow
def test_other_tasks_are_equal_at_every_size(config_of: ConfigOf) -> None:
    from trainer.preparation import prepare

    def others(config: Any) -> list[str]:
        return [key for key in prepare(config).keys("train") if key.split("\t")[2] != "translation"]

    all_rows = others(config_of(output="all"))
    assert len(all_rows) == 86
    assert others(replace(config_of(output="few"), size=5)) == all_rows


@pytest.mark.slow
def test_runs_are_planned_smallest_first(config_of: ConfigOf, tmp_path: Path) -> None:
    from trainer.experiments import plan_runs

    config = replace(config_of(), config_name=None, langs=("el", "hi"))
    planned = plan_runs(config, [20, 10], 2, tmp_path)
    found = [(run.size, run.langs, run.recipe["seed"]) for run in planned]
    assert found == [(size, (lang,), seed) for size in (10, 20) for lang in ("el", "hi") for seed in (0, 1)]
    assert len({run.output for run in planned}) == 8


@pytest.mark.slow
def test_mixture_has_a_size_for_each_language(muit: "Release", config_of: ConfigOf, tmp_path: Path) -> None:
    from trainer.experiments import MixtureRows, plan_mixtures

    config = replace(config_of("num_train_epochs=1"), config_name=None, release=muit)
    mixtures = [MixtureRows({"el": 30, "tr": 5}), MixtureRows({"el": 4, "tr": 8})]
    planned = plan_mixtures(config, mixtures, 2, tmp_path)
    assert [run.output.name.partition("-all-")[2] for run in planned] == [
        f"{name}-seed{seed}" for name in ("el4-tr8", "el30-tr5") for seed in (0, 1)
    ]
    langs = [key.split("\t")[1] for key in translations(planned[2])]
    assert (langs.count("el"), langs.count("tr"), len(langs)) == (30, 5, 35)
    with pytest.raises(InputError, match=r"has \d+ translations in el, fewer than 9,999"):
        plan_mixtures(config, [MixtureRows({"el": 9999})], 1, tmp_path)


@pytest.mark.slow
def test_repeated_rows_are_seen_as_often_as_the_mixture_says(
    muit: "Release", config_of: ConfigOf, tmp_path: Path
) -> None:
    from trainer.experiments import SweepParts, count_translations, parse_mixture, plan_mixtures
    from trainer.preparation import mixture_text

    config = replace(config_of("num_train_epochs=1"), config_name=None, release=muit)
    (run,) = plan_mixtures(config, [parse_mixture({"el": "30/12", "tr": 5})], 1, tmp_path)
    assert run.output.name.endswith("-el30of12-tr5-seed0")
    assert mixture_text(run.mixture, run.unique) == "el=30/12,tr=5"
    seen = Counter(key.split("\t")[0].partition("#")[0] for key in translations(run) if key.split("\t")[1] == "el")
    assert sorted(seen.values()) == [2] * 6 + [3] * 6
    parts = SweepParts(mixtures=4, budgets=("40", "80"), mixture=("unimax",), target=800, epochs=4)
    small, large = parts.plan(config, tmp_path)[:5], parts.plan(config, tmp_path)[5:]
    for runs, budget in ((small, 40), (large, 80)):
        assert [sum((run.mixture or {}).values()) for run in runs] == [budget] * 5
        for own in runs:
            pools = {lang: max(1, round(rows * budget / 800)) for lang, rows in count_translations(config).items()}
            assert all((own.mixture or {})[lang] <= 4 * pools[lang] for lang in own.langs)
            assert own.unique == {lang: pools[lang] for lang in own.unique}
    assert any(run.unique for run in small + large)
    for parts, message in (
        (SweepParts(mixtures=2, budgets=("900",), target=800), "--target is 800 translations, fewer"),
        (SweepParts(mixtures=2, budgets=("90",), epochs=0.5), "--epochs takes a number from 1 to 100"),
    ):
        with pytest.raises(InputError, match=message):
            parts.plan(config, tmp_path)


def test_mixture_text_is_checked() -> None:
    from trainer.experiments import parse_mixture, parse_mixture_text

    assert parse_mixture(parse_mixture_text("el=500, hi=1k")).sizes == {"el": 500, "hi": 1000}
    assert parse_mixture(parse_mixture_text("el=1k/250, hi=9/20")).unique == {"el": 250}
    for text, message in {"el": "sizes by language", "el=1,el=2": "twice", "": "sizes by language"}.items():
        with pytest.raises(InputError, match=message):
            parse_mixture_text(text)
    with pytest.raises(InputError, match="xx"):
        parse_mixture({"xx": 5})
    with pytest.raises(InputError, match="'' is not a size"):
        parse_mixture({"el": "5/"})


@pytest.mark.slow
def test_too_large_size_is_refused_before_the_first_run(config_of: ConfigOf, tmp_path: Path) -> None:
    from trainer.experiments import plan_runs

    config = replace(config_of(), config_name=None, langs=("el",))
    with pytest.raises(InputError, match="has 171 translations in el, fewer than 5,000"):
        plan_runs(config, [10, 5000], 1, tmp_path)
    assert not list(tmp_path.glob("*/run.json"))


@pytest.mark.slow
def test_sweep_trains_only_missing_runs(registry: Path, tmp_path: Path) -> None:
    from trainer.run import read_metadata

    arguments = ["sweep", "tiny", "--release=coit-sample", f"--registry={registry}", "--langs=tr", "--json"]
    arguments += [f"--runs={tmp_path}", *[f"--set={change}" for change in (*SMALL, "num_train_epochs=0.2")]]
    first = CliRunner().invoke(cli, [*arguments, "--sizes=10"], catch_exceptions=False)
    (done,) = json.loads(first.stdout)
    before = (Path(done["folder"]) / "run.json").stat().st_mtime_ns
    both = json.loads(CliRunner().invoke(cli, [*arguments, "--sizes=10,20"], catch_exceptions=False).stdout)
    assert [row["size"] for row in both] == [10, 20]
    assert both[0] == done
    assert (Path(done["folder"]) / "run.json").stat().st_mtime_ns == before
    for row in both:
        metadata = read_metadata(Path(row["folder"]))
        assert metadata is not None
        assert metadata["size"] == row["size"] == metadata["composition"]["translation"]["tr"]
        assert row["loss"] == metadata["evaluations"][-1]["tr"]["loss"]
        assert (Path(row["folder"]) / "model" / "model.safetensors").exists()
