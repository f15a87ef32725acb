"""What languages lend one another: how much a run's score varies, and where the exponent probably lies."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.stats import chi2

from recipes.scaling.law import Floats

MOST_DF = 8.0  # however many languages there are, their noise counts as so many residuals and no more
SPREAD = 0.1  # exponents of languages differ by about so much; Table 4 of arXiv 2308.04948 implies 0.11 to 0.17
TAUS = np.linspace(0.0, 4 * SPREAD, 161)


def noise_of_others(rss: Sequence[float], df: Sequence[int], alone: int) -> tuple[float, float]:
    """(degrees of freedom, variance) that the other languages lend to the noise of language number `alone`.

    The variance is the median of the others' estimates, each divided by the median of its own distribution, so that
    one language with an outlier does not spoil it; combined as a scaled inverse chi-squared prior (the moderated
    variance of Smyth 2004, doi 10.2202/1544-6115.1027, equation 2).
    """
    others = [(r, d) for place, (r, d) in enumerate(zip(rss, df, strict=True)) if place != alone and d > 0]
    if not others:
        return 0.0, 0.0
    typical = np.median([r / _median(d) for r, d in others])
    return min(float(sum(d for _, d in others)), MOST_DF), float(typical)


@cache
def _median(df: int) -> float:
    """The median of a chi-squared distribution."""
    return float(chi2.ppf(0.5, df))


def exponent_of_others(estimates: Sequence[float], variances: Sequence[float], alone: int) -> tuple[float, float]:
    """(mean, variance) of the exponent of language number `alone`, as the others predict it; infinite without others.

    The estimates are b_j ~ N(beta_j, v_j) with beta_j ~ N(mu, tau^2): mu is flat, tau half-normal with SPREAD, and
    both are integrated out on a grid (Gelman et al., Bayesian Data Analysis, 3rd ed., equations 5.20 and 5.21).
    """
    chosen = [place for place in range(len(estimates)) if place != alone and np.isfinite(variances[place])]
    if not chosen:
        return 0.0, np.inf
    found, errors = np.array(estimates)[chosen], np.array(variances)[chosen]
    precision = 1 / (errors + TAUS[:, None] ** 2)
    total = precision.sum(axis=1)
    centre = (precision * found).sum(axis=1) / total
    weight = _normalised(
        0.5 * np.log(precision).sum(axis=1)
        - 0.5 * np.log(total)
        - 0.5 * (precision * (found - centre[:, None]) ** 2).sum(axis=1)
        - 0.5 * (TAUS / SPREAD) ** 2
    )
    mean = float(weight @ centre)
    return mean, float(weight @ (1 / total + TAUS**2 + (centre - mean) ** 2))


def _normalised(logarithms: Floats) -> Floats:
    weights = np.exp(logarithms - logarithms.max())
    return np.asarray(weights / weights.sum())
