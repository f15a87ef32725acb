"""The Python API of training: the command line's options as keywords, and results for notebooks."""

import inspect
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import trainer
import trainer.cli
from corpora.errors import InputError

from .conftest import small_recipe

ROOT = Path(__file__).parents[2]
OUTPUT_OPTIONS = {"as_json", "log_file", "verbose", "quiet", "help"}
DRY_RUN_OPTIONS = {"dry_run", "device", "prices", "tokens_per_pair"}


def options_of(verb: str) -> set[str]:
    """Return the names of a verb's options and arguments as keywords of the API."""
    names = {param.name for param in trainer.cli.cli.commands[verb].params} - OUTPUT_OPTIONS
    return {"set" if name == "changes" else name for name in names if name}


def keywords_of(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters) - {"progress"}


def test_keywords_are_the_options() -> None:
    assert keywords_of(trainer.sft) == options_of("sft") - DRY_RUN_OPTIONS
    assert keywords_of(trainer.sweep) == options_of("sweep") - {"list_runs", "commands"}
    assert keywords_of(trainer.plan_sweep) == keywords_of(trainer.sweep) - {"cluster", "jobs", "progress"}
    assert keywords_of(trainer.estimate) == options_of("sft") - {"dry_run", "output", "dtype", "keep_checkpoints"}


def test_every_keyword_is_documented() -> None:
    for function in (trainer.sft, trainer.sweep, trainer.plan_sweep, trainer.estimate):
        documented = inspect.getdoc(function) or ""
        assert all(f"\n    {name}: " in documented for name in inspect.signature(function).parameters)


def test_import_is_lazy_and_fast() -> None:
    heavy = ("torch", "transformers", "trl", "polars", "pyarrow", "numpy", "pydantic", "click")
    code = f"import sys, trainer; assert 'sft' in dir(trainer); print([m for m in {heavy} if m in sys.modules])"
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert time.perf_counter() - began < 2  # the interpreter included, on a busy machine


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'trainer' has no attribute 'stf'"):
        trainer.stf  # noqa: B018


@pytest.mark.parametrize("verb", ["sft", "sweep"])
def test_help_groups_options_and_names_their_values(verb: str) -> None:
    text = CliRunner().invoke(trainer.cli.cli, [verb, "--help"]).output
    for title in ("Data:", "Training:", "Output:"):
        assert f"\n{title}" in text
    assert "--release RELEASE" in text
    assert "TEXT" not in text
    assert "INTEGER" not in text


@pytest.mark.slow
def test_sft_returns_a_run_that_is_a_path(registry: Path, tmp_path: Path, one_thread: None) -> None:
    settings = {"num_train_epochs": 0.1, "logging_steps": 1, "model_config": small_recipe()["model_config"]}
    options: dict[str, Any] = {"release": "coit-sample", "registry": registry, "config": "el", "set": settings}
    from trainer.run_progress import STAGES

    stages: list[str] = []
    run = trainer.sft("tiny", output=tmp_path / "run", progress=lambda status: stages.append(status.stage), **options)
    assert isinstance(run, trainer.Run)
    assert Path(run) == run.folder == tmp_path / "run"
    assert (run.model / "model.safetensors").is_file()
    assert run.losses[-1]["loss"] > 0
    assert list(dict.fromkeys(stages)) == list(STAGES)
    assert repr(run).startswith("Trained tiny on coit-sample@v1.0.0, config el\n")
    assert "<table>" in run._repr_html_()
    with pytest.raises(AttributeError):
        run.folder = tmp_path  # type: ignore[misc]


@pytest.mark.slow
def test_sweep_and_estimate_show_tables(registry: Path, release: Any, tmp_path: Path, one_thread: None) -> None:
    settings = {"num_train_epochs": 0.1, "model_config": small_recipe()["model_config"]}
    sweep = trainer.sweep(
        "tiny", sizes=[5, "10"], runs=tmp_path, release=release, langs=["tr"], registry=registry, set=settings
    )
    assert [row["size"] for row in sweep.rows] == [5, 10]
    assert [run.metadata["size"] for run in sweep] == [5, 10]
    assert "token_accuracy" in repr(sweep)
    assert "<table>" in sweep._repr_html_()
    estimate = trainer.estimate("tiny", release=release, config="el", device="h100")
    assert "parameters on H100" in repr(estimate)
    assert "<table>" in estimate._repr_html_()


@pytest.mark.slow
def test_missing_release_is_an_input_error() -> None:
    with pytest.raises(InputError, match="Name the release to train on with --release"):
        trainer.sft("tiny", set={"release": ""})
    assert trainer.InputError is InputError
