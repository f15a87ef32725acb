"""The best split of a budget over concave curves, exactly: water-filling, and integers that spend all of it."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from corpora.errors import InputError
from recipes.mixing.curves import Curves
from recipes.scaling.law import Floats

Integers = NDArray[np.int64]
ROUNDS = 10_000  # exchanges of one pair after rounding; a handful is usual


@dataclass(frozen=True)
class Problem:
    """What is to be split: a budget of pairs, or of tokens where `cost` is tokens a pair, among languages.

    floor <= pairs <= cap in each language; `unique` pairs are there, of which a cap above it repeats some. All arrays
    are in the order of `langs`; `weight` is what a point of each language's score counts.
    """

    langs: tuple[str, ...]
    budget: float
    weight: Floats
    cost: Floats
    floor: Floats
    cap: Floats
    unique: Floats
    unit: str = "pairs"


def problem(
    langs: Sequence[str], budget: float, *,
    unique: Floats | None = None, epochs: float = 1.0, caps: Floats | None = None, floors: Floats | None = None,
    weights: Floats | None = None, costs: Floats | None = None, at_most: bool = False,
) -> Problem:  # fmt: skip
    """A checked problem; InputError, with the numbers, if no split can be what was asked.

    Each cap is what is unique times `epochs`, or the language's own in `caps` if that is less. Weights are made to sum
    to 1. A budget above the sum of the caps is refused, or cut to that sum with `at_most`.
    """
    n = len(langs)
    there = np.full(n, np.inf) if unique is None else np.asarray(unique, float)
    cap = np.floor(np.minimum(there * epochs, np.full(n, np.inf) if caps is None else caps))
    floor = np.maximum(np.ceil(np.zeros(n) if floors is None else floors), 1.0)
    weight = np.ones(n) if weights is None else np.asarray(weights, float)
    cost = np.ones(n) if costs is None else np.asarray(costs, float)
    unit = "pairs" if costs is None else "tokens"
    _check_langs(langs, floor, cap, weight, cost, budget)
    budget = _affordable(budget, float(cost @ floor), float(cost @ cap), at_most, unit)
    return Problem(tuple(langs), budget, weight / weight.sum(), cost, floor, cap, there, unit)


def _check_langs(langs: Sequence[str], floor: Floats, cap: Floats, weight: Floats, cost: Floats, budget: float) -> None:
    if not langs or len(set(langs)) != len(langs):
        raise InputError(f"A budget is split among different languages, not '{', '.join(langs)}'.")
    for lang, least, most, counts, price in zip(langs, floor, cap, weight, cost, strict=True):
        if not most >= 1:
            raise InputError(f"{lang} has no pairs to give (its cap is {most:,.0f}): leave it out of --langs.")
        if not least <= most:
            raise InputError(f"The floor of {lang}, {least:,.0f} pairs, is above its cap of {most:,.0f}: lower it.")
        if not (counts > 0 and math.isfinite(counts)):
            raise InputError(f"The weight of {lang} must be above 0, not {counts:g}: to leave it out, see --langs.")
        if not (price > 0 and math.isfinite(price)):
            raise InputError(f"What a pair in {lang} costs must be above 0, not {price:g}.")
    if not (math.isfinite(budget) and budget >= 1):
        raise InputError(f"A budget must be at least 1, not {budget:g}.")


def _affordable(budget: float, least: float, most: float, at_most: bool, unit: str) -> float:
    """The budget that can be spent; InputError if that is not the one asked for."""
    if budget < least:
        raise InputError(
            f"The budget of {budget:,.0f} {unit} is below what the floors take, {least:,.0f} (at least a pair a "
            "language). Raise it, lower the floors, or choose fewer --langs."
        )
    if budget > most and not at_most:
        raise InputError(
            f"The budget of {budget:,.0f} {unit} is above the sum of the caps, {most:,.0f} {unit}: there is no more. "
            "Ask for that much or less, let pairs be seen again with --epochs, or take what there is with --at-most."
        )
    return min(budget, most)


def waterfill(curves: Curves, given: Problem) -> Floats:
    """The real numbers of pairs that maximise the sum of the curves: exact, by the conditions of the optimum.

    Where the sum of concave curves is largest, every language that is neither at its floor nor at its cap gains the
    same by a further unit of cost (Karush, Kuhn and Tucker): one price, found by Brent's method on its logarithm.
    """
    cap = np.minimum(given.cap, given.budget / given.cost)

    def pairs(log_price: float) -> Floats:
        return np.clip(curves.pairs_at(np.exp(log_price) * given.cost), given.floor, cap)

    def surplus(log_price: float) -> float:
        return float(given.cost @ pairs(log_price)) - given.budget

    if float(given.cost @ cap) <= given.budget:
        return np.asarray(cap)
    low = high = float(np.log(np.median(curves.gain(np.maximum((given.floor + cap) / 2, 1.0)) / given.cost)))
    reach = 1.0
    while surplus(low) < 0 and reach < 1e6:
        low, reach = low - reach, reach * 2
    while surplus(high) > 0 and reach < 1e6:
        high, reach = high + reach, reach * 2
    return _settled(
        pairs(float(brentq(surplus, low, high, xtol=1e-14, rtol=1e-15))) if low < high else pairs(low), given
    )


def _settled(pairs: Floats, given: Problem) -> Floats:
    """The same pairs with what rounding of the price left over put on the languages that can take it."""
    pairs = pairs.copy()
    for place in np.argsort(-pairs):
        left = (given.budget - float(given.cost @ pairs)) / given.cost[place]
        if left == 0:
            break
        pairs[place] = np.clip(pairs[place] + left, given.floor[place], given.cap[place])
    return pairs


def whole(curves: Curves, given: Problem) -> Integers:
    """The whole numbers of pairs that maximise the sum of the curves and spend the budget.

    From the real solution rounded down, the rest goes where the next pair adds most for its cost; at equal costs, pairs
    are then exchanged while that helps, which ends at the optimum since the curves are concave (marginal allocation,
    Fox 1966). In tokens, less than the cost of the cheapest pair that may be added is left over.
    """
    pairs = np.clip(np.floor(waterfill(curves, given)), np.ceil(given.floor), given.cap).astype(np.int64)
    _spend(curves, given, pairs)
    if np.ptp(given.cost) == 0:
        _exchange(curves, given, pairs)
    return pairs


def _spend(curves: Curves, given: Problem, pairs: Integers) -> None:
    """Give out what rounding left, pair by pair, to the largest gain for its cost."""
    left = given.budget - float(given.cost @ pairs)
    worth = [(-curves.step(n, int(x)) / given.cost[n], n) for n, x in enumerate(pairs)]
    heapq.heapify(worth)
    while worth and left >= given.cost.min() * (1 - 1e-12):
        _, n = heapq.heappop(worth)
        if pairs[n] + 1 > given.cap[n] or given.cost[n] > left * (1 + 1e-12):
            continue
        pairs[n] += 1
        left -= given.cost[n]
        heapq.heappush(worth, (-curves.step(n, int(pairs[n])) / given.cost[n], n))


def _exchange(curves: Curves, given: Problem, pairs: Integers) -> None:
    """Move a pair from where it adds least to where it adds most, until no move helps."""
    add = np.array([curves.step(n, int(x)) for n, x in enumerate(pairs)])
    lose = np.array([curves.step(n, int(x) - 1) for n, x in enumerate(pairs)])
    for _ in range(ROUNDS):
        to = int(np.argmax(np.where(pairs + 1 <= given.cap, add, -np.inf)))
        source = int(np.argmin(np.where(pairs - 1 >= given.floor, lose, np.inf)))
        if to == source or not (pairs[source] > given.floor[source] and pairs[to] < given.cap[to]):
            return
        if not add[to] > lose[source] * (1 + 1e-9):
            return
        for n, change in ((to, 1), (source, -1)):
            pairs[n] += change
            add[n], lose[n] = curves.step(n, int(pairs[n])), curves.step(n, int(pairs[n]) - 1)
