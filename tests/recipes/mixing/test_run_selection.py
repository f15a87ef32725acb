"""Next runs are chosen where they lower the expected regret, and nowhere else."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.mixing import allocation_problem, next_runs
from recipes.scaling import Point, ScalingLaw, fit_points

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_each_run_lowers_the_expected_regret_until_the_target(measured: Measured, available: np.ndarray) -> None:
    laws = fit_points(measured(0, sizes=(5_000, 20_000, 80_000))).select(LANGS)
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    runs = next_runs(laws, problem, 6, 0.0, 200_000)
    assert len(runs) == 6
    for run, after in pairwise(runs):
        assert run.regret_after < run.regret_before
        assert after.regret_before == run.regret_after
    enough = runs[2].regret_after * 1.0001
    assert next_runs(laws, problem, 6, enough, 200_000) == runs[:3]
    assert next_runs(laws, problem, 6, 1.0, 200_000) == []


def test_language_at_its_maximum_is_not_measured(measured: Measured, available: np.ndarray) -> None:
    points = dict(measured(1, sizes=(5_000, 20_000, 80_000, 200_000)))
    points["tr"] = [p for p in points["tr"] if p.size <= 20_000]
    laws = fit_points(points).select(LANGS)
    limits = available.copy()
    limits[2] = 1_000
    problem = allocation_problem(LANGS, 1_200_000, num_unique=limits)
    runs = next_runs(laws, problem, 6, 0.0, 200_000)
    assert "tr" in {run.lang for run in runs}
    assert "hi" not in {run.lang for run in runs}
    assert all(run.size <= 200_000 for run in runs)


def test_laws_without_samples_are_an_error(table4: list[ScalingLaw], available: np.ndarray) -> None:
    with pytest.raises(InputError, match="no uncertainty"):
        next_runs(table4, allocation_problem(LANGS, 1_200_000, num_unique=available), 6, 0.0, 200_000)
