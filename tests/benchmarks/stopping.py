"""Whether `plan` stops when further runs no longer pay, in simulated worlds with known laws.

    python -m tests.benchmarks.stopping [--worlds 4] [--runs 8] [--objective mean|worst] [--truth linear|cobb-douglas]

A world begins with 8 noisy runs of a thirty-second and a sixteenth of the budget. Then the run that `plan` proposes
first is made, its noisy values are added and the laws are fitted again, whatever `plan` says about stopping. After each
run the loss is the true regret of the laws' optimum, and what the pairs of all further runs would have added in truth
if they had been trained on. A stop is good if its loss is near the least, and below that of no further run and of all.
"""

import argparse

import numpy as np
from tabulate import tabulate

from recipes.mixing import allocation_problem, baseline
from recipes.scaling import Floats
from recipes.transfer import (
    Objective,
    Runs,
    allocate_by_transfer,
    design_mixtures,
    fit_transfer,
    law_surfaces,
    next_mixtures,
)
from tests.benchmarks.transfer import BUDGET, LANGS, NOISE, World, make_world, true_best

NUM_FIRST, FIRST_SHARES = 4, (1 / 32, 1 / 16)  # mixtures at each of two parts of the budget


def first_runs(world: World, rng: np.random.Generator, seed: int) -> Runs:
    """Return the runs that a world begins with."""
    available = dict(zip(LANGS, world.most.astype(int).tolist(), strict=True))
    design = design_mixtures(available, [int(BUDGET * share) for share in FIRST_SHARES], NUM_FIRST, seed)
    pairs = np.array([list(mixture.values()) for mixture in design], float)
    return with_runs(None, pairs, world, rng)


def with_runs(runs: Runs | None, pairs: Floats, world: World, rng: np.random.Generator) -> Runs:
    """Return runs with those on further mixtures, evaluated in the languages that they hold."""
    values = np.where(pairs > 0, world.values(pairs) + rng.normal(0, NOISE, pairs.shape), np.nan)
    if runs:
        pairs, values = np.vstack([runs.pairs, pairs]), np.vstack([runs.values, values])
    return Runs(tuple(map(str, range(len(pairs)))), LANGS, LANGS, pairs, values, tuple(range(len(pairs))))


def simulate(seed: int, truth: str, kind: str, num_runs: int, overhead: float) -> tuple[Floats, int]:
    """Return the loss after each number of further runs, and after how many `plan` stops."""
    world, rng = make_world(seed, truth)
    problem = allocation_problem(LANGS, BUDGET, num_unique=world.most)
    objective = Objective(kind, problem.weights)
    unimax = baseline("unimax", problem).seen
    runs, spent, losses, stop = first_runs(world, rng, seed), 0.0, [], num_runs
    best = true_best(world, objective, [unimax, world.most * BUDGET / world.most.sum()])
    for number in range(num_runs + 1):
        laws = fit_transfer(runs, form="donors")
        draws = law_surfaces(laws, problem)
        optimum = allocate_by_transfer(draws, objective, problem).optimum.seen
        best = max(best, true_best(world, objective, [optimum]))
        noise = np.array([law.noise for law in laws.laws.values()])
        plan = next_mixtures(draws, noise, objective, problem, 2, 0.0, overhead)
        if len(plan.runs) == 1:
            stop = min(stop, number)
            plan = next_mixtures(draws, noise, objective, problem, 2, 0.0, overhead, may_stop=False)
        more = np.minimum(unimax * (1 + spent / BUDGET), world.most)
        worth = np.diff([float(objective.values(world.values(p[None])[0])) for p in (unimax, more)])[0]
        true = float(objective.values(world.values(optimum[None])[0]))
        losses.append(best - true + worth)
        pairs = np.array([[plan.runs[0].pairs.get(lang, 0) for lang in LANGS]], float)
        spent += float(pairs.sum()) + overhead
        runs = with_runs(runs, pairs, world, rng)
        next_run = plan.runs[0]
        print(
            f"  {number} runs: regret {best - true:.3f} (expected {next_run.regret_before:.3f}), pairs worth "
            f"{worth:.3f}; next: cost {next_run.cost:,.0f}, gain {next_run.regret_before - next_run.regret_after:.3f}",
            flush=True,
        )
    return np.array(losses), stop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=4)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--objective", choices=("mean", "worst"), default="mean")
    parser.add_argument("--truth", choices=("linear", "cobb-douglas"), default="linear")
    parser.add_argument("--overhead", type=float, default=0.0, help="what a run costs beside its pairs, in pairs")
    options = parser.parse_args()
    rows = []
    for seed in range(options.worlds):
        losses, stop = simulate(seed, options.truth, options.objective, options.runs, options.overhead)
        rows.append([seed, stop, losses[stop], losses.min(), int(losses.argmin()), losses[0], losses[-1]])
        print(rows[-1], flush=True)
    mean = np.mean([row[1:] for row in rows], axis=0)
    heads = [options.objective, "stops after", "loss there", "least loss", "after", "without runs", "after all"]
    print(tabulate([*rows, ["mean", *mean]], heads, floatfmt=".3f"))


if __name__ == "__main__":
    main()
