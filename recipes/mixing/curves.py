"""Concave curves: the gain from one more pair, and the number of pairs at which the gain falls to a price."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recipes.scaling import Floats

# Repeated pairs lose their value at this rate: U unique pairs, seen R times more, are equivalent to
# U + U R* (1 - exp(-R / R*)) new ones, R* = 15.39 (Muennighoff et al. 2023, arXiv 2305.16264, equation 5 and section
# 6: R*_D).
REPETITION_DECAY = 15.387756
MAX_REPETITIONS = 40.0  # in multiples of REPETITION_DECAY
NUM_BISECTIONS = 60


class Curves(Protocol):
    """Concave functions of the number of pairs, one for each language; arrays have the languages as their last axis."""

    def gain(self, pairs: Floats) -> Floats:
        """Return the derivative at some numbers of pairs; it falls."""

    def pairs_at(self, price: Floats) -> Floats:
        """Return the numbers of pairs at which the gain has fallen to the price; 0 if it is never above it."""

    def step(self, index: int, pairs: int) -> float:
        """Return what the next pair gains in language `index`; infinite if nothing is known at 0 pairs."""


@dataclass(frozen=True)
class PowerCurves:
    """weight (E - A (x + D0)^-alpha), where x are effective pairs: repeated pairs count less than new ones.

    Args:
        weights: The weight of each language, shape (languages,).
        asymptote: E, shape (languages,), or (samples, languages) as the next three.
        scale: A.
        exponent: alpha.
        offset: D0.
        num_unique: How many different pairs there are; infinite where no pair is repeated.
    """

    weights: Floats
    asymptote: Floats
    scale: Floats
    exponent: Floats
    offset: Floats
    num_unique: Floats

    def value(self, pairs: Floats) -> Floats:
        """Return the metric's value, without weights, at some numbers of pairs, repetitions included."""
        with np.errstate(divide="ignore"):
            return np.asarray(
                self.asymptote - self.scale * (self.effective_pairs(pairs) + self.offset) ** -self.exponent
            )

    def effective_pairs(self, pairs: Floats) -> Floats:
        """Return how many new pairs are equivalent to some numbers of pairs, repetitions included."""
        repeated = np.maximum(pairs - self.num_unique, 0.0)
        decayed = -np.expm1(-repeated / (self._divisor() * REPETITION_DECAY)) * REPETITION_DECAY
        return np.asarray(np.minimum(pairs, self.num_unique) + np.where(repeated > 0, self._divisor() * decayed, 0.0))

    def _divisor(self) -> Floats:
        """Return `num_unique` as finite numbers above 0."""
        return np.where(np.isfinite(self.num_unique), np.maximum(self.num_unique, 1e-300), 1e300)

    def gain(self, pairs: Floats) -> Floats:
        """Return the derivative of the weighted value: by the chain rule, the law's times that of effective pairs."""
        repeated = np.maximum(pairs - self.num_unique, 0.0)
        decay = np.exp(-repeated / (self._divisor() * REPETITION_DECAY))
        with np.errstate(divide="ignore"):
            power = (self.effective_pairs(pairs) + self.offset) ** (-self.exponent - 1)
        return np.asarray(self.weights * self.scale * self.exponent * power * decay)

    def pairs_at(self, price: Floats) -> Floats:
        """Return the pairs for a price: in closed form among unique pairs, by bisection above them."""
        with np.errstate(divide="ignore", over="ignore"):
            pairs = (self.weights * self.scale * self.exponent / price) ** (1 / (1 + self.exponent)) - self.offset
        pairs = np.maximum(pairs, 0.0)
        return self._repeated_pairs_at(price, pairs) if np.any(pairs > self.num_unique) else np.asarray(pairs)

    def _repeated_pairs_at(self, price: Floats, once: Floats) -> Floats:
        """Return the pairs where the price asks for more than are unique, by bisection on the repetitions."""
        low, high = np.zeros_like(once), np.full_like(once, MAX_REPETITIONS)
        for _ in range(NUM_BISECTIONS):
            middle = (low + high) / 2
            is_below = self.gain(self._divisor() * (1 + middle * REPETITION_DECAY)) > price
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        return np.asarray(np.where(once > self.num_unique, self._divisor() * (1 + low * REPETITION_DECAY), once))

    def step(self, index: int, pairs: int) -> float:
        """Return L(pairs + 1) - L(pairs), weighted, without the cancellation of a plain difference."""
        before, after = self._shifted(index, pairs), self._shifted(index, pairs + 1)
        if before <= 0:
            return math.inf
        scale, exponent = float(self.scale[index]), float(self.exponent[index])
        closed = -math.expm1(-exponent * math.log1p((after - before) / before))  # share of the gap that a pair closes
        return float(self.weights[index]) * scale * math.pow(before, -exponent) * closed

    def _shifted(self, index: int, pairs: int) -> float:
        """Return effective pairs plus the offset of one language, in plain floats."""
        unique, offset = float(self.num_unique[index]), float(self.offset[index])
        if (repeated := max(pairs - unique, 0.0)) == 0:
            return pairs + offset
        decayed = -math.expm1(-repeated / (unique * REPETITION_DECAY))
        return float(unique + offset + unique * REPETITION_DECAY * decayed)


@dataclass(frozen=True)
class ShareCurves:
    """share log(pairs): their best allocation is in proportion to the shares, cut at minimums and maximums."""

    share: Floats

    def gain(self, pairs: Floats) -> Floats:
        """Return the derivative."""
        return np.asarray(self.share / np.maximum(pairs, 1e-300))

    def pairs_at(self, price: Floats) -> Floats:
        """Return where the derivative is the price."""
        return np.asarray(self.share / price)

    def step(self, index: int, pairs: int) -> float:
        """Return what the next pair gains."""
        return float(self.share[index]) * math.log1p(1 / pairs) if pairs else math.inf


@dataclass(frozen=True)
class TableCurves:
    """Curves known by their gains at some numbers of pairs; in between, the gain is a power of the pairs.

    Args:
        pairs: Rising numbers of pairs, shape (points, languages).
        gains: The gains there, above 0 and falling, in the same shape.
    """

    pairs: Floats
    gains: Floats

    def gain(self, pairs: Floats) -> Floats:
        """Return the gain, interpolated in logarithms."""
        columns = zip(np.maximum(pairs, 1e-9), self.pairs.T, self.gains.T, strict=True)
        return np.array([np.exp(np.interp(np.log(x), np.log(at), np.log(gains))) for x, at, gains in columns])

    def pairs_at(self, price: Floats) -> Floats:
        """Return the inverse of `gain`."""
        prices = np.broadcast_to(price, self.pairs.shape[1:])
        columns = zip(prices, self.pairs.T, self.gains.T, strict=True)
        return np.array([np.exp(np.interp(-np.log(p), -np.log(gains), np.log(at))) for p, at, gains in columns])

    def step(self, index: int, pairs: int) -> float:
        """Return the gain in the middle of the next pair."""
        at, gains = np.log(self.pairs[:, index]), np.log(self.gains[:, index])
        return float(np.exp(np.interp(math.log(pairs + 0.5), at, gains)))
