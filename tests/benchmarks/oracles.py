"""Independent ways to split a budget, to compare the exact one with: scaled SLSQP, CVXPY, and a grid of all splits."""

import contextlib
import warnings

import cvxpy as cp
import numpy as np
from scipy.optimize import minimize

from recipes.mixing.allocation import Problem, problem
from recipes.mixing.curves import PowerCurves


def random_problem(rng: np.random.Generator, n: int | None = None) -> tuple[PowerCurves, Problem]:
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
    given = problem(langs, budget, unique=caps, floors=floors, weights=weights, costs=costs)
    power = rng.random(n) < 0.5
    ceiling = np.where(power, 100.0, rng.uniform(30, 95, n))
    start = np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(7, 1, n))
    beta = -rng.uniform(0.05, 0.9, n)
    k = rng.uniform(5, 40, n) * np.exp(rng.normal(9, 1, n)) ** -beta
    return PowerCurves(given.weight, ceiling, k, beta, start, np.full(n, np.inf)), given


def objective(curves: PowerCurves, given: Problem, pairs: np.ndarray) -> float:
    """The weighted score."""
    return float(given.weight @ curves.score(np.asarray(pairs, float)))


def feasible(given: Problem, pairs: np.ndarray) -> np.ndarray:
    """An oracle's answer made to fit the constraints exactly, so that no violation is counted as a better score."""
    pairs = np.clip(pairs, given.floor, given.cap)
    for _ in range(200):
        left = (given.budget - given.cost @ pairs) / given.cost.sum()
        if abs(left) * given.cost.sum() <= 1e-12 * given.budget:
            break
        pairs = np.clip(pairs + left, given.floor, given.cap)
    return pairs


def slsqp(curves: PowerCurves, given: Problem) -> np.ndarray:
    """SciPy's SLSQP on shares of the budget, with gradients; from the middle of the allowed range."""
    scale = given.budget / given.cost
    start = given.floor + (given.cap - given.floor) * (
        (given.budget - given.cost @ given.floor) / (given.cost @ (given.cap - given.floor))
    )
    size = max(float(np.abs(curves.gain(start) * scale).max()), 1e-12)
    found = minimize(
        lambda x: -objective(curves, given, x * scale) / size,
        start / scale,
        jac=lambda x: -curves.gain(x * scale) * scale / size,
        bounds=list(zip(given.floor / scale, given.cap / scale, strict=True)),
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": lambda x: np.ones_like(x)},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 400},
    )
    return feasible(given, found.x * scale)


def convex(curves: PowerCurves, given: Problem) -> np.ndarray:
    """CVXPY with Clarabel on the same shares: each law is a power with a negative exponent."""
    scale = given.budget / given.cost
    for approximated in (False, True):  # power cones; where the solver fails on them, second-order cones
        x = cp.Variable(len(scale))
        gaps = [
            float(given.weight[n] * curves.k[n] * scale[n] ** curves.beta[n])
            * cp.power(x[n] + curves.start[n] / scale[n], float(curves.beta[n]), approx=approximated)
            for n in range(len(scale))
        ]
        limits = [cp.sum(x) == 1, x >= given.floor / scale, x <= given.cap / scale]
        with contextlib.suppress(cp.error.SolverError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cp.Problem(cp.Minimize(cp.sum(gaps)), limits).solve(solver=cp.CLARABEL)
        if x.value is not None:
            break
    return feasible(given, np.asarray(x.value) * scale)


def grid(curves: PowerCurves, given: Problem) -> float:
    """The best weighted score over every split into whole pairs, for two or three languages and a small budget."""
    axes = [np.arange(low, high + 1) for low, high in zip(given.floor, given.cap, strict=True)][:-1]
    free = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=-1)
    last = given.budget - free.sum(axis=1)
    right = (last >= given.floor[-1]) & (last <= given.cap[-1])
    splits = np.column_stack([free, last])[right]
    return float((curves.score(splits) @ given.weight).max())
