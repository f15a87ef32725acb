"""Tell two kinds of things apart by their measures: logistic regression, fitted to examples of both.

Its result is the logarithm of how many times likelier the measures are in one kind than in the other, so that a
threshold means the same whatever the measures are worth: at `log(20)`, at most about a twentieth of the usual ones is
taken for the others.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PENALTY = 1.0  # of squared weights: kinds that differ in every example have finite ones
MAX_STEP = 3.0  # of a weight
NUM_STEPS = 15
NUM_ROUNDS = 6
FIRST_SHARE = 0.05  # of others among the usual ones
MAX_SHARE = 0.3
MAX_ODDS = 50.0  # logarithms
MIN_SCALE = 1e-6
DECIMALS = 3  # of log odds: more would depend on the processor

Array = NDArray[Any]


@dataclass(frozen=True)
class Contrast:
    """What tells two kinds apart."""

    center: Array  # of each measure
    scale: Array
    weights: Array
    offset: float

    def log_odds(self, measures: Array) -> Array:
        """Return the log odds of rows of measures; both kinds are as frequent."""
        return np.asarray(np.round(self.offset + (measures - self.center) / self.scale @ self.weights, DECIMALS))


def fit_contrast(usual: Array, others: Array) -> Contrast:
    """Return what tells others from usual ones; both have a row of measures for each example.

    Some of the usual ones may be others that nobody knows. Each counts as far as it is not one, by what tells them
    apart so far; how many there are follows from that too.
    """
    both, center, spread = np.concatenate([usual, others]), usual.mean(axis=0), usual.std(axis=0)
    scale = np.maximum(MIN_SCALE, np.where(spread > MIN_SCALE, spread, both.std(axis=0)))
    rows = (both - center) / scale
    rows = np.column_stack([rows, np.ones(len(rows))])
    is_other, share = np.arange(len(rows)) >= len(usual), FIRST_SHARE
    weights, counts = np.zeros(rows.shape[1]), np.ones(len(usual))
    for _ in range(NUM_ROUNDS):
        weights = _fit(rows, is_other, np.append(counts, np.full(len(others), counts.sum() / len(others))), weights)
        odds = np.exp(np.clip(rows[: len(usual)] @ weights, -MAX_ODDS, MAX_ODDS)) * share / (1 - share)
        counts = 1 / (1 + odds)
        share = min(MAX_SHARE, 1 - float(counts.mean()))
    return Contrast(center, scale, weights[:-1], float(weights[-1]))


def _fit(rows: Array, is_other: Array, counts: Array, weights: Array) -> Array:
    """Return the weights of logistic regression, by Newton's method."""
    for _ in range(NUM_STEPS):
        share = 1 / (1 + np.exp(-np.clip(rows @ weights, -MAX_ODDS, MAX_ODDS)))
        slope = rows.T @ (counts * (is_other - share)) - PENALTY * weights
        bend = (rows * (counts * share * (1 - share))[:, None]).T @ rows + PENALTY * np.eye(rows.shape[1])
        weights = weights + np.clip(np.linalg.solve(bend, slope), -MAX_STEP, MAX_STEP)
    return weights
