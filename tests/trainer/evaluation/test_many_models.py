"""Evaluations of many runs: one model in memory at a time, unfit ones are left out, lengths of answers."""

import gc
import json
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from corpora.errors import InputError
from tests.trainer.models import make_model
from trainer.cli import cli
from trainer.evaluation import evaluate, run_evaluation

pytestmark = pytest.mark.slow
Options = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return four models, one of them with damaged weights, a file, and a run that is not done."""
    folder = tmp_path_factory.mktemp("runs")
    paths = [make_model(folder / f"run{number}", number) for number in range(4)]
    (paths[2] / "model.safetensors").write_bytes(b"damaged")
    (folder / "notes.txt").write_text("no run")
    unfinished = folder / "unfinished"
    unfinished.mkdir()
    metadata = {"metadata_version": 2, "status": "stopped", "key": "k", "identity": {}}
    (unfinished / "run.json").write_text(json.dumps(metadata))
    return [*paths, folder / "notes.txt", unfinished]


def test_one_model_at_a_time_is_in_memory_and_unfit_ones_are_left_out(
    models: list[Path], options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    living: list[Any] = []
    counts = []
    evaluate_task = run_evaluation._evaluate_task

    def and_count(config: Any, model: Any, *others: Any) -> Any:
        results = evaluate_task(config, model, *others)
        living.append(weakref.ref(model.model))
        gc.collect()
        counts.append(len({id(reference()) for reference in living if reference() is not None}))
        return results

    monkeypatch.setattr(run_evaluation, "_evaluate_task", and_count)
    table = evaluate(models, **options(benchmarks=["xquad"]))
    assert {result.model for result in table} == {"run0", "run1", "run3"}
    assert counts == [1, 1, 1]
    assert len(table.skipped) == 3
    printed = table.to_text()
    assert "notes.txt was left out: " in printed
    assert "is a file; the folder of a run" in printed
    assert "is not done (stopped)" in printed
    assert "run2 was left out: " in printed


def test_command_lists_what_it_left_out(models: list[Path], data: Path, tmp_path: Path) -> None:
    places = [f"--output={tmp_path / 'outputs'}", f"--results={tmp_path / 'results.jsonl'}", f"--data={data}"]
    chosen = ["--benchmarks=xquad", "--langs=el", "--allow-size-mismatch", "--offline", "--metrics=contains"]
    done = CliRunner().invoke(cli, ["evaluate", str(models[0]), str(models[4]), *chosen, *places])
    assert done.exit_code == 1
    assert "notes.txt was left out" in done.output
    one = CliRunner().invoke(cli, ["evaluate", str(models[4]), *chosen, *places], standalone_mode=False)
    assert isinstance(one.exception, InputError)


def test_longest_answer_is_that_of_the_benchmark(models: list[Path], options: Options) -> None:
    chosen = options(benchmarks=["flores", "xquad"], limit=1, directions=["en-xx"], metrics=["chrf++", "contains"])
    del chosen["max_new_tokens"]
    signatures = {result.benchmark: result.signature for result in evaluate(models[0], **chosen)}
    assert "|greedy:64|" in signatures["xquad"]
    assert "|greedy:512|" in signatures["flores"]
    assert "|backend:transformers-5" in signatures["flores"]
