"""Series, prior and posterior: what a fit of one language's values takes and returns, and how samples are drawn."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import chi2, norm, qmc

from recipes.scaling.law import Floats

NUM_SAMPLES = 512
MIN_EXPONENT, MAX_EXPONENT = 1e-3, 0.999
EPSILON = 1e-18  # squared units of the metric: less noise than any metric shows


@dataclass(frozen=True)
class Series:
    """The measured values of a language as arrays of shape (points,).

    Args:
        size: Numbers of pairs.
        value: Values of the metric.
        weight: Weights; 1 for a value of the usual error.
        seed: Seed of the posterior samples.
    """

    size: Floats
    value: Floats
    weight: Floats
    seed: int = 0


@dataclass(frozen=True)
class Prior:
    """What is known before the fit, from other languages: of the noise, and of the exponent."""

    noise_df: float = 0.0
    noise: float = 0.0  # variance
    mean: float = 0.0  # of the exponent
    variance: float = np.inf  # of the exponent


@dataclass(frozen=True)
class Posterior:
    """What is known after the fit.

    Args:
        best: The best (asymptote, scale, exponent, offset).
        samples: Equally likely parameters, shape (samples, 4).
        exponent: The exponent by this series only.
        exponent_variance: Its variance.
        rss: The weighted residual sum of squares.
        noise: The variance of a value of weight 1.
    """

    best: Floats
    samples: Floats
    exponent: float
    exponent_variance: float
    rss: float
    noise: float


@cache
def sobol_points(seed: int, num: int) -> Floats:
    """Return scrambled Sobol points, shape (num, 4), in an order of the seed, so that languages are independent."""
    points = qmc.Sobol(4, rng=np.random.default_rng(seed)).random(num)
    return np.asarray(np.random.default_rng(seed + 1).permutation(np.clip(points, 1e-9, 1 - 1e-9)))


@cache
def t_samples(seed: int, df: float, num: int) -> Floats:
    """Return samples of a bivariate t distribution, shape (num, 2): normals with one chi-squared divisor."""
    if not num:
        return np.empty((0, 2))
    points = sobol_points(seed, num)
    return np.asarray(norm.ppf(points[:, :2]) / np.sqrt(chi2.ppf(points[:, 2], df) / df)[:, None])
