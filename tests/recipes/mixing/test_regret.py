"""Certificates: what they promise is what happens."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from recipes.mixing.allocation import problem, whole
from recipes.mixing.mixture import curves_of, drawn_curves, mixture_of, named, optimum
from recipes.mixing.regret import best_scores, certify, frontier, mean_score, next_gains, outlooks
from recipes.scaling.fit import fit
from recipes.scaling.functional_forms import fit_form
from recipes.scaling.law import Point, ScalingLaw

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_formula_and_simulation_agree(measured: Measured, caps: np.ndarray) -> None:
    for sizes in ((5_000, 20_000, 80_000), (10_000, 30_000, 100_000, 300_000)):
        laws = fit(measured(0, sizes=sizes)).of(LANGS)
        for budget in (300_000, 1_200_000):
            given = problem(LANGS, budget, unique=caps)
            found = certify(laws, given, optimum(laws, given))
            assert found is not None
            assert found.formula == pytest.approx(found.expected, rel=0.3)
            assert found.high > found.expected


def test_expected_regret_is_what_is_measured(
    measured: Measured, caps: np.ndarray, table4: Sequence[ScalingLaw]
) -> None:
    """40 worlds with two runs at two sizes each; the truth is Table 4. (The benchmark has 500.)"""
    given = problem(LANGS, 1_200_000, unique=caps)
    truth = curves_of(table4, given)
    best = float(mean_score(truth, given, whole(truth, given).astype(float)))
    promised, happened = [], []
    for seed in range(40):
        laws = list(fit_form(measured(seed, sizes=(5_000, 5_000, 20_000, 20_000)), "power", 100.0).values())
        chosen = optimum(laws, given)
        certificate = certify(laws, given, chosen)
        assert certificate is not None
        promised.append(certificate.formula)
        happened.append(best - float(mean_score(truth, given, chosen.seen)))
    assert 0.5 < np.mean(promised) / np.mean(happened) < 2


def test_the_best_split_of_each_draw_is_that_of_the_solver(measured: Measured, caps: np.ndarray) -> None:
    laws = fit(measured(1, sizes=(5_000, 20_000, 80_000))).of(LANGS)
    for epochs, unique in ((1.0, caps), (4.0, caps / 10)):
        given = problem(LANGS, 900_000, unique=unique, epochs=epochs)
        drawn = drawn_curves(laws, given)
        assert drawn is not None
        scores = best_scores(drawn, given)
        for number in (0, 100, 511):
            rows = [ScalingLaw(lang, *law.draws[number]) for lang, law in zip(LANGS, laws, strict=True)]
            own = curves_of(rows, given)
            again = float(mean_score(own, given, whole(own, given).astype(float)))
            assert again == pytest.approx(scores[number], abs=1e-7)


def test_the_usual_mixtures_stand_beside_the_chosen_one(measured: Measured, caps: np.ndarray) -> None:
    laws = fit(measured(2)).of(LANGS)
    given = problem(LANGS, 1_200_000, unique=caps)
    found, impossible = outlooks(laws, given, optimum(laws, given))
    assert [o.mixture.name for o in found] == ["optimum", "unimax", "uniform", "temperature:0.3", "proportional"]
    assert not impossible
    for o in found:
        assert o.interval is not None
        assert o.interval[0] < o.score < o.interval[1]
        assert o.ahead >= 0
    assert found[-1].beaten is not None
    assert found[-1].beaten > 0.99
    assert [o.regret for o in found] == sorted(o.regret for o in found if o.regret is not None)


def test_what_is_not_possible_is_said(table4: Sequence[ScalingLaw], caps: np.ndarray) -> None:
    given = problem(LANGS, 2_400_000, unique=caps)
    found, impossible = outlooks(table4, given, optimum(table4, given))
    assert "uniform" not in [o.mixture.name for o in found]
    assert impossible[0].startswith("uniform: A uniform mixture has 400,000 pairs")
    assert all(o.interval is None and o.regret is None for o in found)
    assert certify(table4, given, found[0].mixture) is None


def test_a_language_at_its_cap_costs_no_regret(measured: Measured, caps: np.ndarray) -> None:
    laws = fit(measured(4, sizes=(5_000, 20_000, 80_000))).of(LANGS)
    given = problem(LANGS, float(caps.sum()), unique=caps)
    found = certify(laws, given, optimum(laws, given))
    assert found is not None
    assert (found.expected, found.formula) == (pytest.approx(0, abs=1e-9), 0)


def test_marginal_gains_are_equal_but_for_caps(table4: Sequence[ScalingLaw], caps: np.ndarray) -> None:
    given = problem(LANGS, 1_200_000, unique=caps)
    gains = next_gains(table4, given, optimum(table4, given))
    assert np.ptp(gains[[0, 1, 3, 4, 5]]) < 0.01 * gains.mean()
    assert gains[2] > gains[0]


def test_the_frontier_rises_and_the_optimum_is_on_top(measured: Measured, caps: np.ndarray) -> None:
    laws = fit(measured(5)).of(LANGS)
    given = problem(LANGS, 1_200_000, unique=caps)
    found = frontier(laws, given)
    assert np.all(np.diff(found.budgets) > 0)
    assert found.budgets[-1] == pytest.approx(caps.sum())
    assert np.all(np.diff(found.scores["optimum"]) > 0)
    for name in ("unimax", "proportional"):
        assert np.all(found.scores["optimum"] >= found.scores[name] - 1e-9)
    assert found.low is not None
    assert np.all(found.low < found.scores["optimum"])


def test_a_mixture_of_ones_own_has_an_outlook_too(measured: Measured, caps: np.ndarray) -> None:
    laws = fit(measured(6)).of(LANGS)
    given = problem(LANGS, 60, unique=caps)
    mine = mixture_of("mine", np.array([10, 10, 10, 10, 10, 10]), given)
    found, _ = outlooks(laws, given, mine)
    assert found[0].score == found[1].score
    assert np.array_equal(named("unimax", given).pairs, mine.pairs)
