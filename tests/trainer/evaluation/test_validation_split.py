"""The validation split of a release as a benchmark, and what a run's metadata adds to its results."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cards.releases import Release
from corpora.errors import InputError
from recipes.results import read_results
from trainer.evaluation import BenchmarkSource, evaluate, get_benchmark, load_items, load_model
from trainer.evaluation.benchmarks import list_evaluations

pytestmark = pytest.mark.slow


def test_results_carry_release_pairs_and_seed_of_the_run(
    trained: tuple[Any, Path], release: Release, tmp_path: Path
) -> None:
    metadata, folder = trained
    table = evaluate(
        folder, benchmarks=["validation"], langs=["el"], directions=["en-xx"], metrics=["token_accuracy"],
        release=release, offline=True, output=tmp_path / "evaluations", results=tmp_path / "results.jsonl",
    )  # fmt: skip
    (result,) = table.results
    pairs = metadata["composition"]["translation"]["el"]
    assert (result.release, result.num_pairs, result.seed) == ("coit-sample@v1.0.0", pairs, metadata["seed"])
    assert result.composition["translation"] == {"el": pairs}
    assert result.model == folder.name
    assert [result] == read_results(tmp_path / "results.jsonl")


def test_validation_rows_are_asked_as_they_were_published(release: Release) -> None:
    from trainer.rows import read_rows

    rows = read_rows(release, "el", "validation", ["el"]).filter(task="translation", direction="en-xx").sort("id")
    source, benchmark = BenchmarkSource(release=release), get_benchmark("validation")
    items = load_items(benchmark, "el", "en-xx", source).items
    assert [(i.id, i.instruction, i.input, i.references) for i in items] == [
        (row["id"], row["instruction"], row["input"], (row["output"],)) for row in rows.iter_rows(named=True)
    ]
    with pytest.raises(InputError, match=r"has no translations in Greek \(xx-en\)"):
        load_items(benchmark, "el", "xx-en", source)
    with pytest.raises(InputError, match="name one with --release"):
        load_items(benchmark, "el", "en-xx", BenchmarkSource())
    with pytest.raises(InputError, match="has no German; it has ar, el, hi, tr, vi, zh"):
        load_items(benchmark, "de", "en-xx", source)


def test_languages_and_directions_are_those_of_the_release(release: Release) -> None:
    source = BenchmarkSource(release=release)
    found = [(lang, direction) for _, lang, direction in list_evaluations(["validation"], (), (), source)]
    assert found == [(lang, "en-xx") for lang in ("ar", "el", "hi", "tr", "vi", "zh")]
    assert not list(list_evaluations(["validation"], ["el"], ["xx-en"], source))


def test_unfinished_run_and_changed_prompt_are_refused(trained: tuple[Any, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(trained[1], tmp_path / "copy")
    changes = {"is not done": {"status": "stopped"}, "has changed": {"prompt": {"name": "raw", "sha256": "0"}}}
    for message, change in changes.items():
        metadata = json.loads((trained[1] / "run.json").read_text(encoding="utf-8")) | change
        (copy / "run.json").write_text(json.dumps(metadata), encoding="utf-8")
        with pytest.raises(InputError, match=message):
            load_model(str(copy))
    assert load_model(str(trained[1] / "model")).name == trained[1].name
