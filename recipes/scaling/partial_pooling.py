"""Partial pooling: what the other languages say of a language's noise and exponent."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.stats import chi2

from recipes.scaling.law import Floats

MAX_NOISE_DF = 8.0  # the noise of the other languages counts as at most this many residuals
EXPONENT_SPREAD = 0.1  # how much exponents of languages differ; Table 4 of arXiv 2308.04948 implies 0.11 to 0.17
TAUS = np.linspace(0.0, 4 * EXPONENT_SPREAD, 161)


def pooled_noise(rss: Sequence[float], df: Sequence[int], index: int) -> tuple[float, float]:
    """Return what the other languages say of the noise of language `index`, as (degrees of freedom, variance).

    The variance is the median of the others' estimates, each divided by the median of its own distribution, so that
    one language with an outlier does not spoil it. It enters the fit as a scaled inverse chi-squared prior (the
    moderated variance of Smyth 2004, doi 10.2202/1544-6115.1027, equation 2).
    """
    others = [(r, d) for other, (r, d) in enumerate(zip(rss, df, strict=True)) if other != index and d > 0]
    if not others:
        return 0.0, 0.0
    variance = np.median([r / _chi2_median(d) for r, d in others])
    return min(float(sum(d for _, d in others)), MAX_NOISE_DF), float(variance)


@cache
def _chi2_median(df: int) -> float:
    return float(chi2.ppf(0.5, df))


def pooled_exponent(estimates: Sequence[float], variances: Sequence[float], index: int) -> tuple[float, float]:
    """Return what the other languages say of the exponent of language `index`, as (mean, variance).

    The estimates are b_j ~ N(alpha_j, v_j) with alpha_j ~ N(mu, tau^2): mu has a flat prior and tau a half-normal one
    of EXPONENT_SPREAD; both are integrated out on a grid (Gelman et al., Bayesian Data Analysis, 3rd ed., equations
    5.20 and 5.21). Without other languages the variance is infinite.
    """
    others = [other for other in range(len(estimates)) if other != index and np.isfinite(variances[other])]
    if not others:
        return 0.0, np.inf
    values, errors = np.array(estimates)[others], np.array(variances)[others]
    precision = 1 / (errors + TAUS[:, None] ** 2)
    total = precision.sum(axis=1)
    centre = (precision * values).sum(axis=1) / total
    weight = _softmax(
        0.5 * np.log(precision).sum(axis=1)
        - 0.5 * np.log(total)
        - 0.5 * (precision * (values - centre[:, None]) ** 2).sum(axis=1)
        - 0.5 * (TAUS / EXPONENT_SPREAD) ** 2
    )
    mean = float(weight @ centre)
    return mean, float(weight @ (1 / total + TAUS**2 + (centre - mean) ** 2))


def _softmax(logarithms: Floats) -> Floats:
    weights = np.exp(logarithms - logarithms.max())
    return np.asarray(weights / weights.sum())
