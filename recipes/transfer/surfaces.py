"""Surfaces: laws with transfer as arrays, with their values and derivatives at a mixture.

The value of one target (a metric in a language) is S = a + s (z^k - 1) / k with the effective size
z = x0 + ((1 - t) X^r + t N^r)^(1/r), where X are the pairs of its own language and N = X + sum of u_m X_m those of
all, each donor m with its weight u_m. With k < 1, 0 <= t < 1 and 0 < r <= 1 it is concave in the pairs: z is a concave
power mean of linear functions, and S is a concave rising function of z.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.mixing import REPETITION_DECAY
from recipes.scaling import Floats

MAX_CURVATURE = 0.95
MIN_PAIRS = 1e-6  # in units: where a power of the own pairs is still finite
NEGLIGIBLE = 1e-14
Indices = NDArray[np.intp]


def box_cox(z: Floats, curvature: Floats) -> Floats:
    """Return (z^k - 1) / k, which is log z at k = 0 (Box and Cox 1964)."""
    log = np.log(np.maximum(z, 1e-12))
    u = curvature * log
    divisor = np.where(np.abs(curvature) < 1e-9, 1e-9, curvature)
    return np.where(np.abs(u) < 1e-6, log * (1 + u / 2), np.expm1(u) / divisor)


def power_mean(own: Floats, total: Floats, transfer: Floats, substitution: Floats) -> Floats:
    """Return ((1 - t) own^r + t total^r)^(1/r), the size that own pairs and all pairs are equivalent to."""
    own = np.maximum(own, MIN_PAIRS)
    mean = (1 - transfer) * own**substitution + transfer * np.maximum(total, MIN_PAIRS) ** substitution
    return np.asarray(mean ** (1 / substitution))


@dataclass(frozen=True)
class Derivatives:
    """Values and gradients at a mixture; the gradients of all draws are not written out unless they are asked for.

    Args:
        values: Shape (draws, targets).
        by_own: The derivative by effective pairs of the own language, of the same shape.
        by_total: The derivative by the donors' weighted total, of the same shape.
        own: The index of each target's own language, shape (targets,).
        donors: The weight of each donor, shape (draws, targets, donors).
        slope: The effective pairs that a further pair is worth, shape (donors,).
        parts: What a Hessian needs.
    """

    values: Floats
    by_own: Floats
    by_total: Floats
    own: Indices
    donors: Floats
    slope: Floats
    parts: tuple[Floats, ...]

    @property
    def gradient(self) -> Floats:
        """The gradients, shape (draws, targets, donors)."""
        gradient = self.by_total[..., None] * self.donors
        gradient[:, np.arange(len(self.own)), self.own] += self.by_own
        return np.asarray(gradient * self.slope)

    def means(self) -> Floats:
        """Return the gradients' means over the draws, shape (targets, donors)."""
        means = np.einsum("dt,dtn->tn", self.by_total, self.donors)
        means[np.arange(len(self.own)), self.own] += self.by_own.sum(axis=0)
        return np.asarray(means * self.slope / len(self.values))

    def of_draws(self, weights: Floats) -> Floats:
        """Return each draw's gradient of a weighted sum of its targets, shape (draws, donors)."""
        return np.asarray(self.by_effective(weights) * self.slope)

    def by_effective(self, weights: Floats) -> Floats:
        """Return each draw's derivatives of a weighted sum of its targets by effective pairs."""
        sums = np.matmul((weights * self.by_total)[:, None, :], self.donors)[:, 0]
        np.add.at(sums.T, self.own, (weights * self.by_own).T)
        return np.asarray(sums)

    def along(self, step: Floats) -> Floats:
        """Return the change of each value along a step of pairs, shape (draws, targets)."""
        effective = self.slope * step
        return np.asarray(self.by_total * (self.donors @ effective) + self.by_own * effective[self.own])


