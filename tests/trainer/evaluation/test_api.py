"""The Python API of evaluation: the command line's options as keywords, and results for notebooks."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trainer
import trainer.cli
from recipes.results import Result, append_results

ROOT = Path(__file__).parents[3]
NO_KEYWORDS = {"as_json", "log_file", "verbose", "quiet", "help", "markdown"}
VERBS = ("evaluate", "compare", "align", "judge", "leaderboard")


@pytest.mark.parametrize("verb", VERBS)
def test_keywords_are_the_options(verb: str) -> None:
    options = {param.name for param in trainer.cli.cli.commands[verb].params} - NO_KEYWORDS
    assert set(inspect.signature(getattr(trainer, verb)).parameters) - {"progress"} == options


@pytest.mark.parametrize("verb", VERBS)
def test_every_keyword_is_documented_and_has_the_options_default(verb: str) -> None:
    function: Callable[..., Any] = getattr(trainer, verb)
    documented = inspect.getdoc(function) or ""
    parameters = inspect.signature(function).parameters
    assert all(f"\n    {name}: " in documented for name in parameters)
    for param in trainer.cli.cli.commands[verb].params:
        if param.name in parameters and isinstance(param.default, str | int | float):
            assert parameters[param.name].default == param.default, param.name


@pytest.mark.slow
def test_heavy_libraries_are_not_imported_with_the_package() -> None:
    heavy = ("torch", "transformers", "datasets", "lm_eval", "sacrebleu", "matplotlib", "fasttext", "huggingface_hub")
    code = f"import sys, trainer; trainer.evaluate; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tables_print_and_have_html(tmp_path: Path) -> None:
    row = ("r@v1", "el", 5, 0, 0, {}, "m", "flores", "en-xx", "chrf++", 41.5, (40.0, 43.0), 9, "x", 0.0, 100.0)
    append_results(tmp_path / "results.jsonl", [Result(*row)])
    board = trainer.leaderboard(results=tmp_path / "results.jsonl")
    assert "chrF++ [95%]" in repr(board)
    assert "<table>" in board._repr_html_()
    table = trainer.ResultTable((Result(*row),))
    assert "41.50" in repr(table)
    assert "[40.00, 43.00]" in table._repr_html_()
