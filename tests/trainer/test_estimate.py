"""What a dry run says is what a run does; and it leaves nothing behind."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from recipes.mixing.csv_values import read_amounts
from recipes.prompts import prompt_template
from trainer.cli.main import cli
from trainer.estimate import dry_run_text, look_ahead
from trainer.recipe import load_recipe
from trainer.release import Release
from trainer.run import Record
from trainer.training.prepare import Request

Ask = Callable[..., Request]
ROOT = Path(__file__).parent.parent.parent


def test_it_foretells_the_steps_and_tokens_of_the_run(ask: Ask, trained: tuple[Record, Path]) -> None:
    record, _ = trained
    request = ask()
    ahead = look_ahead(request, 1, "h100", None)
    assert not request.out.exists()
    assert ahead["plan"]["steps"] == record["num_steps"]
    assert ahead["plan"]["tokens"] == record["tokens"]
    assert ahead["examples"] == record["examples"]
    assert ahead["estimate"]["parameters"] == record["model"]["parameters"]
    assert look_ahead(request, 2, "h100", None)["plan"]["steps"] == record["num_steps"]


def test_the_tiny_model_is_as_small_as_readme_and_recipe_say(release: Release, tmp_path: Path) -> None:
    ahead = look_ahead(Request(load_recipe("tiny"), release, tmp_path / "run", config="el"), 1, "cpu", None)
    said = f"of {ahead['estimate']['parameters']:,} parameters"
    for file in ("README.md", "recipes/training/tiny.yaml"):
        assert said in (ROOT / file).read_text(encoding="utf-8")


def test_padding_is_what_padded_batches_of_the_plan_would_hold(ask: Ask) -> None:
    request = ask("packing=false")
    ahead = look_ahead(request, 1, "cpu", None)
    assert 0.05 < ahead["padding"]["padded"] < 0.6
    packed = look_ahead(ask("examples_per_step=null", "blocks_per_step=4"), 1, "cpu", None)
    assert packed["padding"]["packed"] == 0
    assert 0 <= packed["padding"]["unfilled"] < 0.05


def test_one_example_a_task_is_shown_token_by_token_with_its_mask(ask: Ask) -> None:
    ahead = look_ahead(ask(), 1, "cpu", None)
    assert [shown["task"] for shown in ahead["shown"]] == ["instruction", "translation"]
    for shown in ahead["shown"]:
        learned = [token["learned"] for token in shown["tokens"]]
        start = learned.index(True)
        assert all(learned[start:])
        before = "".join(token["text"] for token in shown["tokens"][:start])
        assert before.startswith(prompt_template("alpaca").without_input[:40])
        assert before.endswith("### Response:")
        assert shown["tokens"][-1]["text"] == "</s>"
    text = dry_run_text(ahead)
    assert "|·Response|:[" in text
    assert text.count("[</s>]") == 2


def test_rows_over_the_limit_are_told_by_language(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    from trainer.sft import sft

    sft(ask("max_length=130", "num_train_epochs=0.1"))
    told = capsys.readouterr().err
    assert told.startswith("Rows over 130 tokens: ")
    prepared = look_ahead(ask("max_length=130"), 1, "cpu", None)["examples"]
    cut = sum(row["cut"] for row in prepared if (row["split"], row["lang"]) == ("train", "el"))
    assert f"{cut} in el" in told


def test_the_costs_are_tokens_a_translation_as_the_allocator_reads_them(ask: Ask, tmp_path: Path) -> None:
    ahead = look_ahead(ask(), 1, "cpu", tmp_path / "costs.csv")
    (row,) = [r for r in ahead["examples"] if (r["split"], r["task"]) == ("train", "translation")]
    assert read_amounts(tmp_path / "costs.csv", "tokens") == pytest.approx(
        {"el": row["tokens"] / row["rows"]}, abs=1e-3
    )


def test_memory_and_time_are_those_of_the_stated_formulas(ask: Ask) -> None:
    ahead = look_ahead(ask(), 1, "h100", None)
    found, plan = ahead["estimate"], ahead["plan"]
    assert found["seconds"] == pytest.approx(6 * found["parameters"] * plan["tokens"] / (989e12 * 0.35))
    assert found["memory_bytes"] == 16 * found["parameters"] + 2 * 68 * plan["most_tokens_at_once"] * 32


def test_the_command_prints_the_same_for_a_machine(registry: Path) -> None:
    arguments = ["sft", "tiny", "--release=coit-sample", f"--registry={registry}", "--config=hi", "--dry-run", "--json"]
    ahead = json.loads(CliRunner().invoke(cli, [*arguments, "--device=cpu"], catch_exceptions=False).stdout)
    assert ahead["release"]["config"] == "hi"
    assert np.isfinite(ahead["estimate"]["seconds"])
