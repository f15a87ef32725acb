"""Set aside a language's outliers: points that the others do not predict."""

from dataclasses import replace

import numpy as np
from scipy.stats import t as student

from recipes.scaling.law import FORMS, Point, ScalingLaw
from recipes.scaling.posterior import Prior
from recipes.scaling.series_fit import fit_series, point_weights, to_series

MAX_SUSPECTS = 3  # points that are tested in each round
OUTLIER_ALPHA = 0.005  # the probability, over all points of a language, that a good point is set aside
NUM_SAMPLES = 128
ONE_SIGMA = 0.6827


def mark_outliers(
    points: tuple[Point, ...], form: str, noise: tuple[float, float], metric_max: float
) -> tuple[Point, ...]:
    """Return the points, with outliers marked as unused.

    A point is compared with the prediction of a fit without it (externally studentised residuals, with Bonferroni's
    correction). At most a fifth of the points are set aside, and none of fewer than 5.

    Args:
        points: The points of a language.
        form: The functional form.
        noise: Degrees of freedom and variance of the noise in other languages.
        metric_max: The metric's greatest value.
    """
    for _ in range(len(points) // 5):
        suspects = _suspects(points, form, noise, metric_max)
        p_values = {index: _p_value(points, index, form, noise, metric_max) for index in suspects}
        index = min(p_values, key=lambda index: p_values[index])
        if p_values[index] * sum(p.used for p in points) > OUTLIER_ALPHA:
            break
        points = (*points[:index], replace(points[index], used=False), *points[index + 1 :])
    return points


def _suspects(points: tuple[Point, ...], form: str, noise: tuple[float, float], metric_max: float) -> list[int]:
    """Return the indexes of the used points that are furthest from a fit to all of them."""
    law = ScalingLaw("", *fit_series(form, to_series(points, 0), Prior(*noise), metric_max, 0).best.tolist())
    residuals = np.array([p.value - float(law.predict(float(p.size))) if p.used else 0.0 for p in points])
    order = np.argsort(-np.abs(residuals) * np.sqrt(point_weights(points)), kind="stable").tolist()
    return [index for index in order if points[index].used][:MAX_SUSPECTS]


def _p_value(points: tuple[Point, ...], index: int, form: str, noise: tuple[float, float], metric_max: float) -> float:
    """Return the probability of a residual at least as large as a point's, given the other points."""
    others = tuple(replace(p, used=p.used and other != index) for other, p in enumerate(points))
    series = to_series(others, 0)
    df = noise[0] + len(series.size) - FORMS[form]
    if df < 1 or len(set(series.size.tolist())) < max(FORMS[form], 2):
        return 1.0
    fit = fit_series(form, series, Prior(*noise), metric_max, NUM_SAMPLES)
    asymptote, scale, exponent, offset = fit.best.tolist()
    law = ScalingLaw("", asymptote, scale, exponent, offset, samples=fit.samples)
    point = points[index]
    low, high = law.interval(float(point.size), ONE_SIGMA)
    sigma = np.sqrt(fit.noise / point_weights(points)[index] + float((high - low)[0] / 2) ** 2)
    return float(2 * student.sf(abs(point.value - float(law.predict(float(point.size)))) / sigma, df))
