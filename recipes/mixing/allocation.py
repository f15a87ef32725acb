"""Allocate a budget over concave curves exactly: by water-filling, then in integers that spend all of it."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from corpora.errors import InputError
from recipes.mixing.curves import Curves
from recipes.scaling import Floats

Integers = NDArray[np.int64]
MAX_EXCHANGES = 10_000  # of one pair after rounding; a handful is usual


@dataclass(frozen=True)
class AllocationProblem:
    """What to allocate, and within which limits; all arrays have shape (languages,), in the order of `langs`.

    Args:
        langs: The languages.
        budget: What to spend, in `unit`.
        weights: What one unit of the metric in each language is worth; they sum to 1.
        costs: What one pair of each language costs, in `unit`.
        min_pairs: The fewest pairs of each language.
        max_pairs: The most pairs of each language, repetitions included.
        num_unique: How many different pairs there are; infinite if unknown.
        unit: `pairs`, or `tokens`.
    """

    langs: tuple[str, ...]
    budget: float
    weights: Floats
    costs: Floats
    min_pairs: Floats
    max_pairs: Floats
    num_unique: Floats
    unit: str = "pairs"


def allocation_problem(
    langs: Sequence[str],
    budget: float,
    *,
    num_unique: Floats | None = None,
    epochs: float = 1.0,
    min_pairs: Floats | None = None,
    max_pairs: Floats | None = None,
    weights: Floats | None = None,
    costs: Floats | None = None,
    allow_partial: bool = False,
) -> AllocationProblem:
    """Return a checked problem.

    Args:
        langs: The languages.
        budget: The number of pairs, or of tokens where `costs` are given.
        num_unique: How many different pairs there are of each language; None for no limit.
        epochs: How often a pair may be seen.
        min_pairs: The fewest pairs of each language; at least 1.
        max_pairs: The most pairs of each language, if less than `num_unique` times `epochs`.
        weights: What each language counts; None for all the same.
        costs: Tokens in a pair of each language; None for a budget in pairs.
        allow_partial: Whether a budget that cannot be spent is cut to what can be, or an error.

    Raises:
        InputError: No allocation is within the limits; the message has the numbers.
    """
    n = len(langs)
    unique = np.full(n, np.inf) if num_unique is None else np.asarray(num_unique, float)
    high = np.floor(np.minimum(unique * epochs, np.full(n, np.inf) if max_pairs is None else max_pairs))
    low = np.maximum(np.ceil(np.zeros(n) if min_pairs is None else min_pairs), 1.0)
    weight = np.ones(n) if weights is None else np.asarray(weights, float)
    cost = np.ones(n) if costs is None else np.asarray(costs, float)
    unit = "pairs" if costs is None else "tokens"
    if not (math.isfinite(budget) and budget >= 1):
        raise InputError(f"A budget must be at least 1, not {budget:g}.")
    _check_langs(langs, low, high, weight, cost)
    budget = _affordable(budget, float(cost @ low), float(cost @ high), allow_partial, unit)
    return AllocationProblem(tuple(langs), budget, weight / weight.sum(), cost, low, high, unique, unit)


def _check_langs(langs: Sequence[str], low: Floats, high: Floats, weights: Floats, costs: Floats) -> None:
    if not langs or len(set(langs)) != len(langs):
        raise InputError(f"A budget is allocated to different languages, not to '{', '.join(langs)}'.")
    for lang, least, most, weight, cost in zip(langs, low, high, weights, costs, strict=True):
        if not most >= 1:
            raise InputError(f"{lang} has no pairs (its maximum is {most:,.0f}). Leave it out of --langs.")
        if not least <= most:
            raise InputError(
                f"The minimum of {lang}, {least:,.0f} pairs, is above its maximum of {most:,.0f}. Lower its --min."
            )
        if not (weight > 0 and math.isfinite(weight)):
            raise InputError(f"The weight of {lang} must be above 0, not {weight:g}. To leave it out, see --langs.")
        if not (cost > 0 and math.isfinite(cost)):
            raise InputError(f"The cost of a pair in {lang} must be above 0, not {cost:g}.")


def _affordable(budget: float, least: float, most: float, allow_partial: bool, unit: str) -> float:
    """Return the budget that can be spent."""
    if budget < least:
        raise InputError(
            f"The budget of {budget:,.0f} {unit} is below the sum of the minimums, {least:,.0f} (at least one pair of "
            "each language). Raise it, lower --min, or choose fewer --langs."
        )
    if budget > most and not allow_partial:
        raise InputError(
            f"The budget of {budget:,.0f} {unit} is above the sum of the maximums, {most:,.0f} {unit}. Lower it, let "
            "pairs repeat with --epochs, or spend what there is with --allow-partial."
        )
    return min(budget, most)


def waterfill(curves: Curves, problem: AllocationProblem) -> Floats:
    """Return the real numbers of pairs that maximise the sum of the curves, shape (languages,).

    Exact, by the conditions of the optimum: where the sum of concave curves is greatest, every language that is
    neither at its minimum nor at its maximum gains the same from one more unit of cost (Karush, Kuhn and Tucker).
    This one price is found by Brent's method on its logarithm.
    """
    high = np.minimum(problem.max_pairs, problem.budget / problem.costs)
    if float(problem.costs @ high) <= problem.budget:
        return np.asarray(high)

    def pairs(log_price: float) -> Floats:
        return np.clip(curves.pairs_at(np.exp(log_price) * problem.costs), problem.min_pairs, high)

    def surplus(log_price: float) -> float:
        return float(problem.costs @ pairs(log_price)) - problem.budget

    middle = np.maximum((problem.min_pairs + high) / 2, 1.0)
    lower = upper = float(np.log(np.median(curves.gain(middle) / problem.costs)))
    reach = 1.0
    while surplus(lower) < 0 and reach < 1e6:
        lower, reach = lower - reach, reach * 2
    while surplus(upper) > 0 and reach < 1e6:
        upper, reach = upper + reach, reach * 2
    price = float(brentq(surplus, lower, upper, xtol=1e-14, rtol=1e-15)) if lower < upper else lower
    return _spend_rest(pairs(price), problem)


def _spend_rest(pairs: Floats, problem: AllocationProblem) -> Floats:
    """Return the pairs with what the rounding of the price left over, given to languages below their maximum."""
    pairs = pairs.copy()
    for index in np.argsort(-pairs):
        left = (problem.budget - float(problem.costs @ pairs)) / problem.costs[index]
        if left == 0:
            break
        pairs[index] = np.clip(pairs[index] + left, problem.min_pairs[index], problem.max_pairs[index])
    return pairs


def allocate_integers(curves: Curves, problem: AllocationProblem) -> Integers:
    """Return the whole numbers of pairs that maximise the sum of the curves and spend the budget, shape (languages,).

    The real solution is rounded down; what is left goes where the next pair gains most for its cost. At equal costs,
    pairs are then exchanged while that helps, which ends at the optimum since the curves are concave (marginal
    allocation, Fox 1966). In tokens, less than the cost of the cheapest possible pair is left over.
    """
    pairs = np.clip(np.floor(waterfill(curves, problem)), np.ceil(problem.min_pairs), problem.max_pairs)
    whole = pairs.astype(np.int64)
    _add_pairs(curves, problem, whole)
    if np.ptp(problem.costs) == 0:
        _exchange_pairs(curves, problem, whole)
    return whole


def _add_pairs(curves: Curves, problem: AllocationProblem, pairs: Integers) -> None:
    """Add the pairs that rounding left, one by one, where each gains most for its cost."""
    left = problem.budget - float(problem.costs @ pairs)
    gains = [(-curves.step(n, int(x)) / problem.costs[n], n) for n, x in enumerate(pairs)]
    heapq.heapify(gains)
    while gains and left >= problem.costs.min() * (1 - 1e-12):
        _, n = heapq.heappop(gains)
        if pairs[n] + 1 > problem.max_pairs[n] or problem.costs[n] > left * (1 + 1e-12):
            continue
        pairs[n] += 1
        left -= problem.costs[n]
        heapq.heappush(gains, (-curves.step(n, int(pairs[n])) / problem.costs[n], n))


def _exchange_pairs(curves: Curves, problem: AllocationProblem, pairs: Integers) -> None:
    """Move a pair from where it gains least to where it gains most, until no move helps."""
    add = np.array([curves.step(n, int(x)) for n, x in enumerate(pairs)])
    lose = np.array([curves.step(n, int(x) - 1) for n, x in enumerate(pairs)])
    for _ in range(MAX_EXCHANGES):
        target = int(np.argmax(np.where(pairs + 1 <= problem.max_pairs, add, -np.inf)))
        source = int(np.argmin(np.where(pairs - 1 >= problem.min_pairs, lose, np.inf)))
        can_move = pairs[source] > problem.min_pairs[source] and pairs[target] < problem.max_pairs[target]
        if target == source or not can_move or not add[target] > lose[source] * (1 + 1e-9):
            return
        for n, change in ((target, 1), (source, -1)):
            pairs[n] += change
            add[n], lose[n] = curves.step(n, int(pairs[n])), curves.step(n, int(pairs[n]) - 1)
