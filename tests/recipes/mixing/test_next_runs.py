"""Plans: runs where they help, none where they do not."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.mixing.allocation import problem
from recipes.mixing.next_runs import plan
from recipes.scaling.fit import fit
from recipes.scaling.law import Point, ScalingLaw

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_each_run_lessens_the_expected_regret_and_they_end_when_it_is_enough(
    measured: Measured, caps: np.ndarray
) -> None:
    laws = fit(measured(0, sizes=(5_000, 20_000, 80_000))).of(LANGS)
    given = problem(LANGS, 1_200_000, unique=caps)
    runs = plan(laws, given, 6, 0.0, 200_000)
    assert len(runs) == 6
    for run, after in pairwise(runs):
        assert run.after < run.before
        assert after.before == run.after
    enough = runs[2].after * 1.0001
    assert plan(laws, given, 6, enough, 200_000) == runs[:3]
    assert plan(laws, given, 6, 1.0, 200_000) == []


def test_a_language_at_its_cap_is_not_measured(measured: Measured, caps: np.ndarray) -> None:
    points = dict(measured(1, sizes=(5_000, 20_000, 80_000, 200_000)))
    points["tr"] = [p for p in points["tr"] if p.size <= 20_000]
    laws = fit(points).of(LANGS)
    limits = caps.copy()
    limits[2] = 1_000
    given = problem(LANGS, 1_200_000, unique=limits)
    runs = plan(laws, given, 6, 0.0, 200_000)
    assert "tr" in {run.lang for run in runs}
    assert "hi" not in {run.lang for run in runs}
    assert all(run.size <= 200_000 for run in runs)


def test_laws_without_uncertainty_cannot_be_planned_for(table4: Sequence[ScalingLaw], caps: np.ndarray) -> None:
    with pytest.raises(InputError, match="carry no uncertainty"):
        plan(table4, problem(LANGS, 1_200_000, unique=caps), 6, 0.0, 200_000)
