"""Concave curves: what one more pair is worth, and how many pairs there are until it is worth no more than a price."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recipes.scaling.law import Floats

# Repetitions lose their worth at this rate: U unique pairs seen R times more are worth U + U R* (1 - exp(-R / R*)) new
# ones, R* = 15.39 (Muennighoff et al. 2023, arXiv 2305.16264, equation 5 and section 6: R*_D).
REPETITIONS = 15.387756


class Curves(Protocol):
    """Concave functions of pairs, one a language; every array has the languages as its last axis."""

    def gain(self, pairs: Floats) -> Floats:
        """The derivative at so many pairs; falling."""

    def pairs_at(self, price: Floats) -> Floats:
        """The pairs at which the gain has fallen to the price; 0 if it is never above it."""

    def step(self, place: int, pairs: int) -> float:
        """What the next pair adds to the language at `place`; infinite if nothing is known of none."""


@dataclass(frozen=True)
class PowerCurves:
    """weight (ceiling - k (x + start)^beta), where x = worth(pairs): repeated pairs are worth less than new ones.

    `unique` is how many different pairs there are (infinite: repetition does not come into it). The arrays may have a
    leading axis of draws.
    """

    weight: Floats
    ceiling: Floats
    k: Floats
    beta: Floats
    start: Floats
    unique: Floats

    def score(self, pairs: Floats) -> Floats:
        """The unweighted score at so many pairs seen."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.ceiling - self.k * (self._worth(pairs) + self.start) ** self.beta)

    def _worth(self, pairs: Floats) -> Floats:
        again = np.maximum(pairs - self.unique, 0.0)
        spent = -np.expm1(-again / (self._unique() * REPETITIONS)) * REPETITIONS
        return np.asarray(np.minimum(pairs, self.unique) + np.where(again > 0, self._unique() * spent, 0.0))

    def _unique(self) -> Floats:
        """`unique` as a number that can be divided by."""
        return np.where(np.isfinite(self.unique), np.maximum(self.unique, 1e-300), 1e300)

    def gain(self, pairs: Floats) -> Floats:
        """The derivative of the weighted score: by the chain rule, the law's times that of the worth."""
        again = np.maximum(pairs - self.unique, 0.0)
        fading = np.exp(-again / (self._unique() * REPETITIONS))
        with np.errstate(divide="ignore"):
            at = (self._worth(pairs) + self.start) ** (self.beta - 1)
        return np.asarray(self.weight * self.k * -self.beta * at * fading)

    def pairs_at(self, price: Floats) -> Floats:
        """Closed form among unique pairs; above them, the worth is the root of a falling function."""
        with np.errstate(divide="ignore", over="ignore"):
            pairs = (self.weight * self.k * -self.beta / price) ** (1 / (1 - self.beta)) - self.start
        pairs = np.maximum(pairs, 0.0)
        return self._repeated(price, pairs) if np.any(pairs > self.unique) else np.asarray(pairs)

    def _repeated(self, price: Floats, once: Floats) -> Floats:
        """Where the price asks for more than is unique: bisection on the repetitions, from none to 40 R*."""
        low, high = np.zeros_like(once), np.full_like(once, 40.0)
        for _ in range(60):
            middle = (low + high) / 2
            dear = self.gain(self._unique() * (1 + middle * REPETITIONS)) > price
            low, high = np.where(dear, middle, low), np.where(dear, high, middle)
        return np.asarray(np.where(once > self.unique, self._unique() * (1 + low * REPETITIONS), once))

    def step(self, place: int, pairs: int) -> float:
        """S(pairs + 1) - S(pairs), without the cancellation of a plain difference."""
        before, after = self._worth_at(place, pairs), self._worth_at(place, pairs + 1)
        if before <= 0:
            return math.inf
        k, beta = float(self.k[place]), float(self.beta[place])
        lost = -math.expm1(beta * math.log1p((after - before) / before))  # the share of the gap that the pair closes
        return float(self.weight[place]) * k * math.pow(before, beta) * lost

    def _worth_at(self, place: int, pairs: int) -> float:
        unique, start = float(self.unique[place]), float(self.start[place])
        if (again := max(pairs - unique, 0.0)) == 0:
            return pairs + start
        return float(unique + start - unique * REPETITIONS * math.expm1(-again / (unique * REPETITIONS)))


@dataclass(frozen=True)
class ShareCurves:
    """share log(pairs): what is best of these are pairs in proportion to the shares, cut at caps and floors."""

    share: Floats

    def gain(self, pairs: Floats) -> Floats:
        """The derivative."""
        return np.asarray(self.share / np.maximum(pairs, 1e-300))

    def pairs_at(self, price: Floats) -> Floats:
        """Where the derivative is the price."""
        return np.asarray(self.share / price)

    def step(self, place: int, pairs: int) -> float:
        """What the next pair adds."""
        return float(self.share[place]) * math.log1p(1 / pairs) if pairs else math.inf


@dataclass(frozen=True)
class TableCurves:
    """Curves known by their gains at some numbers of pairs; between them the gain is a power of the pairs."""

    pairs: Floats  # shape (points, languages), rising
    gains: Floats  # the same shape, above 0 and falling

    def gain(self, pairs: Floats) -> Floats:
        """The gain, straight in logarithms between the points."""
        columns = zip(np.maximum(pairs, 1e-9), self.pairs.T, self.gains.T, strict=True)
        return np.array([np.exp(np.interp(np.log(x), np.log(at), np.log(gains))) for x, at, gains in columns])

    def pairs_at(self, price: Floats) -> Floats:
        """The inverse of the same line."""
        prices = np.broadcast_to(price, self.pairs.shape[1:])
        columns = zip(prices, self.pairs.T, self.gains.T, strict=True)
        return np.array([np.exp(np.interp(-np.log(p), -np.log(gains), np.log(at))) for p, at, gains in columns])

    def step(self, place: int, pairs: int) -> float:
        """The gain in the middle of the next pair."""
        at, gains = np.log(self.pairs[:, place]), np.log(self.gains[:, place])
        return float(np.exp(np.interp(math.log(pairs + 0.5), at, gains)))
