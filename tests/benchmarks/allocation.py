"""The exact split against scaled SLSQP, CVXPY and a grid on random problems; its speed; and Table 4 of the paper.

    python tests/benchmarks/allocation.py [--problems 1000]

Prints by how much, relative to the score, the best oracle is ever above the exact split (never, but for rounding), how
often each oracle is below it, and milliseconds for 6 and 1,000 languages on one thread.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from oracles import convex, grid, objective, random_problem, slsqp
from tabulate import tabulate

from recipes.mixing import PowerCurves, allocate_integers, allocation_problem, waterfill

TABLE4 = {  # A, alpha, available pairs, and Table 4's two rows
    "ar": (60.5567, 0.110000, 1_097_200, 41_842, 183_539),
    "el": (71.1641, 0.140436, 620_800, 44_953, 189_556),
    "hi": (128.9166, 0.15, 234_233, 73_002, 234_233),
    "tr": (112.9395, 0.171009, 477_700, 59_652, 242_263),
    "vi": (60.1153, 0.121466, 1_073_800, 40_731, 175_985),
    "zh": (57.3984, 0.110990, 912_500, 39_816, 174_422),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=1000)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    print(table4(), compared(asked.problems), by_grid(asked.problems // 10), speed(), sep="\n\n")


def table4() -> str:
    """Both rows, from the laws that Table 4 implies."""
    scale, exponent, available, *rows = (np.array(column, float) for column in zip(*TABLE4.values(), strict=True))
    told = []
    for budget, row in zip((300_000, 1_200_000), rows, strict=True):
        problem = allocation_problem(tuple(TABLE4), budget, num_unique=available)
        found = allocate_integers(
            PowerCurves(problem.weights, np.full(6, 100.0), scale, exponent, np.zeros(6), np.full(6, np.inf)), problem
        )
        told.append((f"{budget:,}", *found, f"{np.abs(found - row).max():.0f}", f"{found.sum() - budget}"))
    return tabulate(told, ["budget", *TABLE4, "furthest off", "unspent"])


def compared(problems: int) -> str:
    """How far the exact split is from each oracle, over random problems of 2 to 50 languages."""
    rng, gaps, sums, capped = np.random.default_rng(0), {"slsqp": [], "cvxpy": []}, [], 0
    for _ in range(problems):
        curves, problem = random_problem(rng)
        found = waterfill(curves, problem)
        assert np.all(found >= problem.min_pairs)
        assert np.all(found <= problem.max_pairs)
        sums.append(abs(problem.costs @ found - problem.budget) / problem.budget)
        capped += int(np.any((found == problem.max_pairs) | (found == problem.min_pairs)))
        best = objective(curves, problem, found)
        for name, oracle in (("slsqp", slsqp), ("cvxpy", convex)):
            try:
                gaps[name].append((objective(curves, problem, oracle(curves, problem)) - best) / abs(best))
            except Exception:  # an oracle that gives up is no oracle
                gaps[name].append(-np.inf)
    rows = [
        (name, f"{max(found):.1e}", f"{np.mean(np.array(found) < -1e-9):.0%}", f"{np.sum(np.isinf(found))}")
        for name, found in gaps.items()
    ]
    head = f"{problems} problems, {capped} with an active cap or floor; budget missed by at most {max(sums):.1e} of it"
    return f"{head}\n" + tabulate(rows, ["oracle", "most above the exact split", "below it (1e-9)", "gave up"])


def by_grid(problems: int) -> str:
    """Whole pairs against every split of two or three languages."""
    rng, worst = np.random.default_rng(1), -np.inf
    for number in range(problems):
        n = 2 + number % 2
        curves, _ = random_problem(rng, n)
        cap = rng.integers(20, 150, n).astype(float)
        problem = allocation_problem(
            [f"l{i}" for i in range(n)], int(cap.sum() * rng.uniform(0.3, 0.9)), num_unique=cap
        )
        found = allocate_integers(curves, problem)
        assert found.sum() == problem.budget
        own = PowerCurves(
            problem.weights, curves.asymptote, curves.scale, curves.exponent, curves.offset, curves.num_unique
        )
        found, best = allocate_integers(own, problem), grid(own, problem)
        worst = max(worst, (best - objective(own, problem, found)) / abs(best))
    return f"{problems} grids of 2 and 3 languages: whole pairs are at most {worst:.1e} below the best of all splits"


def speed() -> str:
    """Milliseconds, the least of ten, for the real solution and for whole pairs."""
    rows = []
    for n in (6, 100, 1000):
        rng = np.random.default_rng(2)
        cap = np.floor(rng.lognormal(10, 2, n) + 100)
        problem = allocation_problem([str(i) for i in range(n)], float(np.floor(cap.sum() * 0.3)), num_unique=cap)
        curves = PowerCurves(
            problem.weights, np.full(n, 100.0), rng.uniform(40, 120, n), rng.uniform(0.08, 0.3, n), np.zeros(n),
            np.full(n, np.inf),
        )  # fmt: skip
        rows.append((n, *(f"{least(partial(solve, curves, problem)):.2f}" for solve in (waterfill, allocate_integers))))
    return tabulate(rows, ["languages", "real, ms", "whole pairs, ms"], disable_numparse=True)


def least(work: Callable[[], object]) -> float:
    """The least of ten times, in milliseconds."""
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begun))
    return min(times)


if __name__ == "__main__":
    main()
