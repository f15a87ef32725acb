"""Worlds whose laws are known, and what SLSQP finds best in them."""

from typing import Any

import numpy as np

from recipes.mixing import AllocationProblem, allocation_problem
from recipes.scaling import Floats
from recipes.transfer import Objective, Surfaces


def world(
    seed: int, num_langs: int = 6, num_draws: int = 1, budget: float = 6000.0
) -> tuple[Surfaces, AllocationProblem]:
    """Return random laws with transfer, and a problem whose maximums bind for some languages."""
    rng = np.random.default_rng(seed)
    shape = (num_draws, num_langs)
    donors = np.exp(rng.normal(0, 0.6, (num_draws, num_langs, num_langs)))
    donors[:, np.arange(num_langs), np.arange(num_langs)] = 1
    high = np.maximum(budget * np.exp(rng.normal(np.log(2.1 / num_langs), 0.7, num_langs)), budget * 0.36 / num_langs)
    high *= max(1.0, 1.3 * budget / high.sum())
    surfaces = Surfaces(
        own=np.arange(num_langs),
        unit=np.full(num_langs, budget / 6),
        level=rng.normal(30, 6, shape),
        slope=np.exp(rng.normal(np.log(5), 0.35, shape)),
        curvature=np.clip(rng.normal(-0.1, 0.25, shape), -0.8, 0.6),
        offset=np.exp(rng.normal(np.log(0.1), 0.7, shape)),
        transfer=rng.uniform(0.05, 0.4, shape),
        substitution=rng.uniform(0.1, 1, shape),
        donors=donors,
        num_unique=np.full(num_langs, np.inf),
    )
    langs = [f"l{n}" for n in range(num_langs)]
    return surfaces, allocation_problem(langs, budget, max_pairs=high)


def slsqp(surfaces: Surfaces, problem: AllocationProblem, objective: Objective, start: Floats) -> float:
    """Return the best value that SciPy's SLSQP finds from a start."""
    from scipy.optimize import minimize

    n, unit = len(problem.langs), problem.budget / len(problem.langs)
    most = np.minimum(problem.max_pairs, problem.budget)
    bounds: list[Any] = [(a / unit, b / unit) for a, b in zip(problem.min_pairs, most, strict=True)]
    is_worst = objective.kind == "worst"
    draws = len(surfaces.level) * is_worst  # a further variable for the worst value of each draw
    first = np.append(start / unit, surfaces.values(start).min(axis=1)[:draws] - 0.1)

    def value(y: Floats) -> float:
        return -float(y[n:].mean() if is_worst else objective.weights @ surfaces.means(y * unit))

    def slope(y: Floats) -> Floats:
        if is_worst:
            return np.append(np.zeros(n), np.full(draws, -1.0 / draws))
        return -objective.weights @ surfaces.derivatives(y * unit).gradient.mean(axis=0) * unit

    spent = {"type": "eq", "fun": lambda y: y[:n].sum() - n}
    above = {"type": "ineq", "fun": lambda y: (surfaces.values(y[:n] * unit) - y[n:, None]).ravel()}
    options = {"maxiter": 500, "ftol": 1e-12}
    limits = bounds + [(None, None)] * draws
    rules = [spent, above] if is_worst else [spent]
    found = minimize(value, first, jac=slope, bounds=limits, constraints=rules, method="SLSQP", options=options)
    return objective.expected(surfaces, found.x[:n] * unit)
