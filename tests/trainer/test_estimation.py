"""An estimate predicts what a run does, and writes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from trainer.cli import cli

pytestmark = pytest.mark.slow
ConfigOf = Callable[..., Any]
Estimated = Callable[..., Any]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def estimated(config_of: ConfigOf) -> Estimated:
    """Estimate a small run with changed settings."""
    from trainer.estimation import estimate_run

    def estimate(*changes: str, processes: int = 1, device: str = "cpu", **options: Any) -> Any:
        return estimate_run(config_of(*changes), processes, device, **options)

    return estimate


def test_estimate_predicts_steps_and_tokens_of_the_run(
    estimated: Estimated, config_of: ConfigOf, trained: tuple[Any, Path]
) -> None:
    metadata, _ = trained
    estimate = estimated(device="h100")
    assert not config_of().output.exists()
    assert estimate.schedule["num_steps"] == metadata["num_steps"]
    assert estimate.schedule["num_tokens"] == metadata["num_tokens"]
    assert estimate.example_counts == metadata["example_counts"]
    assert estimate.resources["num_parameters"] == metadata["model"]["num_parameters"]
    assert estimated(processes=2, device="h100").schedule["num_steps"] == metadata["num_steps"]


def test_tiny_recipe_states_its_number_of_parameters(release: Any, tmp_path: Path) -> None:
    from trainer.estimation import estimate_run
    from trainer.preparation import TrainConfig
    from trainer.recipe import load_recipe

    config = TrainConfig(load_recipe("tiny"), release, tmp_path / "run", config_name="el")
    num_parameters = estimate_run(config, device="cpu").resources["num_parameters"]
    assert f"{num_parameters:,} parameters" in (ROOT / "recipes/training/tiny.yaml").read_text(encoding="utf-8")


def test_padding_is_that_of_padded_and_packed_batches(estimated: Estimated) -> None:
    assert 0.05 < estimated("packing=false").padding["padded"] < 0.6
    packed = estimated("global_batch_size=4", "batch_unit=packed").padding
    assert packed["packed"] == 0
    assert 0 <= packed["unfilled"] < 0.05


def test_samples_show_each_task_token_by_token_with_its_mask(estimated: Estimated) -> None:
    from recipes.prompts import prompt_template

    estimate = estimated()
    assert [sample["task"] for sample in estimate.samples] == ["instruction", "translation"]
    for sample in estimate.samples:
        is_target = [token["is_target"] for token in sample["tokens"]]
        start = is_target.index(True)
        assert all(is_target[start:])
        prompt = "".join(token["text"] for token in sample["tokens"][:start])
        assert prompt.startswith(prompt_template("alpaca").without_input[:40])
        assert prompt.endswith("### Response:")
        assert sample["tokens"][-1]["text"] == "</s>"
    assert "|·Response|:[" in repr(estimate)
    assert repr(estimate).count("[</s>]") == 2


def test_rows_over_the_length_limit_are_reported_by_language(
    estimated: Estimated, config_of: ConfigOf, caplog: pytest.LogCaptureFixture
) -> None:
    from trainer.train import train

    train(config_of("max_length=130", "num_train_epochs=0.1"))
    (message,) = [text for text in caplog.messages if text.startswith("Rows over 130 tokens: ")]
    rows = estimated("max_length=130").example_counts
    truncated = sum(row["truncated"] for row in rows if (row["split"], row["lang"]) == ("train", "el"))
    assert f"{truncated} in el" in message


def test_tokens_per_pair_are_read_by_the_allocator(estimated: Estimated, tmp_path: Path) -> None:
    from recipes.mixing import read_lang_values

    counts = estimated(tokens_per_pair=tmp_path / "tokens_per_pair.csv").example_counts
    (row,) = [row for row in counts if (row["split"], row["task"]) == ("train", "translation")]
    assert read_lang_values(tmp_path / "tokens_per_pair.csv", "tokens") == pytest.approx(
        {"el": row["num_tokens"] / row["num_rows"]}, abs=1e-3
    )


def test_memory_and_time_follow_the_cited_formulas(estimated: Estimated) -> None:
    estimate = estimated(device="h100")
    resources, schedule = estimate.resources, estimate.schedule
    num = resources["num_parameters"]
    assert resources["seconds"] == pytest.approx(6 * num * schedule["num_tokens"] / (989e12 * 0.35))
    assert resources["memory_bytes"] == 16 * num + 2 * 68 * schedule["max_tokens_at_once"] * 32


def test_run_that_does_not_fit_is_called_so_with_the_number_of_devices_that_hold_it(estimated: Estimated) -> None:
    from trainer.resources import Device, processes_that_fit

    device = Device("small", "", 1e12, 80, 0.3)
    assert processes_that_fit(lambda count: 109e9 / count, device) == 2
    assert processes_that_fit(lambda count: 90e9 + 19e9 / count, device) is None
    estimate = estimated(device="a100")
    assert "fits, about 0.0 of 80 GB a process" in repr(estimate)
    assert {row["device"] for row in estimate.resources["devices"]} >= {"A100 40 GB", "B200", "MI300X", "RTX 4090"}
    estimate.resources.update(memory_bytes=109e9, processes_that_fit=2)
    assert "does not fit: 109.0 of 80 GB a process; with 2 of them and FSDP2 it does (--processes 2)" in repr(estimate)
    estimate.resources.update(processes_that_fit=None)
    assert "with no number of them" in repr(estimate)


def test_smoke_test_has_few_steps(estimated: Estimated) -> None:
    assert estimated("max_steps=2").schedule["num_steps"] == 2


def test_dry_run_prints_json(registry: Path) -> None:
    arguments = ["sft", "tiny", "--release=coit-sample", f"--registry={registry}", "--config=hi", "--dry-run", "--json"]
    estimate = json.loads(CliRunner().invoke(cli, [*arguments, "--device=cpu"], catch_exceptions=False).stdout)
    assert estimate["release"]["config"] == "hi"
    assert estimate["resources"]["seconds"] < 1e9
