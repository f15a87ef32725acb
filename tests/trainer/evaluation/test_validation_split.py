"""A release's own validation rows as a benchmark, and what a run's record brings to its scores."""

from pathlib import Path

import pytest

from cards.releases import Release
from corpora.errors import InputError
from recipes.results import read_results
from trainer.evaluation.benchmarks import benchmark, load_items, plan
from trainer.evaluation.eval_model import find_candidate
from trainer.evaluation.evaluate import Evaluation, evaluate
from trainer.evaluation.items import Place
from trainer.rows import read_rows
from trainer.run import RunMetadata


def test_scores_carry_release_size_and_seed_of_the_run(
    trained: tuple[RunMetadata, Path], release: Release, tmp_path: Path
) -> None:
    record, folder = trained
    place = Place(release=release, offline=True)
    asked = Evaluation(
        find_candidate(str(folder)), ("validation",), "el", ("en-xx",), ("token_accuracy",), place=place,
        out=tmp_path / "evaluations", results=tmp_path / "results.jsonl",
    )  # fmt: skip
    (score,) = evaluate(asked, print)
    pairs = record["composition"]["translation"]["el"]
    assert (score.release, score.num_pairs, score.seed) == ("coit-sample@v1.0.0", pairs, record["seed"])
    assert score.composition["translation"] == {"el": pairs}
    assert score.model == folder.name
    assert [score] == read_results(asked.results)


def test_what_a_release_holds_back_is_asked_as_it_was_published(release: Release) -> None:
    rows = read_rows(release, "el", "validation", ["el"]).filter(task="translation", direction="en-xx").sort("id")
    items = load_items(benchmark("validation"), "el", "en-xx", Place(release=release)).items
    assert [(i.id, i.instruction, i.input, i.references) for i in items] == [
        (row["id"], row["instruction"], row["input"], (row["output"],)) for row in rows.iter_rows(named=True)
    ]
    with pytest.raises(InputError, match="holds back no translations in Greek"):
        load_items(benchmark("validation"), "el", "xx-en", Place(release=release))
    with pytest.raises(InputError, match="Name the release with --release"):
        load_items(benchmark("validation"), "el", "en-xx", Place())
    with pytest.raises(InputError, match="has no German; it has ar, el, hi, tr, vi, zh"):
        load_items(benchmark("validation"), "de", "en-xx", Place(release=release))


def test_a_release_is_asked_in_the_languages_and_directions_that_it_holds_back(release: Release) -> None:
    planned = [(lang, direction) for _, lang, direction in plan(["validation"], None, (), Place(release=release))]
    assert planned == [(lang, "en-xx") for lang in ("ar", "el", "hi", "tr", "vi", "zh")]
    assert list(plan(["validation"], "el", ("xx-en",), Place(release=release)))  # asked for by name: it will be told


def test_a_run_that_is_not_done_or_whose_prompt_changed_is_refused(
    trained: tuple[RunMetadata, Path], tmp_path: Path
) -> None:
    import json
    import shutil

    copy = shutil.copytree(trained[1], tmp_path / "copy")
    changes = {"is not done": {"status": "stopped"}, "is not as it was": {"prompt": {"name": "raw", "sha256": "0"}}}
    for says, change in changes.items():
        record = json.loads((trained[1] / "run.json").read_text(encoding="utf-8")) | change
        (copy / "run.json").write_text(json.dumps(record), encoding="utf-8")
        with pytest.raises(InputError, match=says):
            find_candidate(str(copy))
    assert find_candidate(str(trained[1] / "model")).name == trained[1].name
