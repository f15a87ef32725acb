"""The mixture that is best at a lower quantile: robust against the uncertainty of the laws."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import norm

from recipes.mixing.allocation import AllocationProblem, Integers, allocate_integers
from recipes.mixing.curves import PowerCurves, TableCurves
from recipes.mixing.mixture import Mixture, optimum, sample_curves, to_mixture
from recipes.scaling import Floats, ScalingLaw

NAME = "robust"
GRID_POINTS = 160  # numbers of pairs at which a law's uncertainty is tabulated
MAX_ROUNDS = 30


def quantile_optimum(laws: Sequence[ScalingLaw], problem: AllocationProblem, quantile: float) -> Mixture:
    """Return the mixture whose weighted value has the highest lower quantile under the laws' uncertainty.

    The quantile is that of a normal sum of independent values, sum w m(X) - z sqrt(V), V = sum w^2 v(X), with means m
    and variances v over the samples. Since sqrt(V) is the minimum of V / 2s + s / 2 over s > 0, the maximum is found
    in turns: for a given s the sum is separable and water-filling is exact; then s = sqrt(V). Without samples it is
    the optimum.
    """
    samples, z = sample_curves(laws, problem), float(norm.ppf(1 - quantile))
    best = optimum(laws, problem)
    if samples is None or z <= 0:
        return replace(best, name=NAME)
    grid, means, variances, slopes = _moments(samples, problem)
    pairs = best.pairs
    for _ in range(MAX_ROUNDS):
        spread = math.sqrt(max(_interpolate(variances, grid, pairs).sum(), 1e-18))
        again = allocate_integers(_falling_curves(means - z * slopes / (2 * spread), grid), problem)
        if np.array_equal(again, pairs):
            break
        pairs = again
    ends = [float(np.quantile(samples.value(p.astype(float)) @ problem.weights, quantile)) for p in (best.pairs, pairs)]
    return to_mixture(NAME, pairs if ends[1] > ends[0] else best.pairs, problem)


def _moments(samples: PowerCurves, problem: AllocationProblem) -> tuple[Floats, Floats, Floats, Floats]:
    """Return a grid of pairs, and at each the mean gain, the variance of the weighted value, and its derivative."""
    most = float(np.max(np.minimum(problem.max_pairs, problem.budget / problem.costs)))
    grid = np.geomspace(0.5, max(most, 1.0) * 1.01, GRID_POINTS)
    at = [np.full(len(problem.langs), x) for x in grid]
    values = np.stack([samples.value(x) - samples.value(x).mean(axis=0) for x in at])  # (points, samples, languages)
    gains = np.stack([samples.gain(x) for x in at])  # weighted
    variances = problem.weights**2 * (values**2).mean(axis=1)
    slopes = 2 * problem.weights * (values * gains).mean(axis=1)
    return grid, gains.mean(axis=1), variances, slopes


def _interpolate(table: Floats, grid: Floats, pairs: Integers) -> Floats:
    return np.array([np.interp(math.log(x), np.log(grid), column) for x, column in zip(pairs, table.T, strict=True)])


def _falling_curves(gains: Floats, grid: Floats) -> TableCurves:
    """Return curves of these gains, made falling where the variance grows because nothing was measured."""
    falling = np.minimum.accumulate(np.maximum(gains, 1e-300), axis=0)
    falling = falling * np.exp(-1e-9 * np.arange(len(falling)))[:, None]  # strictly
    return TableCurves(np.repeat(grid[:, None], gains.shape[1], axis=1), falling)
