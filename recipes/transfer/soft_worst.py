"""The expected worst of several values, softened so that it has derivatives.

For the values S_l of a draw it is the maximum over m of m + b sum_l log((S_l - m) / b): a barrier below the least of
them. The softened worst is concave and rising in the values, and goes to the least one with b. At the maximum the
weights b / (S_l - m) sum to 1: they are the multipliers of the constraints that no value is below m.
"""

from dataclasses import dataclass, replace

import numpy as np

from recipes.scaling import Floats
from recipes.transfer.surfaces import quadratic

MAX_STEPS = 50


@dataclass(frozen=True)
class SoftWorst:
    """The softened worst value.

    Args:
        value: Its mean over the draws.
        weights: Its derivatives by the values of each draw, shape (draws, targets); they sum to 1 in each draw.
        softness: b.
    """

    value: float
    weights: Floats
    softness: float

    @property
    def curved(self) -> Floats:
        """How fast the weight of a value falls as it rises, shape (draws, targets)."""
        return np.asarray(self.weights**2 / self.softness)

    def after(self, changes: Floats) -> "SoftWorst":
        """Return it with the weights after small changes of the values, to first order.

        At a small softness the weights hang on the values' last digits; a Newton step's changes are more exact.
        """
        curved = self.curved
        common = (curved * changes).sum(axis=1, keepdims=True) / curved.sum(axis=1, keepdims=True)
        weights = np.maximum(self.weights - curved * (changes - common), 0.0)
        return replace(self, weights=weights / weights.sum(axis=1, keepdims=True))

    def gradient(self, gradients: Floats) -> Floats:
        """Return the derivative by the pairs, given those of the values, shape (draws, targets, donors)."""
        flat = gradients.reshape(-1, gradients.shape[-1])
        return np.asarray(self.weights.ravel() @ flat / len(gradients))

    def common(self, gradients: Floats) -> Floats:
        """Return the part of the second derivative that has all values rise together."""
        curved = self.curved
        along = np.matmul(curved[:, None, :], gradients)[:, 0]
        return np.asarray(quadratic(along, 1 / curved.sum(axis=1)) / len(gradients))


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
    return SoftWorst(value, weights, softness)
