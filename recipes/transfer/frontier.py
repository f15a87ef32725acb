"""What optima gain over plain mixtures by budget and objective, and the surface of a law over two languages."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corpora.errors import InputError
from recipes.mixing import AllocationProblem, Mixture, baseline, central_interval
from recipes.transfer.comparison import BY_WEIGHT, NUM_DRAWS, by_weight, first_draws
from recipes.transfer.law import TransferLaws
from recipes.transfer.objective import Objective, best_mixture
from recipes.transfer.surfaces import Surfaces

NUM_BUDGETS = 9
BUDGET_FACTOR = 4.0
SURFACE_POINTS = 40


def objective_gains(
    draws: Surfaces, problem: AllocationProblem, objectives: Sequence[Objective], metric: str
) -> dict[str, Any]:
    """Return by how much the optimum of each objective is ahead of plain mixtures, over budgets around the problem's.

    Floors and nearest mixtures are left out: they are of one budget.
    """
    least, most = float(problem.costs @ problem.min_pairs), float(problem.costs @ problem.max_pairs)
    low, high = max(problem.budget / BUDGET_FACTOR, 2 * least), min(problem.budget * BUDGET_FACTOR, most)
    budgets = np.floor(np.geomspace(min(low, problem.budget), max(high, problem.budget), NUM_BUDGETS))
    problems = [replace(problem, budget=float(budget)) for budget in budgets]
    rows = []
    for objective in objectives:
        free = replace(objective, floors=(), near=None)
        is_weighted = _is_weighted(free, len(problem.langs))
        name = "worst language" if free.kind == "worst" else "mean, weighted" if is_weighted else "mean"
        names = ["unimax", *([BY_WEIGHT] if is_weighted else [])]
        rows.append({"name": name, "gains": {n: [_gain(draws, free, p, n) for p in problems] for n in names}})
    return {"unit": problem.unit, "metric": metric or "the value", "budgets": budgets.tolist(), "objectives": rows}


def _is_weighted(objective: Objective, num_langs: int) -> bool:
    """Return whether languages count differently; metrics may."""
    by_metric = objective.weights.reshape(-1, num_langs)
    return objective.kind == "mean" and bool(np.ptp(by_metric, axis=1).max() > 1e-12)


def _gain(draws: Surfaces, objective: Objective, problem: AllocationProblem, name: str) -> list[float]:
    """Return the mean gain of the optimum over a plain mixture, and its interval."""
    best = best_mixture(first_draws(draws, NUM_DRAWS), objective, problem).pairs
    plain = by_weight(problem) if name == BY_WEIGHT else baseline(name, problem)
    gains = objective.values(draws.values(best)) - objective.values(draws.values(plain.seen))
    return [float(gains.mean()), *central_interval(gains)]


def surface_table(laws: TransferLaws, lang: str, other: str, mixture: Mixture | None = None) -> dict[str, Any]:
    """Return a law's values over the pairs of its language and of another, with all others as in the mean run.

    Raises:
        InputError: A language has no law, or both are the same.
    """
    laws.check([lang])
    if other not in laws.donors or other == lang:
        others = ", ".join(donor for donor in laws.donors if donor != lang)
        raise InputError(f"The law of {lang} has a surface over {lang} and another of {others}, not '{other}'.")
    own, second = laws.donors.index(lang), laws.donors.index(other)
    runs, values = laws.runs
    grid = [np.linspace(runs[:, n].max() / 200, runs[:, n].max(), SURFACE_POINTS) for n in (own, second)]
    rows = np.tile(runs.mean(axis=0), (SURFACE_POINTS**2, 1))
    rows[:, second], rows[:, own] = (axis.ravel() for axis in np.meshgrid(grid[1], grid[0], indexing="ij"))
    column = sorted({*laws.laws, *laws.not_fitted}).index(lang)
    measured = [[float(r[own]), float(r[second]), float(v[column])] for r, v in zip(runs, values, strict=True)]
    chosen = None if mixture is None else [float(mixture.pairs[mixture.langs.index(name)]) for name in (lang, other)]
    shape = (SURFACE_POINTS, SURFACE_POINTS)
    surface = np.reshape(laws.laws[lang].predict(rows), shape)
    table = {"pairs": grid[0].tolist(), "other_pairs": grid[1].tolist(), "values": surface.tolist()}
    return table | {"lang": lang, "other": other, "metric": laws.metric or "value", "runs": measured, "chosen": chosen}
