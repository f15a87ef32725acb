"""Mixtures: baselines, the robust optimum, and CSV files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.mixing import (
    allocation_problem,
    baseline,
    law_curves,
    optimum,
    parse_baseline,
    quantile_optimum,
    read_mixture,
    sample_curves,
    write_mixture,
)
from recipes.scaling import Point, ScalingLaw, fit_points

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_unimax_gives_what_a_language_lacks_to_the_others(available: np.ndarray) -> None:
    problem = allocation_problem(LANGS, 2_400_000, num_unique=available)
    found = baseline("unimax", problem)
    assert found.pairs.sum() == 2_400_000
    assert found.pairs[2] == 234_233
    assert np.ptp(found.pairs[[0, 1, 3, 4, 5]]) <= 1


def test_unimax_follows_its_paper(available: np.ndarray) -> None:
    """arXiv 2304.09151, algorithm 1: from the smallest up, a language gets its share of what is left or all it has."""
    for budget in (300_000, 1_200_000, 3_000_000, 4_000_000):
        left, expected = float(budget), {}
        for done, place in enumerate(np.argsort(available)):
            expected[int(place)] = min(left / (6 - done), available[place])
            left -= expected[int(place)]
        found = baseline("unimax", allocation_problem(LANGS, budget, num_unique=available)).pairs
        assert all(abs(found[place] - pairs) <= 1 for place, pairs in expected.items())


def test_proportional_and_temperature_follow_the_sizes(available: np.ndarray) -> None:
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    proportional = baseline("proportional", problem).pairs
    assert np.abs(proportional - 1_200_000 * available / available.sum()).max() <= 1
    softer = baseline("temperature:0.3", problem).pairs
    assert np.abs(softer - 1_200_000 * available**0.3 / (available**0.3).sum()).max() <= 1
    assert np.array_equal(baseline("temperature:1", problem).pairs, proportional)
    assert np.array_equal(baseline("temperature:0", problem).pairs, baseline("unimax", problem).pairs)


def test_uniform_is_the_same_for_all_or_an_error(available: np.ndarray) -> None:
    assert np.ptp(baseline("uniform", allocation_problem(LANGS, 1_200_001, num_unique=available)).pairs) == 1
    with pytest.raises(InputError, match="hi has only 234,233"):
        baseline("uniform", allocation_problem(LANGS, 2_400_000, num_unique=available))
    with pytest.raises(InputError, match="zh has a minimum of 300,000"):
        baseline(
            "uniform",
            allocation_problem(LANGS, 1_200_000, num_unique=available, min_pairs=np.array([0, 0, 0, 0, 0, 300_000.0])),
        )


def test_proportional_needs_the_available_pairs() -> None:
    with pytest.raises(InputError, match="how many pairs there are"):
        baseline("proportional", allocation_problem(("ar", "el"), 10))
    assert baseline("unimax", allocation_problem(("ar", "el"), 10)).pairs.tolist() == [5, 5]


@pytest.mark.parametrize("name", ["unimix", "", "temperature", "temperature:", "uniform:1", "temperature:2:3"])
def test_unknown_baseline_is_an_error(name: str) -> None:
    with pytest.raises(InputError):
        parse_baseline(name)


@pytest.mark.parametrize("name", ["temperature:2", "temperature:-1", "temperature:nan", "temperature:x"])
def test_temperature_exponent_is_checked(name: str) -> None:
    with pytest.raises(InputError, match=r"from 0 \(uniform\) to 1"):
        parse_baseline(name)


def test_unimax_is_within_0_1_points_of_the_optimum_by_table_4(
    table4: Sequence[ScalingLaw], available: np.ndarray
) -> None:
    for budget in (300_000, 1_200_000):
        problem = allocation_problem(LANGS, budget, num_unique=available)
        curves = law_curves(table4, problem)
        mixtures = [optimum(table4, problem), baseline("unimax", problem), baseline("proportional", problem)]
        score = {m.name: float(curves.value(m.seen) @ problem.weights) for m in mixtures}
        assert 0 < score["optimum"] - score["unimax"] < 0.1
        assert score["optimum"] - score["proportional"] > 0.6


def test_quantile_optimum_has_a_higher_lower_quantile(measured: Measured, available: np.ndarray) -> None:
    points = dict(measured(3, sizes=(2_000, 5_000, 10_000, 20_000)))
    points["hi"] = [p for p in points["hi"] if p.size <= 5_000]
    laws = fit_points(points).select(LANGS)
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    drawn = sample_curves(laws, problem)
    assert drawn is not None
    best, safe = optimum(laws, problem), quantile_optimum(laws, problem, 0.05)
    low = [float(np.quantile(drawn.value(m.seen) @ problem.weights, 0.05)) for m in (best, safe)]
    assert safe.pairs.sum() == 1_200_000
    assert low[1] > low[0]
    mean = [float(law_curves(laws, problem).value(m.seen) @ problem.weights) for m in (best, safe)]
    assert mean[1] < mean[0]


def test_quantile_optimum_without_samples_is_the_optimum(table4: list[ScalingLaw], available: np.ndarray) -> None:
    problem = allocation_problem(LANGS, 1_200_000, num_unique=available)
    assert np.array_equal(quantile_optimum(table4, problem, 0.1).pairs, optimum(table4, problem).pairs)


def test_mixture_survives_writing_and_reading(table4: list[ScalingLaw], available: np.ndarray, tmp_path: Path) -> None:
    problem = allocation_problem(LANGS, 777_777, num_unique=np.floor(available / 20), epochs=7)
    mixture = optimum(table4, problem)
    assert np.any(mixture.epochs > 1)
    write_mixture(tmp_path / "m.csv", mixture)
    again = read_mixture(tmp_path / "m.csv", LANGS, dict(zip(LANGS, np.floor(available / 20).astype(int), strict=True)))
    assert np.array_equal(again.pairs, mixture.pairs)
    assert np.array_equal(again.rows, mixture.rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the columns lang,rows,epochs"),
        ("lang,rows\nar,1\n", "line 1: the columns lang,rows,epochs"),
        ("lang,rows,epochs\n", "no row"),
        ("lang,rows,epochs\nar,1,1\nar,2,1\n", "line 3: ar appears twice"),
        ("lang,rows,epochs\nxx,1,1\n", "line 2: Unknown language"),
        ("lang,rows,epochs\nar,0,1\n", "line 2: 'rows' must be a number of at least 1"),
        ("lang,rows,epochs\nar,nan,1\n", "line 2: 'rows'"),
        ("lang,rows,epochs\nar,1.5,1\n", "line 2: 'rows' must be a whole number"),
        ("lang,rows,epochs\nar,11,1\n", "line 2: 'rows' must be a whole number of pairs in ar, of which there are 10"),
        ("lang,rows,epochs\nar,1,0.5\n", "line 2: 'epochs'"),
        ("lang,rows,epochs\nar,1,1,1\n", "line 2: there are more values"),
        ("lang,rows,epochs\nar,1,1\n", "is a mixture of ar; one of ar, el was expected"),
        ("lang,rows,epochs\nar,1,1\nel,1,1\nhi,1,1\n", "is a mixture of ar, el, hi"),
    ],
)
def test_mistake_in_a_mixture_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_mixture(tmp_path / "m.csv", ("ar", "el"), {"ar": 10, "el": 10})
