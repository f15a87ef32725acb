"""Which runs to make next: those that lessen expected regret, D-optimal ones, or random ones, in simulated worlds.

    python tests/benchmarks/designs.py [--worlds 200] [--spend 600000]

A world is six languages with the laws that Table 4 of arXiv 2308.04948 implies; two runs each at 5,000 and at 20,000
pairs are there, noise 0.3 points. Each rule spends the same number of pairs on further runs (of 5,000 to 200,000 and,
for the run itself, 20,000), one by one, refitting after each; then 1.2 million pairs are split. Prints the regret that
is left, measured.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from intervals import CAPS, EXPONENT, LANGS, NOISE, SCALE, drawn, truth
from tabulate import tabulate

from recipes.mixing import (
    OVERHEAD_PAIRS,
    AllocationProblem,
    allocate_integers,
    allocation_problem,
    candidate_sizes,
    law_curves,
    mean_value,
    next_runs,
    optimum,
)
from recipes.scaling import Point, ScalingLaw, fit_form

FIRST = (5_000, 5_000, 20_000, 20_000)
LARGEST = 200_000.0
RULES = ("none", "random", "d-optimal", "regret")
Points = dict[str, list[Point]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--spend", type=float, default=600_000)
    asked = parser.parse_args()
    problem = allocation_problem(LANGS, 1_200_000, num_unique=CAPS)
    curves = law_curves([ScalingLaw(lang, 100.0, SCALE[n], EXPONENT[n]) for n, lang in enumerate(LANGS)], problem)
    best = float(mean_value(curves, problem, allocate_integers(curves, problem).astype(float)))
    rows = []
    for rule in RULES:
        lost, runs = [], []
        for world in range(asked.worlds):
            points, made = spent(drawn(np.random.default_rng(world), FIRST), rule, asked.spend, world, problem)
            laws = list(fit_form(points, "power", 100.0).values())
            lost.append(best - float(mean_value(curves, problem, optimum(laws, problem).seen)))
            runs.append(made)
        rows.append((rule, f"{np.mean(lost):.5f}", f"{np.quantile(lost, 0.9):.5f}", f"{np.mean(runs):.1f}"))
    none = float(rows[0][1])
    rows = [(*row, f"{float(row[1]) / none:.2f}") for row in rows]
    print(f"{asked.worlds} worlds, {asked.spend:,.0f} pairs spent on further runs")
    print(tabulate(rows, ["rule", "regret", "90th percentile", "runs", "of none"], disable_numparse=True))


def spent(points: Points, rule: str, budget: float, world: int, problem: AllocationProblem) -> tuple[Points, int]:
    """The points with further runs chosen by a rule until no run can be paid, and how many those are."""
    rng, made = np.random.default_rng(10_000 + world), 0
    points = {lang: list(own) for lang, own in points.items()}
    while rule != "none" and budget >= FIRST[0] + OVERHEAD_PAIRS:
        laws = list(fit_form(points, "power", 100.0).values())
        reach = min(LARGEST, budget - OVERHEAD_PAIRS)
        if rule == "random":
            place = int(rng.integers(len(LANGS)))
            size = int(rng.choice(candidate_sizes(laws, problem, reach)[place]))
        elif rule == "d-optimal":
            place, size = d_optimal(laws, candidate_sizes(laws, problem, reach))
        else:
            (run,) = next_runs(laws, problem, 1, 0.0, reach)
            place, size = LANGS.index(run.lang), run.size
        points[LANGS[place]].append(Point(size, truth(place, size) + rng.normal(0, NOISE)))
        budget, made = budget - size - OVERHEAD_PAIRS, made + 1
    return points, made


def d_optimal(laws: Sequence[ScalingLaw], sizes: Sequence[Sequence[int]]) -> tuple[int, int]:
    """The language and size that says most about the laws' parameters for its cost."""

    def gain(place: int, size: int) -> float:
        signal = laws[place].predict_samples(float(size)).var(ddof=1) / ((laws[place].noise or 0.0) ** 2 + 1e-18)
        return float(np.log1p(signal)) / (size + OVERHEAD_PAIRS)

    return max(((place, size) for place, own in enumerate(sizes) for size in own), key=lambda option: gain(*option))


if __name__ == "__main__":
    main()
