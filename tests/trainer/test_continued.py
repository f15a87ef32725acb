"""Continued pre-training (arXiv 2308.04948, Figure 7): a size counts documents, and a run records its parent run."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError

from .conftest import small_recipe

pytestmark = pytest.mark.slow
CATALOG = """
[mine]
title = "Mine"
kind = "monolingual"
version = "1"
format = "c4-jsonl"
url = "mine.jsonl"
langs = ["el"]
licence = "cc0-1.0"
"""
RECIPE = 'title = "T"\nsummary = "S"\nconfigs = "language"\nlangs = ["el"]\nmonolingual = ["mine"]\nvalidation = 0.2\n'


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with documents in Greek (`texts`) and the sample's Alpaca (`alpaca-en-x-sample`)."""
    import builders

    folder = tmp_path_factory.mktemp("continued")
    rows = [json.dumps({"text": f"Το πλοίο {n} έφυγε χθες και γύρισε σήμερα."}) for n in range(40)]
    (folder / "mine.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (folder / "corpora.toml").write_text(CATALOG, encoding="utf-8")
    (folder / "texts.toml").write_text(RECIPE, encoding="utf-8")
    options = {"work": folder / "work", "corpora_lock": folder / "corpora.lock", "registry": folder / "registry"}
    builders.publish(folder / "texts.toml", with_=[folder], **options)
    builders.publish("alpaca-en-x", langs=["el"], sample=True, **options)
    return folder / "registry"


@pytest.fixture
def config_on(published: Path, tmp_path: Path) -> Callable[..., Any]:
    """Return the config of a small run on a release of the registry."""
    from cards.releases import open_release
    from trainer.preparation import TrainConfig

    def make(name: str, output: str, *changes: str) -> TrainConfig:
        release = open_release(name, published, published / "datasets.lock")
        return TrainConfig(small_recipe(*changes), release, tmp_path / output, config_name="el")

    return make


def test_size_counts_documents_if_there_are_no_pairs(config_on: Callable[..., Any], tmp_path: Path) -> None:
    from trainer.experiments import plan_runs
    from trainer.preparation import prepare

    config = config_on("texts", "run", "prompt=text")
    few, more = (set(prepare(replace(config, size=s, output=tmp_path / str(s))).keys("train")) for s in (5, 20))
    assert (len(few), len(more)) == (5, 20)
    assert few < more
    planned = plan_runs(replace(config, langs=("el",)), [5, 20], 1, tmp_path)
    assert [run.size for run in planned] == [5, 20]
    with pytest.raises(InputError, match="documents in el, fewer than 5,000"):
        plan_runs(replace(config, langs=("el",)), [5000], 1, tmp_path)


def test_results_include_the_examples_of_the_parent_run(config_on: Callable[..., Any], tmp_path: Path) -> None:
    from trainer.run import cumulative_examples
    from trainer.train import train

    base = train(replace(config_on("texts", "base", "prompt=text"), size=20))
    assert base["parent_run"] is None
    model = f"model_name_or_path={tmp_path / 'base' / 'model'}"
    tuned = train(config_on("alpaca-en-x-sample", "tuned", model, "model_config=null"))
    assert tuned["parent_run"] == {
        "key": base["key"],
        "name": "tiny on texts@v1.0.0",
        "cumulative_examples": {"text": {"el": 20}},
    }
    assert cumulative_examples(tuned) == {"text": {"el": 20}} | tuned["composition"]
