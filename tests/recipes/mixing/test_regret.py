"""The expected regret is what is measured, and mixtures are compared."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from recipes.mixing import (
    allocate_integers,
    allocation_problem,
    baseline,
    compare_mixtures,
    estimate_regret,
    frontier,
    law_curves,
    mean_value,
    optimum,
    sample_curves,
)
from recipes.mixing.comparison import next_gains
from recipes.mixing.mixture import to_mixture
from recipes.mixing.regret import best_values
from recipes.scaling import Point, ScalingLaw, fit_form, fit_points

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_approximation_and_simulation_agree(measured: Measured, available: np.ndarray) -> None:
    for sizes in ((5_000, 20_000, 80_000), (10_000, 30_000, 100_000, 300_000)):
        laws = fit_points(measured(0, sizes=sizes)).select(LANGS)
        for budget in (300_000, 1_200_000):
            problem = allocation_problem(LANGS, budget, num_unique=available)
            found = estimate_regret(laws, problem, optimum(laws, problem))
            assert found is not None
            assert found.approximation == pytest.approx(found.expected, rel=0.3)
            assert found.quantile_95 > found.expected


def test_expected_regret_is_what_is_measured(
    measured: Measured, available: np.ndarray, table4: Sequence[ScalingLaw]
) -> None:
    """40 worlds with two runs at two sizes each; the truth is Table 4. (The benchmark has 500.)"""
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    truth = law_curves(table4, problem)
    best = float(mean_value(truth, problem, allocate_integers(truth, problem).astype(float)))
    promised, happened = [], []
    for seed in range(40):
        laws = list(fit_form(measured(seed, sizes=(5_000, 5_000, 20_000, 20_000)), "power", 100.0).values())
        chosen = optimum(laws, problem)
        estimate = estimate_regret(laws, problem, chosen)
        assert estimate is not None
        promised.append(estimate.approximation)
        happened.append(best - float(mean_value(truth, problem, chosen.seen)))
    assert 0.5 < np.mean(promised) / np.mean(happened) < 2


def test_best_value_of_each_sample_is_that_of_the_solver(measured: Measured, available: np.ndarray) -> None:
    laws = fit_points(measured(1, sizes=(5_000, 20_000, 80_000))).select(LANGS)
    for epochs, unique in ((1.0, available), (4.0, available / 10)):
        problem = allocation_problem(LANGS, 900_000, num_unique=unique, epochs=epochs)
        drawn = sample_curves(laws, problem)
        assert drawn is not None
        scores = best_values(drawn, problem)
        for number in (0, 100, 511):
            rows = [ScalingLaw(lang, *law.samples[number]) for lang, law in zip(LANGS, laws, strict=True)]
            own = law_curves(rows, problem)
            again = float(mean_value(own, problem, allocate_integers(own, problem).astype(float)))
            assert again == pytest.approx(scores[number], abs=1e-7)


def test_baselines_are_compared_with_the_optimum(measured: Measured, available: np.ndarray) -> None:
    laws = fit_points(measured(2)).select(LANGS)
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    found, infeasible = compare_mixtures(laws, problem, optimum(laws, problem))
    assert [o.mixture.name for o in found] == ["optimum", "unimax", "uniform", "temperature:0.3", "proportional"]
    assert not infeasible
    for o in found:
        assert o.interval is not None
        assert o.interval[0] < o.value < o.interval[1]
        assert o.advantage >= 0
    assert found[-1].p_better is not None
    assert found[-1].p_better > 0.99
    assert [o.regret for o in found] == sorted(o.regret for o in found if o.regret is not None)


def test_infeasible_baselines_give_the_reason(table4: list[ScalingLaw], available: np.ndarray) -> None:
    problem = allocation_problem(LANGS, 2_400_000, num_unique=available)
    found, infeasible = compare_mixtures(table4, problem, optimum(table4, problem))
    assert "uniform" not in [o.mixture.name for o in found]
    assert infeasible[0].startswith("uniform: A uniform mixture has 400,000 pairs")
    assert all(o.interval is None and o.regret is None for o in found)
    assert estimate_regret(table4, problem, found[0].mixture) is None


def test_languages_at_their_maximum_have_no_regret(measured: Measured, available: np.ndarray) -> None:
    laws = fit_points(measured(4, sizes=(5_000, 20_000, 80_000))).select(LANGS)
    problem = allocation_problem(LANGS, float(available.sum()), num_unique=available)
    found = estimate_regret(laws, problem, optimum(laws, problem))
    assert found is not None
    assert (found.expected, found.approximation) == (pytest.approx(0, abs=1e-9), 0)


def test_gains_are_equal_except_at_maximums(table4: list[ScalingLaw], available: np.ndarray) -> None:
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    gains = next_gains(table4, problem, optimum(table4, problem))
    assert np.ptp(gains[[0, 1, 3, 4, 5]]) < 0.01 * gains.mean()
    assert gains[2] > gains[0]


def test_frontier_rises_and_the_optimum_is_highest(measured: Measured, available: np.ndarray) -> None:
    laws = fit_points(measured(5)).select(LANGS)
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    found = frontier(laws, problem)
    assert np.all(np.diff(found.budgets) > 0)
    assert found.budgets[-1] == pytest.approx(available.sum())
    assert np.all(np.diff(found.values["optimum"]) > 0)
    for name in ("unimax", "proportional"):
        assert np.all(found.values["optimum"] >= found.values[name] - 1e-9)
    assert found.low is not None
    assert np.all(found.low < found.values["optimum"])


def test_own_mixture_is_compared_too(measured: Measured, available: np.ndarray) -> None:
    laws = fit_points(measured(6)).select(LANGS)
    problem = allocation_problem(LANGS, 60, num_unique=available)
    mine = to_mixture("mine", np.array([10, 10, 10, 10, 10, 10]), problem)
    found, _ = compare_mixtures(laws, problem, mine)
    assert found[0].value == found[1].value
    assert np.array_equal(baseline("unimax", problem).pairs, mine.pairs)
