"""Continued pre-training (arXiv 2308.04948, Figure 7): documents are counted, and a base is remembered."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from builders.run import Request as Build
from builders.run import run_publish
from corpora.errors import InputError
from trainer.evaluation.eval_model import find_candidate
from trainer.recipe import load_recipe
from trainer.release import find_release
from trainer.sft import sft
from trainer.sweep import plan_runs
from trainer.training.prepare import Request, prepare

from .conftest import SMALL

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
    """A registry with documents in Greek (`texts`) and the sample's Alpaca (`alpaca-en-x-sample`)."""
    folder = tmp_path_factory.mktemp("continued")
    rows = [json.dumps({"text": f"Το πλοίο {n} έφυγε χθες και γύρισε σήμερα."}) for n in range(40)]
    (folder / "mine.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (folder / "catalog.toml").write_text(CATALOG, encoding="utf-8")
    (folder / "texts.toml").write_text(RECIPE, encoding="utf-8")
    places = {"work": folder / "work", "lock": folder / "corpora.lock"}
    own = Build(recipes=(str(folder / "texts.toml"),), catalogs=(folder / "catalog.toml",), **places)
    sample = Build(recipes=("alpaca-en-x",), langs=("el",), sample=True, **places)
    for build in (own, sample):
        assert list(run_publish(build, folder / "registry", "instructions"))
    return folder / "registry"


def ask(published: Path, name: str, out: Path, *changes: str) -> Request:
    release = find_release(name, published, published / "datasets.lock")
    return Request(load_recipe("tiny", [*SMALL, *changes]), release, out, config="el")


def test_a_size_counts_documents_where_there_are_no_pairs(published: Path, tmp_path: Path) -> None:
    asked = ask(published, "texts", tmp_path / "run", "prompt=text")
    few, more = (set(prepare(replace(asked, size=size, out=tmp_path / str(size))).keys("train")) for size in (5, 20))
    assert (len(few), len(more)) == (5, 20)
    assert few < more
    planned = plan_runs(replace(asked, langs=("el",)), [5, 20], 1, tmp_path)
    assert [run.size for run in planned] == [5, 20]
    with pytest.raises(InputError, match="documents in el, fewer than 5,000"):
        plan_runs(replace(asked, langs=("el",)), [5000], 1, tmp_path)


def test_a_model_s_scores_say_what_its_base_learned_from(published: Path, tmp_path: Path) -> None:
    base = sft(replace(ask(published, "texts", tmp_path / "base", "prompt=text"), size=20))
    assert base["base"] == {}
    model = f"model_name_or_path={tmp_path / 'base' / 'model'}"
    tuned = sft(ask(published, "alpaca-en-x-sample", tmp_path / "tuned", model, "random_model=null"))
    assert tuned["base"] == {"text": {"el": 20}}
    origin = find_candidate(str(tmp_path / "tuned")).origin
    assert (origin.num_pairs("el"), origin.num_documents("el")) == (0, 20)
    assert origin.composition["text"] == {"el": 20}
    assert origin.composition["instruction"]["el"] == tuned["mixture"]["instruction"]["el"]
