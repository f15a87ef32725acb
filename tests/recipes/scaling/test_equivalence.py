"""Two groups of models are compared by their laws, as arXiv 2308.04948 does in Figure 7."""

import math

import numpy as np
import pytest

from recipes.scaling import Laws, Point, ScalingLaw, equivalences, fit_points

SIZES = (5_000, 20_000, 80_000, 320_000)
PAIRS, DOCUMENTS = (60.0, 0.11), (80.0, 0.11)  # scale and exponent of two laws with asymptote 100
EQUIVALENT = 320_000 * (60 / 80) ** (1 / 0.11)


def fitted(scale: float, exponent: float, rng: np.random.Generator, noise: float) -> Laws:
    points = {
        lang: [Point(x, 100 - scale * x**-exponent + rng.normal(0, noise)) for x in SIZES] for lang in ("el", "zh")
    }
    return fit_points(points)


def test_equivalent_size_is_that_of_the_formulas() -> None:
    rng = np.random.default_rng(0)
    found = equivalences(fitted(*PAIRS, rng, 0.0), fitted(*DOCUMENTS, rng, 0.0))
    assert [e.lang for e in found] == ["el", "zh"]
    for equivalence in found:
        assert equivalence.baseline_size == 320_000
        assert equivalence.value == pytest.approx(100 - 80 * 320_000**-0.11, abs=1e-3)
        assert equivalence.equivalent_size == pytest.approx(EQUIVALENT, rel=1e-3)
        assert not equivalence.is_extrapolated


def test_intervals_cover_the_true_equivalent_size() -> None:
    covered = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        for equivalence in equivalences(fitted(*PAIRS, rng, 0.3), fitted(*DOCUMENTS, rng, 0.3)):
            assert equivalence.interval
            covered += (equivalence.interval[0] or 0) < EQUIVALENT < (equivalence.interval[1] or math.inf)
    assert covered >= 16, "of 20, at 90 %"


def test_value_above_the_asymptote_has_no_equivalent_size() -> None:
    low = Laws("comet", 100.0, {"el": ScalingLaw("el", 50.0, 30.0, 0.2, points=(Point(1000, 40.0),))})
    high = Laws("comet", 100.0, {"el": ScalingLaw("el", 100.0, 60.0, 0.2, points=(Point(100_000, 90.0),))})
    (found,) = equivalences(low, high)
    assert (found.equivalent_size, found.interval, found.is_extrapolated) == (None, None, True)
