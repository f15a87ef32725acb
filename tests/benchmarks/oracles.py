"""Independent ways to split a budget, to compare the exact one with: scaled SLSQP, CVXPY, and a grid of all splits."""

import contextlib
import warnings

import numpy as np
from scipy.optimize import minimize

from recipes.mixing import AllocationProblem, PowerCurves, allocation_problem


def random_problem(rng: np.random.Generator, n: int | None = None) -> tuple[PowerCurves, AllocationProblem]:
    """A problem of 2 to 50 languages with mixed forms, weights, some caps and floors active, some costs not 1."""
    n = n or int(rng.integers(2, 51))
    langs = tuple(f"l{number}" for number in range(n))
    caps = np.floor(rng.lognormal(10, 1.5, n)) + 50
    floors = np.floor(caps * rng.uniform(0, 0.3, n) * (rng.random(n) < 0.3))
    weights = rng.uniform(0.2, 3, n)
    costs = rng.uniform(20, 300, n) if rng.random() < 0.3 else None
    price = np.ones(n) if costs is None else costs
    least, most = float(price @ np.maximum(floors, 1)), float(price @ caps)
    budget = float(np.floor(least + (most - least) * rng.uniform(0.03, 0.97)))
    problem = allocation_problem(langs, budget, num_unique=caps, min_pairs=floors, weights=weights, costs=costs)
    power = rng.random(n) < 0.5
    asymptote = np.where(power, 100.0, rng.uniform(30, 95, n))
    offset = np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(7, 1, n))
    exponent = rng.uniform(0.05, 0.9, n)
    scale = rng.uniform(5, 40, n) * np.exp(rng.normal(9, 1, n)) ** exponent
    return PowerCurves(problem.weights, asymptote, scale, exponent, offset, np.full(n, np.inf)), problem


def objective(curves: PowerCurves, problem: AllocationProblem, pairs: np.ndarray) -> float:
    """The weighted score."""
    return float(problem.weights @ curves.value(np.asarray(pairs, float)))


def feasible(problem: AllocationProblem, pairs: np.ndarray) -> np.ndarray:
    """An oracle's answer made to fit the constraints exactly, so that no violation is counted as a better score."""
    pairs = np.clip(pairs, problem.min_pairs, problem.max_pairs)
    for _ in range(200):
        left = (problem.budget - problem.costs @ pairs) / problem.costs.sum()
        if abs(left) * problem.costs.sum() <= 1e-12 * problem.budget:
            break
        pairs = np.clip(pairs + left, problem.min_pairs, problem.max_pairs)
    return pairs


def slsqp(curves: PowerCurves, problem: AllocationProblem) -> np.ndarray:
    """SciPy's SLSQP on shares of the budget, with gradients; from the middle of the allowed range."""
    scale = problem.budget / problem.costs
    start = problem.min_pairs + (problem.max_pairs - problem.min_pairs) * (
        (problem.budget - problem.costs @ problem.min_pairs) / (problem.costs @ (problem.max_pairs - problem.min_pairs))
    )
    size = max(float(np.abs(curves.gain(start) * scale).max()), 1e-12)
    found = minimize(
        lambda x: -objective(curves, problem, x * scale) / size,
        start / scale,
        jac=lambda x: -curves.gain(x * scale) * scale / size,
        bounds=list(zip(problem.min_pairs / scale, problem.max_pairs / scale, strict=True)),
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": lambda x: np.ones_like(x)},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 400},
    )
    return feasible(problem, found.x * scale)


def convex(curves: PowerCurves, problem: AllocationProblem) -> np.ndarray:
    """CVXPY with Clarabel on the same shares: each law is a power with a negative exponent."""
    import cvxpy as cp

    scale = problem.budget / problem.costs
    for approximated in (False, True):  # power cones; where the solver fails on them, second-order cones
        x = cp.Variable(len(scale))
        gaps = [
            float(problem.weights[n] * curves.scale[n] * scale[n] ** -curves.exponent[n])
            * cp.power(x[n] + curves.offset[n] / scale[n], -float(curves.exponent[n]), approx=approximated)
            for n in range(len(scale))
        ]
        limits = [cp.sum(x) == 1, x >= problem.min_pairs / scale, x <= problem.max_pairs / scale]
        with contextlib.suppress(cp.error.SolverError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cp.Problem(cp.Minimize(cp.sum(gaps)), limits).solve(solver=cp.CLARABEL)
        if x.value is not None:
            break
    return feasible(problem, np.asarray(x.value) * scale)


def grid(curves: PowerCurves, problem: AllocationProblem) -> float:
    """The best weighted score over every split into whole pairs, for two or three languages and a small budget."""
    axes = [np.arange(low, high + 1) for low, high in zip(problem.min_pairs, problem.max_pairs, strict=True)][:-1]
    free = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=-1)
    last = problem.budget - free.sum(axis=1)
    right = (last >= problem.min_pairs[-1]) & (last <= problem.max_pairs[-1])
    splits = np.column_stack([free, last])[right]
    return float((curves.value(splits) @ problem.weights).max())
