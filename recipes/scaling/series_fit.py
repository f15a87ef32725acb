"""One language's points as arrays, weighted by their known errors, and the fit of one functional form to them."""

from collections.abc import Sequence

import numpy as np

from recipes.scaling.law import Floats, Point
from recipes.scaling.posterior import NUM_SAMPLES, Posterior, Prior, Series
from recipes.scaling.power_form import fit_power
from recipes.scaling.saturating_form import fit_saturating


def to_series(points: Sequence[Point], seed: int) -> Series:
    """Return the used points as arrays."""
    used = np.array([p.used for p in points])
    sizes, values = np.array([p.size for p in points], float), np.array([p.value for p in points])
    return Series(sizes[used], values[used], point_weights(points)[used], seed)


def point_weights(points: Sequence[Point]) -> Floats:
    """Return the weight of each point: 1 / error^2 if all errors are known, else relative to the median known error."""
    known = [p.std for p in points if p.std]
    usual = 1.0 if len(known) == len(points) or not known else float(np.median(known))
    return np.array([(usual / (p.std or usual)) ** 2 for p in points])


def noise_unit(points: Sequence[Point]) -> float:
    """Return what 1 of a fit's noise is in the metric's units: the median error if all errors are known, else 1."""
    known = [p.std for p in points if p.std]
    return float(np.median(known)) if len(known) == len(points) else 1.0


def fit_series(form: str, series: Series, prior: Prior, metric_max: float, num_samples: int = NUM_SAMPLES) -> Posterior:
    """Fit one form to a series.

    Args:
        form: One of FORMS.
        series: Sizes above 0 (for `shifted` at least 0), and values below `metric_max`.
        prior: What other languages say of the noise and the exponent.
        metric_max: The metric's greatest value.
        num_samples: How many posterior samples to draw.
    """
    if form == "power":
        return fit_power(series, prior, metric_max, num_samples)
    return fit_saturating(form, series, prior, metric_max, num_samples)
