"""Mixtures: the usual ones, the robust one, and files of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.mixing.allocation import problem
from recipes.mixing.mixture import (
    curves_of,
    drawn_curves,
    named,
    optimum,
    parse_name,
    read_mixture,
    robust,
    write_mixture,
)
from recipes.scaling.fit import fit
from recipes.scaling.law import Point, ScalingLaw

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_unimax_gives_all_the_same_and_what_is_cut_off_to_the_others(caps: np.ndarray) -> None:
    given = problem(LANGS, 2_400_000, unique=caps)
    found = named("unimax", given)
    assert found.pairs.sum() == 2_400_000
    assert found.pairs[2] == 234_233
    assert np.ptp(found.pairs[[0, 1, 3, 4, 5]]) <= 1


def test_unimax_is_that_of_its_paper(caps: np.ndarray) -> None:
    """arXiv 2304.09151, algorithm 1: from the smallest up, a language gets its share of what is left or all it has."""
    for budget in (300_000, 1_200_000, 3_000_000, 4_000_000):
        left, expected = float(budget), {}
        for done, place in enumerate(np.argsort(caps)):
            expected[int(place)] = min(left / (6 - done), caps[place])
            left -= expected[int(place)]
        found = named("unimax", problem(LANGS, budget, unique=caps)).pairs
        assert all(abs(found[place] - pairs) <= 1 for place, pairs in expected.items())


def test_proportional_and_temperature_follow_the_sizes(caps: np.ndarray) -> None:
    given = problem(LANGS, 1_200_000, unique=caps)
    proportional = named("proportional", given).pairs
    assert np.abs(proportional - 1_200_000 * caps / caps.sum()).max() <= 1
    softer = named("temperature:0.3", given).pairs
    assert np.abs(softer - 1_200_000 * caps**0.3 / (caps**0.3).sum()).max() <= 1
    assert np.array_equal(named("temperature:1", given).pairs, proportional)
    assert np.array_equal(named("temperature:0", given).pairs, named("unimax", given).pairs)


def test_uniform_is_the_same_for_all_or_refused(caps: np.ndarray) -> None:
    assert np.ptp(named("uniform", problem(LANGS, 1_200_001, unique=caps)).pairs) == 1
    with pytest.raises(InputError, match="hi has only 234,233"):
        named("uniform", problem(LANGS, 2_400_000, unique=caps))
    with pytest.raises(InputError, match="zh has a floor of 300,000"):
        named("uniform", problem(LANGS, 1_200_000, unique=caps, floors=np.array([0, 0, 0, 0, 0, 300_000.0])))


def test_a_mixture_that_needs_sizes_says_so() -> None:
    with pytest.raises(InputError, match="how many pairs there are"):
        named("proportional", problem(("ar", "el"), 10))
    assert named("unimax", problem(("ar", "el"), 10)).pairs.tolist() == [5, 5]


@pytest.mark.parametrize("name", ["unimix", "", "temperature", "temperature:", "uniform:1", "temperature:2:3"])
def test_a_name_that_is_none_is_told(name: str) -> None:
    with pytest.raises(InputError):
        parse_name(name)


@pytest.mark.parametrize("name", ["temperature:2", "temperature:-1", "temperature:nan", "temperature:x"])
def test_an_exponent_outside_of_its_range_is_told(name: str) -> None:
    with pytest.raises(InputError, match=r"from 0 \(uniform\) to 1"):
        parse_name(name)


def test_unimax_is_within_a_tenth_of_a_point_of_the_optimum_on_the_papers_laws(
    table4: Sequence[ScalingLaw], caps: np.ndarray
) -> None:
    for budget in (300_000, 1_200_000):
        given = problem(LANGS, budget, unique=caps)
        curves = curves_of(table4, given)
        score = {m.name: float(curves.score(m.seen) @ given.weight)
                 for m in (optimum(table4, given), named("unimax", given), named("proportional", given))}  # fmt: skip
        assert 0 < score["optimum"] - score["unimax"] < 0.1
        assert score["optimum"] - score["proportional"] > 0.6


def test_the_robust_split_has_the_higher_lower_quantile(measured: Measured, caps: np.ndarray) -> None:
    points = dict(measured(3, sizes=(2_000, 5_000, 10_000, 20_000)))
    points["hi"] = [p for p in points["hi"] if p.size <= 5_000]
    laws = fit(points).of(LANGS)
    given = problem(LANGS, 1_200_000, unique=caps)
    drawn = drawn_curves(laws, given)
    assert drawn is not None
    best, safe = optimum(laws, given), robust(laws, given, 0.05)
    low = [float(np.quantile(drawn.score(m.seen) @ given.weight, 0.05)) for m in (best, safe)]
    assert safe.pairs.sum() == 1_200_000
    assert low[1] > low[0]
    mean = [float(curves_of(laws, given).score(m.seen) @ given.weight) for m in (best, safe)]
    assert mean[1] < mean[0]


def test_without_draws_the_robust_split_is_the_best(table4: Sequence[ScalingLaw], caps: np.ndarray) -> None:
    given = problem(LANGS, 1_200_000, unique=caps)
    assert np.array_equal(robust(table4, given, 0.1).pairs, optimum(table4, given).pairs)


def test_a_mixture_is_read_as_it_was_written(table4: Sequence[ScalingLaw], caps: np.ndarray, tmp_path: Path) -> None:
    given = problem(LANGS, 777_777, unique=np.floor(caps / 20), epochs=7)
    mixture = optimum(table4, given)
    assert np.any(mixture.epochs > 1)
    write_mixture(tmp_path / "m.csv", mixture)
    again = read_mixture(tmp_path / "m.csv", LANGS, dict(zip(LANGS, np.floor(caps / 20).astype(int), strict=True)))
    assert np.array_equal(again.pairs, mixture.pairs)
    assert np.array_equal(again.rows, mixture.rows)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the columns lang,rows,epochs"),
        ("lang,rows\nar,1\n", "line 1: the columns lang,rows,epochs"),
        ("lang,rows,epochs\n", "no row"),
        ("lang,rows,epochs\nar,1,1\nar,2,1\n", "line 3: ar stands there twice"),
        ("lang,rows,epochs\nxx,1,1\n", "line 2: Unknown language"),
        ("lang,rows,epochs\nar,0,1\n", "line 2: 'rows' must be a number of at least 1"),
        ("lang,rows,epochs\nar,nan,1\n", "line 2: 'rows'"),
        ("lang,rows,epochs\nar,1.5,1\n", "line 2: 'rows' must be a whole number"),
        ("lang,rows,epochs\nar,11,1\n", "line 2: 'rows' must be a whole number of pairs in ar, of which there are 10"),
        ("lang,rows,epochs\nar,1,0.5\n", "line 2: 'epochs'"),
        ("lang,rows,epochs\nar,1,1,1\n", "line 2: there are more values"),
        ("lang,rows,epochs\nar,1,1\n", "is a mixture of ar; this one is for ar, el"),
        ("lang,rows,epochs\nar,1,1\nel,1,1\nhi,1,1\n", "is a mixture of ar, el, hi"),
    ],
)
def test_a_mixture_that_is_odd_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        read_mixture(tmp_path / "m.csv", ("ar", "el"), {"ar": 10, "el": 10})
