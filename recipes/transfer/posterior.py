"""The posterior of one language's law: the best parameters, then importance sampling around them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import chi2, norm, qmc

from recipes.scaling import Floats
from recipes.transfer.law import evaluate
from recipes.transfer.surfaces import MAX_CURVATURE

# Means and standard deviations of normal priors, in points of a hundredth of the metric's range and sizes in units.
SPREAD = 15.0  # of the level, around the mean value
LOG_SLOPE = (1.2, 1.5)
CURVATURE = (0.0, 0.4)
LOG_OFFSET = (-2.5, 1.5)
LOGIT_TRANSFER = (-1.6, 1.0)
LOGIT_SUBSTITUTION = (0.5, 1.5)
LOG_DONOR = (0.0, 0.6)  # a donor is like another unless the runs say otherwise
NOISE = (4.0, 0.6)  # degrees of freedom and size of the noise that is expected
SUBSTITUTION_LIMITS = (0.02, 0.999)
NUM_STARTS = 4
NUM_PROPOSALS = 4096
NUM_SAMPLES = 400
PROPOSAL_DF = 6.0
PROPOSAL_WIDTH = 1.2
MAX_WEIGHT = 20.0  # of one proposal, in multiples of the mean weight
MAX_EVALUATIONS = 200


@dataclass(frozen=True)
class Series:
    """The runs that held a language: pairs by donor (runs, donors) in units, and values (runs,) in points."""

    pairs: Floats
    values: Floats
    own: int
    form: str
    seed: int = 0

    @property
    def others(self) -> NDArray[np.intp]:
        """The indices of the donors other than the language itself."""
        return np.delete(np.arange(self.pairs.shape[1]), self.own)

    def without(self, index: int) -> "Series":
        """Return the series without a run."""
        rows = np.arange(len(self.values)) != index
        return Series(self.pairs[rows], self.values[rows], self.own, self.form, self.seed)


@dataclass(frozen=True)
class Posterior:
    """Best parameters and samples, free as the fit has them, with the noise and the effective number of samples."""

    best: Floats
    samples: Floats
    noise: float
    effective_samples: float


def prior(series: Series) -> tuple[Floats, Floats]:
    """Return means and standard deviations of the free parameters."""
    rows = [(float(series.values.mean()), SPREAD), LOG_SLOPE, CURVATURE, LOG_OFFSET]
    if series.form != "separable":
        rows += [LOGIT_TRANSFER, LOGIT_SUBSTITUTION]
    if series.form == "donors":
        rows += [LOG_DONOR] * len(series.others)
    mean, spread = np.array(rows).T
    return mean, spread


def to_parameters(free: Floats, series: Series) -> Floats:
    """Return a, s, k, x0, t, r and donor weights for rows of free parameters."""
    num = len(free)
    transfer = substitution = np.zeros(num)
    if series.form != "separable":
        transfer = 1 / (1 + np.exp(-free[:, 4]))
        substitution = 1 / (1 + np.exp(-free[:, 5]))
    donors = np.ones((num, series.pairs.shape[1]))
    if series.form == "donors":
        donors[:, series.others] = np.exp(free[:, 6:])
    columns = [free[:, 0], np.exp(free[:, 1]), np.minimum(free[:, 2], MAX_CURVATURE), np.exp(free[:, 3]), transfer]
    substitution = np.clip(substitution, *SUBSTITUTION_LIMITS) if series.form != "separable" else np.ones(num)
    return np.column_stack([*columns, substitution, donors])


def fitted(free: Floats, series: Series) -> Floats:
    """Return the values of the runs for rows of free parameters, shape (rows, runs)."""
    return evaluate(to_parameters(free, series), series.pairs, series.own, 1.0)


def find_best(series: Series) -> tuple[Floats, Floats, float]:
    """Return the parameters of highest posterior density, their covariance, and the noise."""
    mean, spread = prior(series)
    starts = [mean, *(mean + spread * quasi_normal(series, NUM_STARTS))]
    noise = 1.0
    best, covariance = min((_solve(series, s, noise) for s in starts), key=lambda s: -log_posterior(s[0][None], series))
    for _ in range(2):
        residuals = fitted(best[None], series)[0] - series.values
        df, usual = NOISE
        noise = float(np.sqrt((residuals @ residuals + df * usual**2) / (len(residuals) + df)))
        best, covariance = _solve(series, best, noise)
    return best, covariance, noise


def refit(series: Series, start: Floats, noise: float) -> Floats:
    """Return the best parameters near those of almost the same series, at its noise."""
    return _solve(series, start, noise)[0]


def quasi_normal(series: Series, num: int) -> Floats:
    """Return quasi-random starts within two standard deviations of the prior."""
    points = qmc.Sobol(len(prior(series)[0]), rng=np.random.default_rng(series.seed)).random(num)
    return np.asarray(norm.ppf(np.clip(points, 0.05, 0.95)))


def _solve(series: Series, start: Floats, noise: float) -> tuple[Floats, Floats]:
    """Return the least squares solution at a known noise, and its covariance."""
    mean, spread = prior(series)

    def residuals(free: Floats) -> Floats:
        return np.concatenate([(fitted(free[None], series)[0] - series.values) / noise, (free - mean) / spread])

    solution = least_squares(residuals, start, max_nfev=MAX_EVALUATIONS)
    information = solution.jac.T @ solution.jac + 1e-9 * np.eye(len(start))
    return solution.x, np.linalg.inv(information)


def log_posterior(free: Floats, series: Series) -> Floats:
    """Return the log density of rows of free parameters, with the noise integrated out."""
    mean, spread = prior(series)
    df, usual = NOISE
    rss = ((fitted(free, series) - series.values) ** 2).sum(axis=1)
    fit = -0.5 * (len(series.values) + df) * np.log(rss + df * usual**2)
    return np.asarray(fit - 0.5 * (((free - mean) / spread) ** 2).sum(axis=1))


def sample(series: Series, num_samples: int = NUM_SAMPLES) -> Posterior:
    """Return the posterior by importance sampling from a t distribution, adapted once to the first weights."""
    best, covariance, noise = find_best(series)
    normals, divisor = _proposals(len(best), series.seed)
    t = normals / divisor[:, None]
    log_proposal = -0.5 * (PROPOSAL_DF + len(best)) * np.log1p((t**2).sum(axis=1) / PROPOSAL_DF)
    center, root = best, np.linalg.cholesky(covariance * PROPOSAL_WIDTH)
    for is_last in (False, True):
        free = center + t @ root.T
        weights = _weights(log_posterior(free, series) - log_proposal)
        if not is_last and 1 / (weights**2).sum() > 5 * len(best):
            center = weights @ free
            spread = (free - center).T @ ((free - center) * weights[:, None])
            root = np.linalg.cholesky(spread * PROPOSAL_WIDTH + 1e-9 * np.eye(len(best)))
    rows = _resample(weights, num_samples, series.seed)
    return Posterior(best, free[rows], noise, float(1 / (weights**2).sum()))


@cache
def _proposals(num_parameters: int, seed: int) -> tuple[Floats, Floats]:
    """Return quasi-random normals, shape (proposals, parameters), and the divisors that make them t."""
    points = qmc.Sobol(num_parameters + 1, rng=np.random.default_rng(seed + 11)).random(NUM_PROPOSALS)
    points = np.clip(points, 1e-9, 1 - 1e-9)
    return norm.ppf(points[:, :-1]), np.sqrt(chi2.ppf(points[:, -1], PROPOSAL_DF) / PROPOSAL_DF)


def _weights(log_weights: Floats) -> Floats:
    """Return normalised weights, none above MAX_WEIGHT times their mean."""
    weights = np.exp(log_weights - log_weights.max())
    weights = np.minimum(weights / weights.sum(), MAX_WEIGHT / len(weights))
    return np.asarray(weights / weights.sum())


def _resample(weights: Floats, num: int, seed: int) -> NDArray[np.intp]:
    """Return the indices of equally likely samples (systematic resampling), in a random order."""
    at = (np.random.default_rng(seed + 5).random() + np.arange(num)) / num
    rows = np.searchsorted(np.cumsum(weights), at).clip(0, len(weights) - 1)
    return np.random.default_rng(seed + 6).permutation(rows)
