"""Regret: how far a mixture is expected to be below the best one, if the laws were known exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipes.mixing.allocation import AllocationProblem
from recipes.mixing.curves import PowerCurves
from recipes.mixing.mixture import Mixture, law_curves, sample_curves
from recipes.scaling import Floats, ScalingLaw

NUM_BISECTIONS = 60
MAX_LOG_PRICE = 600.0


@dataclass(frozen=True)
class RegretEstimate:
    """The regret to expect of a mixture, in units of the metric.

    Args:
        expected: The mean over the posterior samples.
        approximation: The mean to second order, by the formula of `approximate_regret`.
        quantile_95: The 95th percentile over the samples.
    """

    expected: float
    approximation: float
    quantile_95: float


def mean_value(curves: PowerCurves, problem: AllocationProblem, pairs: Floats) -> Floats:
    """Return the weighted mean value: a number, or one for each sample."""
    return np.asarray(curves.value(pairs) @ problem.weights)


def best_values(samples: PowerCurves, problem: AllocationProblem) -> Floats:
    """Return the weighted value of each sample's own best allocation, shape (samples,).

    Water-filling for all samples at once, by bisection.
    """
    most = np.minimum(problem.max_pairs, problem.budget / problem.costs)
    with np.errstate(divide="ignore", over="ignore"):
        low = np.log(np.min(samples.gain(most) / problem.costs, axis=-1))
        high = np.log(np.max(samples.gain(np.maximum(problem.min_pairs, 1e-3)) / problem.costs, axis=-1)) + 1
    low, high = np.maximum(low - 1, -MAX_LOG_PRICE), np.minimum(high, MAX_LOG_PRICE)

    def pairs(log_price: Floats) -> Floats:
        return np.clip(samples.pairs_at(np.exp(log_price)[:, None] * problem.costs), problem.min_pairs, most)

    for _ in range(NUM_BISECTIONS):
        price = (low + high) / 2
        is_over = pairs(price) @ problem.costs > problem.budget
        low, high = np.where(is_over, price, low), np.where(is_over, high, price)
    return mean_value(samples, problem, pairs(high))


def estimate_regret(laws: Sequence[ScalingLaw], problem: AllocationProblem, mixture: Mixture) -> RegretEstimate | None:
    """Return the regret to expect of a mixture; None if the laws have no samples."""
    samples = sample_curves(laws, problem)
    if samples is None:
        return None
    regret = np.maximum(best_values(samples, problem) - mean_value(samples, problem, mixture.seen), 0.0)
    sensitivity = sensitivity_at(laws, problem, mixture.seen)
    approximation = approximate_regret(sensitivity, gain_variances(samples, mixture.seen))
    return RegretEstimate(float(regret.mean()), approximation, float(np.quantile(regret, 0.95)))


@dataclass(frozen=True)
class Sensitivity:
    """How the best allocation depends on errors in the laws.

    Args:
        price: The gain from one more unit of cost at the optimum.
        shift: Cost times pairs by which a language's share moves for a relative error of 1 in its gain, shape
            (languages,); 0 at a minimum or maximum.
    """

    price: float
    shift: Floats


def sensitivity_at(laws: Sequence[ScalingLaw], problem: AllocationProblem, pairs: Floats) -> Sensitivity:
    """Return the sensitivity of an allocation, from the laws' gains and their slopes."""
    curves, at = law_curves(laws, problem), np.asarray(pairs, float)
    step = np.maximum(at * 1e-4, 1e-3)
    slope = -(np.log(curves.gain(at + step)) - np.log(curves.gain(np.maximum(at - step, 1e-6)))) / (2 * step)
    is_free = (at > problem.min_pairs) & (at < np.floor(problem.max_pairs))
    shift = np.where(is_free, problem.costs / np.maximum(slope, 1e-300), 0.0)
    gains = curves.gain(at) / problem.costs
    return Sensitivity(float(np.mean(gains[is_free])) if is_free.any() else 0.0, shift)


def gain_variances(samples: PowerCurves, pairs: Floats) -> Floats:
    """Return the variance over the samples of the logarithm of each language's gain, shape (languages,)."""
    return np.asarray(np.log(samples.gain(np.asarray(pairs, float))).var(axis=0))


def approximate_regret(sensitivity: Sensitivity, variances: Floats) -> float:
    """Return the expected regret of the optimum by the laws to second order, in units of the metric.

    With independent errors e_i of the log gains, of variance V_i, the true optimum is at X_i + r_i (e_i - e): r_i
    pairs for an error of 1, e the mean of e_i weighted by c_i r_i. The loss is price / 2 sum c_i r_i (e_i - e)^2, and
    its mean price / 2 sum c_i r_i V_i (1 - c_i r_i / sum_j c_j r_j). It follows from the conditions of the optimum;
    a language at its maximum adds nothing.
    """
    shift, total = sensitivity.shift, sensitivity.shift.sum()
    return float(sensitivity.price / 2 * (shift * variances * (1 - shift / total)).sum()) if total else 0.0