@dataclass(frozen=True)
class Surfaces:
    """Laws under several draws of their parameters; arrays have the shape (draws, targets) unless stated otherwise.

    Args:
        own: The index of each target's own language among the donors, shape (targets,).
        unit: The pairs that sizes are multiples of, shape (targets,).
        level: a, the value at an effective size of one unit.
        slope: s.
        curvature: k; below 0 the values approach an asymptote, above 0 they rise faster with each doubling.
        offset: x0, in units.
        transfer: t.
        substitution: r: 1 if pairs of other languages replace own ones, near 0 if they complement them.
        donors: u, the weight of each donor, 1 for the own language, shape (draws, targets, donors).
        num_unique: How many different pairs each donor has; repeated ones count less (arXiv 2305.16264), shape
            (donors,).
    """

    own: Indices
    unit: Floats
    level: Floats
    slope: Floats
    curvature: Floats
    offset: Floats
    transfer: Floats
    substitution: Floats
    donors: Floats
    num_unique: Floats

    def draws(self, which: slice) -> "Surfaces":
        """Return the surfaces of some draws."""
        of_draws = {name: getattr(self, name)[which] for name in PER_DRAW}
        return Surfaces(self.own, self.unit, **of_draws, num_unique=self.num_unique)

    def values(self, pairs: Floats) -> Floats:
        """Return the values at a mixture, shape (draws, targets)."""
        size, *_ = self._sizes(pairs)
        return np.asarray(self.level + self.slope * box_cox(size + self.offset, self.curvature))

    def means(self, pairs: Floats) -> Floats:
        """Return the values' means over the draws, shape (targets,)."""
        return np.asarray(self.values(pairs).mean(axis=0))

    def _sizes(self, pairs: Floats) -> tuple[Floats, Floats, Floats]:
        """Return power means, own pairs and all pairs, in units."""
        effective, _, _ = effective_pairs(pairs, self.num_unique)
        own = np.maximum(effective[self.own] / self.unit, MIN_PAIRS)
        total = np.maximum(self.donors @ effective / self.unit, MIN_PAIRS)
        return power_mean(own, total, self.transfer, self.substitution), own, total

    def derivatives(self, pairs: Floats) -> Derivatives:
        """Return values and gradients at a mixture whose pairs are all above 0."""
        size, own, total = self._sizes(pairs)
        _, slope, bend = effective_pairs(pairs, self.num_unique)
        z = size + self.offset
        values = self.level + self.slope * box_cox(z, self.curvature)
        first = self.slope * z ** (self.curvature - 1)
        second = (self.curvature - 1) * first / z
        by_own = (1 - self.transfer) * (size / own) ** (1 - self.substitution)
        by_total = self.transfer * (size / total) ** (1 - self.substitution)
        parts = (first, second, size, by_own, by_total, own, total, bend)
        each = first / self.unit
        return Derivatives(values, each * by_own, each * by_total, self.own, self.donors, slope, parts)

    def hessian(self, derivatives: Derivatives, weights: Floats, curved: Floats | float = 0.0) -> Floats:
        """Return the Hessian of the mean over the draws of a function of the targets, shape (donors, donors).

        Args:
            derivatives: Those of the targets.
            weights: The function's derivative by each target, shape (targets,) or (draws, targets).
            curved: Minus its second derivatives by each target, of the same shape.
        """
        first, second, size, by_own, by_total, own, total, bend = derivatives.parts
        slope, num = derivatives.slope, self.donors.shape[2]
        bending = first * weights * (1 - self.substitution) / self.unit**2
        of_outer = (second * weights - curved * first**2) / self.unit**2  # of the gradients of sizes with themselves
        of_donors = of_outer * by_total**2 + bending * (by_total**2 / size - by_total / total)
        result = quadratic(self.donors, of_donors)
        of_own = (of_outer * by_own**2 + bending * (by_own**2 / size - by_own / own)).sum(axis=0)
        np.add.at(result, (self.own, self.own), of_own)
        of_both = of_outer * by_own * by_total + bending * by_own * by_total / size
        cross = np.zeros((num, num))
        np.add.at(cross, self.own, np.einsum("dt,dtn->tn", of_both, self.donors))
        result += cross + cross.T
        result = slope[:, None] * result * slope
        if bend.any():
            result += np.diag(derivatives.by_effective(np.broadcast_to(weights, first.shape)).sum(axis=0) * bend)
        return np.asarray(result / len(first))


PER_DRAW = ("level", "slope", "curvature", "offset", "transfer", "substitution", "donors")


def quadratic(vectors: Floats, weights: Floats) -> Floats:
    """Return the sum over draws and targets of weight times the outer product of the vector with itself.

    Vectors whose weights are nothing beside the largest are left out. A product of a matrix with itself takes half of
    the time, where all weights have one sign.
    """
    flat, weights = vectors.reshape(-1, vectors.shape[-1]), weights.ravel()
    size = np.abs(weights)
    if not (kept := size > NEGLIGIBLE * size.max()).all():
        flat, weights, size = flat[kept], weights[kept], size[kept]
    if (weights > 0).any() and (weights < 0).any():
        return np.asarray((flat * weights[:, None]).T @ flat)
    scaled = flat * np.sqrt(size)[:, None]
    return np.asarray((scaled.T @ scaled) * (np.sign(weights[0]) if len(weights) else 1.0))


def effective_pairs(pairs: Floats, num_unique: Floats) -> tuple[Floats, Floats, Floats]:
    """Return how many new pairs are equivalent to pairs with repetitions, and the first and second derivative."""
    if not np.any(pairs > num_unique):
        return pairs, np.ones_like(pairs), np.zeros_like(pairs)
    rate = np.where(np.isfinite(num_unique), np.maximum(num_unique, 1e-300), 1e300) * REPETITION_DECAY
    repeated = np.maximum(pairs - num_unique, 0.0)
    decay = np.exp(-repeated / rate)
    is_repeated = repeated > 0
    effective = np.where(is_repeated, np.minimum(pairs, num_unique) + rate * (1 - decay), pairs)
    return effective, decay, np.where(is_repeated, -decay / rate, 0.0)


def stack(*surfaces: Surfaces) -> Surfaces:
    """Return the targets of several surfaces, of the same donors and as many draws, as those of one."""
    joined: dict[str, Any] = {name: np.concatenate([getattr(s, name) for s in surfaces], axis=1) for name in PER_DRAW}
    for name in ("own", "unit"):
        joined[name] = np.concatenate([getattr(s, name) for s in surfaces])
    return Surfaces(**joined, num_unique=surfaces[0].num_unique)
