"""Predictions beside what was measured, their ledger, and which runs to make next."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.mixing import allocation_problem
from recipes.transfer import (
    Objective,
    TransferLaws,
    append_predictions,
    calibration,
    check_predictions,
    fit_transfer,
    law_surfaces,
    next_mixtures,
    read_predictions,
    surface_table,
    without_largest,
)

from .runs import LANGS, MAXIMUMS, design_runs
from .test_runs import result


@pytest.fixture(scope="module")
def laws() -> TransferLaws:
    return fit_transfer(without_largest(design_runs())[0], "chrf++", form="shared")


def results_of(rows: Any) -> list[Any]:
    """Results of the design runs of some rows."""
    runs = design_runs().select(rows)
    return [
        result(lang, float(value), {"translation": {x: int(n) for x, n in zip(LANGS, pairs, strict=True) if n}}, name)
        for name, pairs, values in zip(runs.names, runs.pairs, runs.values, strict=True)
        for lang, value in zip(LANGS, values, strict=True)
    ]


def test_predictions_of_the_largest_budget_are_mostly_within_their_intervals(
    laws: TransferLaws, tmp_path: Path
) -> None:
    _, is_largest = without_largest(design_runs())
    predictions = check_predictions(laws, results_of(is_largest))
    assert len(predictions) == 24
    so_far = calibration(predictions)
    assert so_far.num_covered >= 18
    assert so_far.rmse < 1.7
    assert append_predictions(tmp_path / "p.jsonl", predictions) == 24
    assert append_predictions(tmp_path / "p.jsonl", predictions) == 0
    assert read_predictions(tmp_path / "p.jsonl") == predictions
    (tmp_path / "p.jsonl").write_text('{"laws": 3}\n', "utf-8")
    with pytest.raises(InputError, match=r"p\.jsonl, line 1"):
        read_predictions(tmp_path / "p.jsonl")


def test_mixtures_of_the_fit_are_no_predictions(laws: TransferLaws) -> None:
    smaller, is_largest = without_largest(design_runs())
    with pytest.raises(InputError, match="fitted to all of these mixtures"):
        check_predictions(laws, results_of(~is_largest))
    assert len(smaller.names) + int(is_largest.sum()) == 23


@pytest.mark.parametrize("kind", ["mean", "worst"])
def test_last_run_checks_the_proposed_split(laws: TransferLaws, kind: str) -> None:
    problem = allocation_problem(LANGS, 4000, num_unique=np.array(MAXIMUMS, float))
    draws, objective = law_surfaces(laws, problem).draws(slice(0, 80)), Objective(kind, problem.weights)
    noise = np.full(4, 0.4)
    plan = next_mixtures(draws, noise, objective, problem, 3, 0.0, overhead=0.0)
    assert sum(plan.runs[-1].pairs.values()) == 2000
    assert "half of the budget" in plan.runs[-1].reason
    assert all(run.regret_after <= run.regret_before for run in plan.runs)
    dear = next_mixtures(draws, noise, objective, problem, 3, 0.0, overhead=1e6)
    assert len(dear.runs) == 1
    assert "if they are trained on instead" in dear.stop
    enough = next_mixtures(draws, noise, objective, problem, 3, 99.0, overhead=0.0)
    assert len(enough.runs) == 1
    assert "are enough" in enough.stop


def test_surface_is_of_two_languages(laws: TransferLaws) -> None:
    table = surface_table(laws, "el", "tr")
    values = np.array(table["values"])
    assert values.shape == (40, 40)
    assert (np.diff(values, axis=1) > 0).all()
    assert (np.diff(values, axis=0) > 0).all()
    with pytest.raises(InputError, match="not 'el'"):
        surface_table(laws, "el", "el")
