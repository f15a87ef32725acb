"""The expected worst of several values, softened so that it has derivatives.

For the values S_l of a draw it is the maximum over m of m + b sum_l log((S_l - m) / b): a barrier below the least of
them. The softened worst is concave and rising in the values, and goes to the least one with b. At the maximum the
weights b / (S_l - m) sum to 1: they are the multipliers of the constraints that no value is below m.
"""

from dataclasses import dataclass, replace

import numpy as np

from recipes.scaling import Floats
from recipes.transfer.surfaces import Derivatives, quadratic

MAX_STEPS = 50
MAX_RATIO = 1e3


@dataclass(frozen=True)
class SoftWorst:
    """The softened worst value.

    Args:
        value: Its mean over the draws.
        weights: Its derivatives by the values of each draw, shape (draws, targets); they sum to 1 in each draw.
        softness: b.
        duals: The weights at the maximum that steps lead to, as far as they are known, of the same shape. A curvature
            of them lets Newton steps foresee which targets become the worst; the weights alone take three times as
            many steps (Nocedal and Wright, Numerical Optimization, 2006, section 19.3).
    """

    value: float
    weights: Floats
    softness: float
    duals: Floats

    @property
    def curved(self) -> Floats:
        """How fast the weight of a value falls as it rises, shape (draws, targets)."""
        return np.asarray(self.weights * self.duals / self.softness)

    def with_duals(self, duals: Floats | None) -> "SoftWorst":
        """Return it with duals, kept within a factor of the weights; without any, as it is."""
        if duals is None:
            return self
        return replace(self, duals=np.clip(duals, self.weights / MAX_RATIO, self.weights * MAX_RATIO))

    def duals_after(self, changes: Floats) -> Floats:
        """Return the duals after small changes of the values; none moves all the way to 0."""
        change = self._weights_after(changes) - self.duals
        fall = np.maximum(-change / self.duals, 0.0).max(axis=1, keepdims=True)
        return np.asarray(self.duals + change * np.minimum(1.0, 0.995 / np.maximum(fall, 0.995)))

    def after(self, changes: Floats) -> "SoftWorst":
        """Return it with the weights after small changes of the values, to first order.

        At a small softness the weights hang on the values' last digits; a Newton step's changes are more exact.
        """
        weights = np.maximum(self._weights_after(changes), 0.0)
        return replace(self, weights=weights / weights.sum(axis=1, keepdims=True))

    def _weights_after(self, changes: Floats) -> Floats:
        curved = self.curved
        common = (curved * changes).sum(axis=1, keepdims=True) / curved.sum(axis=1, keepdims=True)
        return np.asarray(self.weights - curved * (changes - common))

    def ahead(self, ratio: float) -> "SoftWorst":
        """Return it with the weights to go to, to first order, for a softness of `ratio` times its own."""
        squares = self.weights**2
        weights = ratio * self.weights + (1 - ratio) * squares / squares.sum(axis=1, keepdims=True)
        return replace(self, weights=weights)

    def gradient(self, derivatives: Derivatives) -> Floats:
        """Return the derivative by the pairs, given those of the values."""
        return np.asarray(derivatives.of_draws(self.weights).mean(axis=0))

    def common(self, derivatives: Derivatives) -> Floats:
        """Return the part of the second derivative that has all values rise together."""
        curved = self.curved
        along = derivatives.of_draws(curved)
        return np.asarray(quadratic(along, 1 / curved.sum(axis=1)) / len(along))


def soft_worst(values: Floats, softness: float) -> SoftWorst:
    """Return the softened worst of values, shape (draws, targets), with b = `softness`."""
    above = values - values.min(axis=1, keepdims=True)
    depth = np.full((len(values), 1), softness)
    for _ in range(MAX_STEPS):  # Newton's method on a concave function, from below its root
        parts = softness / (above + depth)
        total = parts.sum(axis=1, keepdims=True)
        step = (total - 1) * total * softness / (parts**2).sum(axis=1, keepdims=True)
        depth = depth + np.maximum(step, 0.0)
        if (total < 1 + 1e-12).all():
            break
    weights = softness / (above + depth)
    weights /= weights.sum(axis=1, keepdims=True)
    least = values.min(axis=1) - depth[:, 0]
    value = float((least - softness * np.log(weights).sum(axis=1)).mean())
    return SoftWorst(value, weights, softness, weights)
