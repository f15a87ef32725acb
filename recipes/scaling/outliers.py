"""A language's points as a fit takes them: weighed by their known errors, outliers set aside."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import t as student

from recipes.scaling.law import FORMS, Floats, Point, ScalingLaw
from recipes.scaling.posterior import Prior, Series, posterior

SUSPECTS = 3  # points that are looked at for being outliers, in each round
ODD = 0.005  # the chance, over all points of a language, that an honest point is set aside as an outlier


def series_of(points: Sequence[Point], seed: int) -> Series:
    """The used points as arrays."""
    chosen = np.array([p.used for p in points])
    sizes, values = np.array([p.size for p in points], float), np.array([p.value for p in points])
    return Series(sizes[chosen], values[chosen], _weights(points)[chosen], seed)


def _weights(points: Sequence[Point]) -> Floats:
    """How much each point weighs, relative to one of the usual known error; absolutely, if all errors are known."""
    known = [p.std for p in points if p.std]
    usual = 1.0 if len(known) == len(points) or not known else float(np.median(known))
    return np.array([(usual / (p.std or usual)) ** 2 for p in points])


def usual_error(points: Sequence[Point]) -> float:
    """The points that one unit of a fit's noise is: where all errors are known, noise is counted in them."""
    known = [p.std for p in points if p.std]
    return float(np.median(known)) if len(known) == len(points) else 1.0


def without_outliers(points: tuple[Point, ...], form: str, noise: tuple[float, float], top: float) -> tuple[Point, ...]:
    """The points, those marked unused that the rest would produce with a chance of less than ODD in all.

    A point is compared with what a fit without it predicts (the externally studentised residual, by Bonferroni); of n
    points at most n/5 are set aside, and none of fewer than 5.
    """
    for _ in range(len(points) // 5):
        chances = {place: _chance(points, place, form, noise, top) for place in _suspects(points, form, noise, top)}
        place = min(chances, key=lambda place: chances[place])
        if chances[place] * sum(p.used for p in points) > ODD:
            break
        points = (*points[:place], replace(points[place], used=False), *points[place + 1 :])
    return points


def _suspects(points: tuple[Point, ...], form: str, noise: tuple[float, float], top: float) -> list[int]:
    """The places of the SUSPECTS used points that are furthest from a fit to all of them."""
    ceiling, k, beta, start = posterior(form, series_of(points, 0), Prior(*noise), top, 0).best.tolist()
    law = ScalingLaw("", ceiling, k, beta, start)
    missed = np.array([p.value - float(law.predict(float(p.size))) if p.used else 0.0 for p in points])
    order = np.argsort(-np.abs(missed) * np.sqrt(_weights(points)), kind="stable").tolist()
    return [place for place in order if points[place].used][:SUSPECTS]


def _chance(points: tuple[Point, ...], place: int, form: str, noise: tuple[float, float], top: float) -> float:
    """The chance of a point at least so far off, given the others."""
    rest = tuple(replace(p, used=p.used and other != place) for other, p in enumerate(points))
    series = series_of(rest, 0)
    df = noise[0] + len(series.size) - FORMS[form]
    if df < 1 or len(set(series.size.tolist())) < max(FORMS[form], 2):
        return 1.0
    fitted = posterior(form, series, Prior(*noise), top, 128)
    ceiling, k, beta, start = fitted.best.tolist()
    law = ScalingLaw("", ceiling, k, beta, start, draws=fitted.draws)
    size = float(points[place].size)
    low, high = law.interval(size, 0.6827)  # one standard deviation to either side
    width = np.sqrt(fitted.noise / _weights(points)[place] + float((high - low)[0] / 2) ** 2)
    return float(2 * student.sf(abs(points[place].value - float(law.predict(size))) / width, df))
