"""Laws with transfer in simulated worlds with known laws: regret, coverage, and the regret of plain mixtures.

    python tests/benchmarks/transfer.py [--worlds 30] [--truth linear|cobb-douglas]

A world has 6 languages and 20 noisy runs at a quarter and a half of the budget. In `linear` other pairs count for own
ones with unequal weights; in `cobb-douglas` values depend on own pairs and on all pairs as complements.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from tabulate import tabulate

from recipes.mixing import AllocationProblem, allocation_problem, baseline
from recipes.scaling import Floats
from recipes.transfer import Objective, Runs, allocate_by_transfer, design_mixtures, fit_transfer, law_surfaces
from recipes.transfer.surfaces import box_cox

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
BUDGET, NOISE, NUM_MIXTURES = 6000.0, 0.4, 10


@dataclass(frozen=True)
class World:
    """The true laws of a world, and the most pairs of each language."""

    truth: str
    donors: Floats
    curvature: Floats
    slope: Floats
    level: Floats
    offset: Floats
    share: Floats
    most: Floats

    def values(self, pairs: Floats) -> Floats:
        """Return the true values of mixtures, rows of pairs."""
        if self.truth == "linear":
            z = (pairs @ self.donors.T + self.offset) / 1000
        else:
            z = ((pairs + 30) / 1000) ** self.share * (pairs.sum(axis=1, keepdims=True) / 1000) ** (1 - self.share)
        return np.asarray(self.level + self.slope * box_cox(z, self.curvature))


def make_world(seed: int, truth: str) -> tuple[World, np.random.Generator]:
    """Return a random world."""
    rng, n = np.random.default_rng(seed), len(LANGS)
    donors = np.exp(rng.normal(np.log(0.2), 0.5, n))[:, None] * np.exp(rng.normal(0, 0.6, (n, n)))
    np.fill_diagonal(donors, 1)
    curvature = np.clip(rng.normal(-0.1, 0.25, n), -0.8, 0.6)
    slope, level = np.exp(rng.normal(np.log(5), 0.35, n)), rng.normal(30, 6, n)
    offset = np.exp(rng.normal(np.log(100), 0.7, n))
    most = np.maximum(BUDGET * np.exp(rng.normal(np.log(0.35), 0.7, n)), BUDGET * 0.06)
    most *= max(1.0, 1.3 * BUDGET / most.sum())
    return World(truth, donors, curvature, slope, level, offset, rng.uniform(0.3, 0.7, n), np.floor(most)), rng


def observe(world: World, rng: np.random.Generator, seed: int) -> Runs:
    """Return the runs of a design."""
    available = dict(zip(LANGS, world.most.astype(int).tolist(), strict=True))
    design = design_mixtures(available, [int(BUDGET / 4), int(BUDGET / 2)], NUM_MIXTURES, seed)
    pairs = np.array([list(mixture.values()) for mixture in design], float)
    values = world.values(pairs) + rng.normal(0, NOISE, pairs.shape)
    return Runs(tuple(map(str, range(len(pairs)))), LANGS, LANGS, pairs, values, (0,) * len(pairs))


def true_best(world: World, objective: Objective, starts: list[Floats]) -> float:
    """Return the best value in a world, by SLSQP from several starts."""
    n, unit = len(LANGS), BUDGET / len(LANGS)
    bounds = [(1 / unit, most / unit) for most in world.most]
    spent = {"type": "eq", "fun": lambda y: y[:n].sum() - n}
    best = -np.inf
    for start in starts:
        if objective.kind == "worst":
            above = {"type": "ineq", "fun": lambda y: world.values(y[None, :n] * unit)[0] - y[n]}
            first = np.append(start / unit, world.values(start[None])[0].min())
            found = minimize(lambda y: -y[n], first, bounds=[*bounds, (None, None)], constraints=[spent, above])
        else:
            found = minimize(
                lambda y: -float(objective.values(world.values(y[None] * unit)[0])),
                start / unit,
                bounds=bounds,
                constraints=[spent],
            )
        if abs(found.x[:n].sum() - n) < 1e-6:
            best = max(best, float(objective.values(world.values(found.x[None, :n] * unit)[0])))
    return best


def ridge(runs: Runs, problem: AllocationProblem, objective: Objective, rng: np.random.Generator) -> Floats:
    """Return the mixture that a ridge regression on shares, their logarithms and the size finds best."""

    def features(pairs: Floats) -> Floats:
        total = pairs.sum(axis=1, keepdims=True)
        return np.hstack([pairs / total, np.log(pairs / total + 0.01), np.log(total)])

    x = features(runs.pairs)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    x = (x - mean) / spread
    weights = np.linalg.solve(x.T @ x + 0.3 * np.eye(x.shape[1]), x.T @ (runs.values - runs.values.mean(axis=0)))
    available = dict(zip(LANGS, problem.max_pairs.astype(int).tolist(), strict=True))
    candidates = np.array(
        [list(m.values()) for m in design_mixtures(available, [int(BUDGET)], 1024, int(rng.integers(99)))], float
    )
    predicted = runs.values.mean(axis=0) + (features(candidates) - mean) / spread @ weights
    return np.asarray(candidates[int(np.argmax(objective.values(predicted)))])


def simulate(seed: int, truth: str) -> dict[str, float]:
    """Return what became of one world."""
    world, rng = make_world(seed, truth)
    runs = observe(world, rng, seed)
    laws = fit_transfer(runs)
    problem = allocation_problem(LANGS, BUDGET, num_unique=world.most)
    draws = law_surfaces(laws, problem)
    unimax = baseline("unimax", problem).seen
    row: dict[str, float] = {"seed": seed, "form": ("separable", "shared", "donors").index(laws.form)}
    for kind in ("mean", "worst"):
        objective = Objective(kind, problem.weights)
        allocation = allocate_by_transfer(draws, objective, problem)
        optimum = allocation.optimum.seen
        best = true_best(world, objective, [optimum, unimax, world.most * BUDGET / world.most.sum()])
        chosen = {"optimum": optimum, "recommended": allocation.recommended.mixture.seen, "unimax": unimax}
        chosen["ridge"] = ridge(runs, problem, objective, rng)
        for name, pairs in chosen.items():
            row[f"{kind}, {name}"] = best - float(objective.values(world.values(pairs[None])[0]))
        row[f"{kind}, expected"] = allocation.compared[0].regret
    design = design_mixtures(dict(zip(LANGS, world.most.astype(int).tolist(), strict=True)), [int(BUDGET)], 16, 999)
    probes = np.array([unimax, *[list(m.values()) for m in design]], float)
    low, high = laws.interval(probes)
    true = world.values(probes)
    row["covered"] = float(((low <= true) & (true <= high)).mean())
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--truth", choices=("linear", "cobb-douglas"), default="linear")
    options = parser.parse_args()
    rows = []
    for seed in range(options.first, options.first + options.worlds):
        began = time.process_time()
        rows.append(simulate(seed, options.truth))
        print({k: round(v, 3) for k, v in rows[-1].items()}, f"{time.process_time() - began:.1f} s", flush=True)
    names = [name for name in rows[0] if name != "seed"]
    print(
        tabulate(
            [[name, np.mean([row[name] for row in rows])] for name in names], [options.truth, "mean"], floatfmt=".3f"
        )
    )


if __name__ == "__main__":
    main()
