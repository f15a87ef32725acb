"""Compare mixtures by laws with transfer, and recommend the plainest one that is not clearly behind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from corpora.errors import InputError
from recipes.mixing import (
    AllocationProblem,
    Integers,
    Mixture,
    ShareCurves,
    allocate_integers,
    baseline,
    central_interval,
)
from recipes.scaling import Floats
from recipes.transfer.goal import Solution
from recipes.transfer.objective import Objective, best_mixture, to_whole_pairs
from recipes.transfer.surfaces import Surfaces

NUM_DRAWS = 60  # that an optimum is for
NUM_REGRET_DRAWS = 40  # whose own optimum is computed
CERTAINTY = 0.95
MATTERS = 0.3  # points: a difference that is worth another mixture
MAX_LOSS = 0.05  # points by which a floor may be missed: the optimum is for fewer draws than it is judged by
BY_WEIGHT = "by-weight"
PLAINEST = ("unimax", BY_WEIGHT, "temperature:0.3", "proportional", "uniform")


@dataclass(frozen=True)
class Comparison:
    """A mixture compared with the optimum; differences are in units of the objective, intervals central 90 % ones.

    Args:
        mixture: The mixture.
        value: The objective's predicted value.
        interval: Its interval.
        advantage: By how much the optimum is predicted to be better.
        advantage_interval: Its interval.
        p_behind: The probability that this mixture is behind the optimum by more than matters.
        regret: By how much this mixture is expected to be below the best one, if the laws were known exactly.
        regret_95: The 95th percentile of the same.
        loss: The most that a language loses beyond what a floor allows; 0 where it keeps all floors.
        by_metric: With several metrics, the optimum's advantage in each with its interval.
    """

    mixture: Mixture
    value: float
    interval: tuple[float, float]
    advantage: float
    advantage_interval: tuple[float, float]
    p_behind: float
    regret: float
    regret_95: float
    loss: float
    by_metric: tuple[tuple[float, tuple[float, float]], ...] = ()


@dataclass(frozen=True)
class Allocation:
    """The optimum for an objective, the plainer mixtures beside it, and which to take.

    Args:
        optimum: The optimum in whole pairs.
        value: Its value by the draws that it is for.
        gap: By how much at most another mixture could be better by these draws.
        compared: The optimum and the plainer mixtures, compared.
        recommended: The plainest mixture that is not behind the optimum by more than matters with certainty.
        matters: The difference that is worth another mixture.
        infeasible: Why a plainer mixture is not possible, a sentence for each.
    """

    optimum: Mixture
    value: float
    gap: float
    compared: tuple[Comparison, ...]
    recommended: Comparison
    matters: float
    infeasible: tuple[str, ...] = ()


def allocate_by_transfer(
    draws: Surfaces, objective: Objective, problem: AllocationProblem, matters: float = MATTERS
) -> Allocation:
    """Return the best mixture for an objective, and the recommended one.

    Args:
        draws: The laws under posterior samples; the optimum is for the first NUM_DRAWS.
        objective: The objective.
        problem: Budget, costs and limits; its weights are those of the mixture by weight.
        matters: The difference from the optimum that is worth another mixture, in units of the objective.

    Raises:
        InputError: No mixture keeps the objective's floors.
    """
    few = first_draws(draws, NUM_DRAWS)
    solution = best_mixture(few, objective, problem)
    weights = objective.weights if objective.kind == "mean" else np.ones(len(draws.own)) / len(draws.own)
    pairs = to_whole_pairs(solution.pairs, few, weights, problem)
    optimum = _mixture("optimum", pairs, problem)
    plain, infeasible = plain_mixtures(problem, objective)
    best = _best_by_draw(draws, objective, problem)
    compared = [_compare(m, optimum, draws, objective, best, matters) for m in [optimum, *plain]]
    gap = max(solution.bound - objective.expected(few, optimum.seen), 0.0)
    return Allocation(optimum, solution.value, gap, tuple(compared), recommend(compared), matters, tuple(infeasible))


def recommend(compared: Sequence[Comparison]) -> Comparison:
    """Return the plainest mixture that keeps all floors and is not behind by more than matters with certainty."""
    for comparison in compared[1:]:
        if comparison.loss <= 0.0 and comparison.p_behind < CERTAINTY:
            return comparison
    return compared[0]


def first_draws(surfaces: Surfaces, num: int) -> Surfaces:
    """Return the first draws of surfaces."""
    return surfaces.draws(slice(0, num))


def plain_mixtures(problem: AllocationProblem, objective: Objective) -> tuple[list[Mixture], list[str]]:
    """Return the mixtures that need no laws, the plainest first, and why others are not possible."""
    is_weighted = objective.kind == "mean" and np.ptp(problem.weights) > 1e-12
    mixtures: list[Mixture] = []
    infeasible = []
    for name in PLAINEST:
        if name == BY_WEIGHT and not is_weighted:
            continue
        try:
            mixture = by_weight(problem) if name == BY_WEIGHT else baseline(name, problem)
        except InputError as error:
            infeasible.append(f"{name}: {error}")
            continue
        if not any(np.array_equal(mixture.pairs, other.pairs) for other in mixtures):
            mixtures.append(mixture)
    return mixtures, infeasible


def by_weight(problem: AllocationProblem) -> Mixture:
    """Return the mixture that shares the budget by the languages' weights, within the limits."""
    return _mixture(BY_WEIGHT, allocate_integers(ShareCurves(problem.weights), problem), problem)


