"""Objective: what a mixture is chosen for, and the best mixture for it in whole pairs."""

from dataclasses import dataclass, replace

import numpy as np

from corpora.errors import InputError
from recipes.mixing import AllocationProblem, Integers
from recipes.scaling import Floats
from recipes.transfer.goal import Goal, Solution
from recipes.transfer.solver import maximise
from recipes.transfer.surfaces import Surfaces

OBJECTIVES = ("mean", "worst")
SLACK = 1e-4  # by which a constraint may be missed, in units of the metric
MIN_CHANGE_POINTS = 1e-3  # below, the nearest mixture is the best one


@dataclass(frozen=True)
class Floor:
    """No language may lose more than `points` against a mixture; with `rows`, no weighted mean of targets may.

    Args:
        name: The mixture's name.
        pairs: Its pairs.
        points: What may be lost.
        rows: The weights of each mean that may not lose, shape (means, targets); None for each target alone.
        names: What each row is of, for messages.
    """

    name: str
    pairs: Floats
    points: float
    rows: Floats | None = None
    names: tuple[str, ...] = ()

    def of(self, values: Floats) -> Floats:
        """Return what may not lose, for values of targets."""
        return values if self.rows is None else np.asarray(self.rows @ values)


@dataclass(frozen=True)
class Near:
    """Of the mixtures at most `points` below the best, the one with the least change from a mixture is chosen."""

    name: str
    pairs: Floats
    points: float


@dataclass(frozen=True)
class Objective:
    """What is maximised, within which floors.

    Args:
        kind: One of OBJECTIVES: the weighted mean of the languages, or the worst of them. Which one is the worst is
            uncertain, so that its expected value is maximised: the mean over the draws of the worst of each.
        weights: The weight of each target; they sum to 1. For `worst` they are not used.
        floors: Mixtures against which no language may lose.
        near: The mixture that should change least; None for any.
        metrics: The metrics, of which the targets are in turn; empty for one.
        metric_rows: For each metric the weights of its mean over the targets; None for one metric.
    """

    kind: str
    weights: Floats
    floors: tuple[Floor, ...] = ()
    near: Near | None = None
    metrics: tuple[str, ...] = ()
    metric_rows: Floats | None = None

    def values(self, values: Floats) -> Floats:
        """Return the objective for values of targets, along the last axis."""
        return np.asarray(values.min(axis=-1) if self.kind == "worst" else values @ self.weights)

    def expected(self, surfaces: Surfaces, pairs: Floats) -> float:
        """Return the mean over the draws of the objective at a mixture."""
        return float(self.values(surfaces.values(pairs)).mean())


def best_mixture(surfaces: Surfaces, objective: Objective, problem: AllocationProblem) -> Solution:
    """Return the mixture of real numbers of pairs that is best for an objective.

    Raises:
        InputError: No mixture within the limits keeps the floors; the message has by how much and in what.
    """
    rows, bounds = _floor_rows(surfaces, objective)
    start = _inner_start(surfaces, objective, problem, rows, bounds)
    goal = _goal(objective, rows, bounds)
    solution = maximise(surfaces, goal, problem, start)
    if objective.near is None or objective.near.points < MIN_CHANGE_POINTS:
        return solution
    near = _near_goal(objective, objective.near, goal, solution, problem)
    closest = maximise(surfaces, near, problem, solution.pairs)
    value = objective.expected(surfaces, closest.pairs)
    return replace(closest, value=value, bound=solution.bound)


def _floor_rows(surfaces: Surfaces, objective: Objective) -> tuple[Floats, Floats]:
    """Return the rows and bounds of the constraints that no language loses."""
    num = len(surfaces.own)
    rows = [np.eye(num) if floor.rows is None else floor.rows for floor in objective.floors]
    bounds = [floor.of(surfaces.means(floor.pairs)) - floor.points - SLACK for floor in objective.floors]
    return np.concatenate([np.empty((0, num)), *rows]), np.concatenate([np.empty(0), *bounds])


def _goal(objective: Objective, rows: Floats, bounds: Floats) -> Goal:
    num = len(objective.weights)
    if objective.kind == "mean":
        return Goal(objective.weights, rows, bounds, np.zeros(len(bounds)))
    return Goal(np.zeros(num), rows, bounds, np.zeros(len(bounds)), expects_worst=True)


def _inner_start(
    surfaces: Surfaces, objective: Objective, problem: AllocationProblem, rows: Floats, bounds: Floats
) -> Floats | None:
    """Return a mixture inside of all floors: the one that keeps them by most."""
    if not len(bounds):
        return None
    goal = Goal(np.zeros(rows.shape[1]), rows, bounds, np.ones(len(bounds)))
    inner = maximise(surfaces, goal, problem, tolerance=SLACK / 10)
    if inner.value <= 0:
        missed = bounds - rows @ surfaces.means(inner.pairs)
        langs = tuple(problem.langs[own] for own in surfaces.own)
        of_rows = [name for floor in objective.floors for name in floor.names or langs]
        where = of_rows[int(np.argmax(missed))]
        names = ", ".join(f"{floor.name} by more than {floor.points:g}" for floor in objective.floors)
        raise InputError(
            f"No mixture of {problem.budget:,.0f} {problem.unit} keeps every language from losing against {names}: the "
            f"one that comes nearest still loses {missed.max():.2f} points too many in {where}. Allow more points, "
            "such as --no-worse-than unimax:1.0, or raise the budget."
        )
    return inner.pairs


def _near_goal(objective: Objective, near: Near, goal: Goal, best: Solution, problem: AllocationProblem) -> Goal:
    """Return the goal of least change among mixtures whose objective is near the best."""
    spent = np.maximum(problem.costs * near.pairs, 1e-6 * problem.budget)
    bound = best.value - near.points
    shares, none = spent / spent.sum(), np.zeros(len(objective.weights))
    if objective.kind == "worst":
        return Goal(none, goal.rows, goal.bounds, goal.in_worst, shares, least_worst=bound)
    rows = np.concatenate([objective.weights[None], goal.rows])
    bounds = np.concatenate([[bound], goal.bounds])
    return Goal(none, rows, bounds, np.zeros(len(bounds)), shares)


def to_whole_pairs(pairs: Floats, surfaces: Surfaces, weights: Floats, problem: AllocationProblem) -> Integers:
    """Return whole pairs that spend the budget: rounded down, and what is left where a pair gains most for its cost.

    In tokens, less than the cost of the cheapest possible pair is left over.
    """
    whole = np.clip(np.floor(pairs + 1e-6), np.ceil(problem.min_pairs), problem.max_pairs).astype(np.int64)
    gain = weights @ surfaces.derivatives(np.maximum(whole, 1.0)).means() / problem.costs
    left = problem.budget - float(problem.costs @ whole)
    for index in np.argsort(-(gain + 1e-9 * (pairs - whole))):
        room = int(problem.max_pairs[index] - whole[index]) if np.isfinite(problem.max_pairs[index]) else len(whole)
        added = max(min(int(left / problem.costs[index] + 1e-9), room), 0)
        whole[index] += added
        left -= added * problem.costs[index]
    return np.asarray(whole)
