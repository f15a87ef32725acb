"""The power form: E is the metric's greatest value and D0 is 0, as in arXiv 2308.04948.

It is a straight line in log space, log(E - L) = log A - alpha log D, fitted by least squares whose weights are those of
the values themselves, with exact t intervals.
"""

import numpy as np

from recipes.scaling.law import Floats
from recipes.scaling.posterior import EPSILON, MAX_EXPONENT, MIN_EXPONENT, Posterior, Prior, Series, t_samples

NUM_REWEIGHTINGS = 6
MAX_LOG_GAP = 25.0  # the logarithm of E - L at a medium size is within this of 0: no metric has a wider gap


def fit_power(series: Series, prior: Prior, metric_max: float, num_samples: int) -> Posterior:
    """Fit the power form by weighted least squares of log(E - L) on log D, where the fitted gap weighs each point."""
    x, y = np.log(series.size), np.log(metric_max - series.value)
    gap = metric_max - series.value
    for _ in range(NUM_REWEIGHTINGS):
        weight = series.weight * gap**2  # d log(E - L) = -dL / (E - L)
        total = weight.sum()
        middle, level = float(weight @ x / total), float(weight @ y / total)
        spread = float(weight @ (x - middle) ** 2)
        exponent = float(-(weight @ ((x - middle) * (y - level))) / spread)
        gap = np.exp(level - exponent * (x - middle))
    rss = float(weight @ (y - level + exponent * (x - middle)) ** 2)
    df = prior.noise_df + len(x) - 2
    noise = max((prior.noise_df * prior.noise + rss) / df if df > 0 else prior.noise, EPSILON)
    variance = 1 / (spread / noise + 1 / prior.variance)
    mean = float(np.clip(variance * (spread / noise * exponent + prior.mean / prior.variance), *_LIMITS))
    t = t_samples(series.seed, max(df, 1.0), num_samples)
    levels = np.clip(level + t[:, 0] * np.sqrt(noise / total), -MAX_LOG_GAP, MAX_LOG_GAP)
    exponents = np.clip(mean + t[:, 1] * np.sqrt(variance), *_LIMITS)
    samples = _parameters(np.full(num_samples, metric_max), levels, exponents, middle)
    best = _parameters(np.array([metric_max]), np.array([level]), np.array([mean]), middle)[0]
    return Posterior(best, samples, exponent, noise / spread, rss, noise)


_LIMITS = (MIN_EXPONENT, MAX_EXPONENT)


def _parameters(asymptote: Floats, level: Floats, exponent: Floats, middle: float) -> Floats:
    """Return (asymptote, scale, exponent, offset) from log(E - L) at log D = `middle`, shape (len(level), 4)."""
    return np.column_stack([asymptote, np.exp(level + exponent * middle), exponent, np.zeros_like(exponent)])