def _mixture(name: str, pairs: Integers, problem: AllocationProblem) -> Mixture:
    return Mixture(name, problem.langs, pairs, np.minimum(pairs, problem.num_unique).astype(np.int64))


def _best_by_draw(draws: Surfaces, objective: Objective, problem: AllocationProblem) -> Floats:
    """Return the objective's value at each draw's own best mixture, shape (draws,), without a nearest mixture."""
    return np.array([-np.inf if best is None else best.value for best in _own_best(draws, objective, problem)])


def optima_by_draw(draws: Surfaces, objective: Objective, problem: AllocationProblem) -> list[Floats]:
    """Return the pairs of the best mixture of each of the first draws, where one keeps the floors."""
    return [best.pairs for best in _own_best(draws, objective, problem) if best]


def _own_best(draws: Surfaces, objective: Objective, problem: AllocationProblem) -> list[Solution | None]:
    own, solutions = replace(objective, near=None), []
    for number in range(min(NUM_REGRET_DRAWS, len(draws.level))):
        try:
            best = best_mixture(draws.draws(slice(number, number + 1)), own, problem)
        except InputError:  # under this draw no mixture keeps the floors
            best = None
        solutions.append(best)
    return solutions


def _compare(
    mixture: Mixture, optimum: Mixture, draws: Surfaces, objective: Objective, best: Floats, matters: float
) -> Comparison:
    own = draws.values(mixture.seen)
    values = objective.values(own)
    of_optimum = draws.values(optimum.seen)
    differences = objective.values(of_optimum) - values
    regret = np.maximum(best - values[: len(best)], 0.0)
    losses = [floor.of(draws.means(floor.pairs) - own.mean(axis=0)) - floor.points for floor in objective.floors]
    loss = max((float(of_floor.max()) for of_floor in losses), default=0.0)
    return Comparison(
        mixture,
        float(values.mean()),
        central_interval(values),
        float(differences.mean()),
        central_interval(differences),
        float((differences > matters).mean()),
        float(regret.mean()),
        float(np.quantile(regret, 0.95)),
        loss if loss > MAX_LOSS else 0.0,
        tuple((float(d.mean()), central_interval(d)) for d in _by_metric(of_optimum - own, objective)),
    )


def _by_metric(differences: Floats, objective: Objective) -> Sequence[Floats]:
    """Return the differences of each metric's mean, an array over the draws for each; none with one metric."""
    return () if objective.metric_rows is None else list((differences @ objective.metric_rows.T).T)
