"""What a run writes while it trains: lines, losses.jsonl, the picture; and how it ends where numbers are not finite."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.conftest import SMALL
from trainer.losses import LOSSES, append_loss, keep_losses, read_losses_file
from trainer.run import Diverged, read_metadata

ConfigOf = Callable[..., Any]
ROOT = Path(__file__).parents[3]
ROW = {"step": 20, "loss": 6.2061, "learning_rate": 2.9e-3, "grad_norm": 1.431, "tokens_per_second": 3384.2}
ROW |= {"memory_bytes": 12_300_000_000, "seconds_left": 22.0}


def test_line_of_a_step_has_the_numbers_that_are_known() -> None:
    from trainer.training.step_log import format_step

    assert format_step(ROW | {"mfu": 0.412}, 49) == (
        "step 20 of 49: loss 6.206, learning rate 2.90e-03, gradient norm 1.43, 3,384 tokens/s, MFU 41.2%, "
        "12.3 GB memory, 22 s left"
    )
    assert "MFU" not in format_step(ROW | {"mfu": None}, 49)


def test_rows_of_steps_that_are_trained_again_are_removed(tmp_path: Path) -> None:
    path = tmp_path / LOSSES
    for step in (1, 2, 3, 4):
        append_loss(path, {"step": step, "loss": 5.0})
    with path.open("a") as file:
        file.write('{"step": 5, "lo')  # killed while it wrote
    keep_losses(path, 3)
    append_loss(path, {"step": 4, "loss": 4.5})
    assert [(row["step"], row["loss"]) for row in read_losses_file(path)] == [(1, 5.0), (2, 5.0), (3, 5.0), (4, 4.5)]


@pytest.mark.slow
def test_piped_run_prints_its_steps(registry: Path, tmp_path: Path) -> None:
    options = ["--release=coit-sample", f"--registry={registry}", "--config=el", f"--output={tmp_path / 'run'}"]
    changes = [f"--set={change}" for change in (*SMALL, "num_train_epochs=0.5", "logging_steps=3")]
    command = [sys.executable, "-m", "trainer", "sft", "tiny", *options, *changes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("step ")]
    rows = read_losses_file(tmp_path / "run" / LOSSES)
    assert [row["step"] for row in rows] == [1, 3, 6, 8]
    assert len(lines) == len(rows)
    assert all("gradient norm" in line and "tokens/s" in line and "memory" in line for line in lines)
    assert rows == [json.loads(line) for line in (tmp_path / "run" / LOSSES).read_text().splitlines()]
    assert (tmp_path / "run" / "model" / "losses.png").read_bytes()[:4] == b"\x89PNG"
    assert "(losses.png)" in (tmp_path / "run" / "model" / "README.md").read_text()


@pytest.mark.slow
def test_run_with_fewer_steps_than_logging_steps_ends_well(config_of: ConfigOf) -> None:
    from trainer.results import Run
    from trainer.train import train

    config = config_of("num_train_epochs=0.3", "logging_steps=50", "eval_steps=50", "save_steps=50")
    metadata = train(config)
    assert [row["step"] for row in metadata["losses"]] == [1, metadata["num_steps"]]
    assert "loss" in repr(Run(config.output, metadata))


@pytest.mark.slow
def test_first_number_that_is_not_finite_ends_the_run_with_its_rows(
    config_of: ConfigOf, caplog: pytest.LogCaptureFixture
) -> None:
    from trainer.train import train
    from trainer.training import last_checkpoint

    config = config_of("learning_rate=1e30", "warmup_steps=0", "save_steps=1")
    with caplog.at_level(logging.INFO), pytest.raises(Diverged) as diverged:
        train(config)
    sentence = str(diverged.value)
    assert sentence.startswith("The loss of step 2 is nan")
    assert "checkpoint-1 is from before" in sentence
    assert "learning_rate" in sentence
    assert "translation en-xx" in sentence
    checkpoint = last_checkpoint(config.output)
    assert checkpoint is not None
    assert checkpoint.name == "checkpoint-1"
    metadata = read_metadata(config.output)
    assert metadata is not None
    assert (metadata["status"], metadata["error"]) == ("failed", sentence)


TOOLS = [("tensorboard", "run/runs/*/events*"), ("wandb", "wandb/offline-run-*"), ("trackio", "trackio/*.db")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pattern"), TOOLS)
def test_numbers_are_sent_to_the_chosen_tool(
    name: str, pattern: str, config_of: ConfigOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(name, reason="the extra 'report' is not installed")
    from trainer.train import train

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    train(config_of(f"report_to={name}", "max_steps=2"))
    assert list(tmp_path.glob(pattern))
