"""MI-EVAL: seed instructions and a translator become a benchmark release."""

import json
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from builders.cli import cli
from builders.publishing import verify_release
from cards.manifest import to_text
from cards.releases import open_release
from corpora.catalog import load_catalog
from corpora.errors import InputError
from corpora.reading import InputFile, read_instructions
from recipes.recipe import parse_recipe
from tests.builders.conftest import ledger_counts
from tests.builders.translation.expected import expected

GREEK, ARABIC = partial(expected, flores="ell_Grek"), partial(expected, flores="arb_Arab")
SEEDS = [
    {"id": "seed_task_0", "instruction": "Name a warm colour.", "instances": [{"input": "", "output": "Red."}]},
    {"instruction": "Say what it means.", "instances": [{"input": "black sheep", "output": "An outcast."}]},
    {"instruction": "Find a word that rhymes with cat.", "instances": [{"input": "", "output": "Hat."}]},
    {"instruction": "Say more.", "input": "Of a tree."},
    {"instances": []},
]
CATALOG = """
[my-seeds]
title = "Instructions of ours"
kind = "instructions"
version = "1"
format = "self-instruct"
url = "seeds.jsonl"
langs = ["en"]
licence = "cc0-1.0"
"""


@pytest.fixture(scope="module")
def made(converted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return MI-EVAL of our own seeds in Greek and Arabic, as the command publishes it."""
    folder = tmp_path_factory.mktemp("mi-eval")
    (folder / "seeds.jsonl").write_text("\n".join(map(json.dumps, SEEDS)), encoding="utf-8")
    (folder / "corpora.toml").write_text(CATALOG, encoding="utf-8")
    recipe = Path("recipes/datasets/mi-eval.toml").read_text(encoding="utf-8").replace("seed-tasks", "my-seeds")
    (folder / "mi-eval.toml").write_text(recipe, encoding="utf-8")
    places = [
        "--work",
        str(folder / "work"),
        "--registry",
        str(folder / "registry"),
        "--corpora-lock",
        str(folder / "lock"),
    ]
    quick = ["--langs", "el,ar", "--translator", str(converted), "--beam", "1", "--compute-type", "float32"]
    named = [str(folder / "mi-eval.toml"), "--with", str(folder)]
    done = CliRunner().invoke(cli, ["publish", *named, *places, *quick])
    assert done.exit_code == 0, done.exception
    return folder / "registry" / "mi-eval" / "v1.0.0"


def test_instruction_is_in_every_language_or_in_none(made: Path) -> None:
    rows = pl.read_parquet(made / "data" / "all" / "validation-*.parquet")
    asked = {lang: own.sort("id").select("instruction", "input").rows() for (lang,), own in rows.group_by("lang")}
    english = [("Name a warm colour.", ""), ("Say more.", "Of a tree."), ("Say what it means.", "black sheep")]
    assert sorted(asked["en"]) == english  # what rhymes in English is not translated, so it is asked in no language
    assert asked["el"] == [(GREEK(a), GREEK(b)) for a, b in asked["en"]]
    assert asked["ar"] == [(ARABIC(a), ARABIC(b)) for a, b in asked["en"]]
    assert set(rows["output"]) == {""}
    assert not verify_release(open_release(str(made))).problems


def test_ledger_and_card_describe_a_benchmark(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_bytes())
    rows = {(stage, lang, key): n for (stage, _, lang, key), n in ledger_counts(manifest["ledger"]).items()}
    assert (rows["instructions", "en", "in"], rows["instructions", "en", "missing_field"]) == (5, 1)
    assert (rows["translated_instructions", "el", "kept"], rows["translated_instructions", "el", "rhyme"]) == (3, 1)
    assert "for evaluation, not for training" in (made / "README.md").read_text(encoding="utf-8")


def test_items_are_the_same_in_each_language(made: Path) -> None:
    from trainer.evaluation import BenchmarkSource, get_benchmark, load_items

    benchmark, source = get_benchmark("mi-eval"), BenchmarkSource(data=made)
    items = {lang: load_items(benchmark, lang, "", source).items for lang in ("en", "el", "ar")}
    assert [item.id for item in items["el"]] == [item.id for item in items["en"]] == [item.id for item in items["ar"]]
    assert [item.instruction for item in items["el"]] == [GREEK(item.instruction) for item in items["en"]]
    assert {item.references for item in items["el"]} == {()}
    with pytest.raises(InputError, match=r"has no language 'hi'\. It has ar, el"):
        load_items(get_benchmark("mi-eval"), "hi", "", BenchmarkSource(data=made))


def test_answers_are_saved_and_scored(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.trainer.models import make_model
    from trainer.cli import cli as trainer

    monkeypatch.chdir(tmp_path)
    asked = ["evaluate", str(make_model(tmp_path / "model")), "--benchmarks", "mi-eval", "--data", str(made)]
    done = CliRunner().invoke(trainer, [*asked, "--langs", "el,ar", "--max-new-tokens", "4"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for lang in ("el", "ar"):  # random weights end no answer, and say nothing that is a language
        assert f"mi-eval.{lang}: 3 of 3 answers did not end within the limit of new tokens." in done.output
        assert f"mi-eval.{lang}: no answer is long enough for language_accuracy, so it has no value." in done.output
    outputs = [pl.read_parquet(path) for path in tmp_path.rglob("*mi-eval*.parquet")]
    assert [rows.height for rows in outputs] == [3, 3]


def test_training_release_is_refused_as_a_benchmark(made: Path, tmp_path: Path) -> None:
    from trainer.evaluation import BenchmarkSource, get_benchmark, load_items

    manifest = json.loads((made / "manifest.json").read_bytes())
    manifest["recipe"]["kind"] = "training"
    (tmp_path / "manifest.json").write_text(to_text(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="is a release to train on"):
        load_items(get_benchmark("mi-eval"), "el", "", BenchmarkSource(data=tmp_path))


def test_seed_tasks_are_read_without_their_answers(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text("\n".join(map(json.dumps, [*SEEDS, {"instruction": 1}, 7])), encoding="utf-8")
    table = [row for batch in read_instructions(InputFile(path, "self-instruct")) for row in batch.to_pylist()]
    assert [row["input"] for row in table] == ["", "black sheep", "", "Of a tree.", "", "", ""]
    assert {row["output"] for row in table} == {""}
    assert [row["read_error"] for row in table] == [None] * 4 + ["missing_field", None, "not_an_object"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"validation": 0.1}, "Remove the key 'validation'"),
        ({"kind": "training"}, "'seed-tasks' has no answers"),
        ({"configs": "language"}, "a benchmark has configs = 'all'"),
        ({"directions": ["en-xx"], "bitext": ["wikimatrix"]}, "neither 'directions' nor"),
    ],
)
def test_contradictory_benchmark_recipe_is_refused(change: dict[str, object], says: str) -> None:
    table = {"title": "t", "summary": "s", "configs": "all", "langs": ["el"], "instructions": ["seed-tasks"]}
    table |= {"instruction_langs": ["en", "xx"], "kind": "benchmark"}
    assert parse_recipe("mi", table, load_catalog(), "mi.toml").is_benchmark
    with pytest.raises(InputError, match=says):
        parse_recipe("mi", table | change, load_catalog(), "mi.toml")
