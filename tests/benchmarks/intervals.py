"""How often 90 % intervals cover the truth, and whether expected regret is what happens, over 500 simulated worlds.

    python tests/benchmarks/intervals.py [--worlds 500]

A world is six languages with the laws that Table 4 of arXiv 2308.04948 implies, scores with noise of 0.3 points. Prints
coverage by design, form and what is covered; then, for a budget of 1.2 million pairs, what regret the laws promise and
what the split really lost, beside the regret of the usual mixtures.
"""

import argparse

import numpy as np
from tabulate import tabulate

from recipes.mixing import (
    allocate_integers,
    allocation_problem,
    baseline,
    estimate_regret,
    law_curves,
    mean_value,
    optimum,
)
from recipes.scaling import Point, ScalingLaw, fit_form, fit_points

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
SCALE = np.array([60.5567, 71.1641, 128.9166, 112.9395, 60.1153, 57.3984])
EXPONENT = np.array([0.110000, 0.140436, 0.15, 0.171009, 0.121466, 0.110990])
CAPS = np.array([1_097_200, 620_800, 234_233, 477_700, 1_073_800, 912_500], float)
NOISE = 0.3
DESIGNS = {
    "5 sizes to 1M": (10_000, 30_000, 100_000, 300_000, 1_000_000),
    "5 sizes to 200k": (5_000, 10_000, 20_000, 50_000, 200_000),
    "2 sizes, 2 runs each": (5_000, 5_000, 20_000, 20_000),
    "9 sizes": tuple(int(x) for x in np.geomspace(2_000, 1_000_000, 9)),
}
FREE = {"asymptote": 88.0, "scale": 450.0, "exponent": 0.35}  # a world with another asymptote


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=500)
    asked = parser.parse_args()
    print(coverage(asked.worlds), regret(asked.worlds), sep="\n\n")


def drawn(rng: np.random.Generator, sizes: tuple[int, ...], free: bool = False) -> dict[str, list[Point]]:
    """The scores of one world."""
    return {
        lang: [Point(x, float(truth(place, x, free)) + rng.normal(0, NOISE)) for x in sizes]
        for place, lang in enumerate(LANGS)
    }


def truth(place: int, size: float, free: bool = False) -> float:
    """The score that a language's law gives; with `free`, one with another asymptote for all."""
    if free:
        return float(FREE["asymptote"] - FREE["scale"] * (1 + 0.1 * place) * size ** -FREE["exponent"])
    return float(100 - SCALE[place] * size ** -EXPONENT[place])


def coverage(worlds: int) -> str:
    """The share of 90 % intervals that hold the truth: of the exponent, and of values within and beyond the sizes."""
    rows = []
    for name, sizes in DESIGNS.items():
        for form in ("power", "chosen"):
            rows.append((name, "power law", form, *covered(worlds, sizes, form, False)))
    rows.append(("9 sizes", "free asymptote", "saturating", *covered(worlds, DESIGNS["9 sizes"], "saturating", True)))
    rows.append(("9 sizes", "free asymptote", "chosen", *covered(worlds, DESIGNS["9 sizes"], "chosen", True)))
    heads = ["design", "truth", "form", "exponent", "S(50k)", "S(largest)", "S(3 x largest)"]
    return f"{worlds} worlds of 6 languages; 90 % intervals cover the truth\n" + tabulate(rows, heads)


def covered(worlds: int, sizes: tuple[int, ...], form: str, free: bool) -> list[str]:
    """The four shares of one row."""
    rng, found = np.random.default_rng(0), []
    pairs = np.array([50_000.0, max(sizes), 3.0 * max(sizes)])
    for _ in range(worlds):
        points = drawn(rng, sizes, free)
        laws = fit_points(points).laws if form == "chosen" else fit_form(points, form, 100.0)
        for place, lang in enumerate(LANGS):
            low, high = laws[lang].interval(pairs)
            true = np.array([truth(place, x, free) for x in pairs])
            ends = laws[lang].parameter_interval("exponent")
            exponent = FREE["exponent"] if free else EXPONENT[place]
            found.append([ends[0] <= exponent <= ends[1], *((low <= true) & (true <= high))])
    return [f"{share:.1%}" for share in np.mean(found, axis=0)]


def regret(worlds: int) -> str:
    """Points promised and lost for 1.2 million pairs, by design, beside what the usual mixtures lose."""
    problem = allocation_problem(LANGS, 1_200_000, num_unique=CAPS)
    true = [ScalingLaw(lang, 100.0, SCALE[n], EXPONENT[n]) for n, lang in enumerate(LANGS)]
    curves = law_curves(true, problem)
    best = float(mean_value(curves, problem, allocate_integers(curves, problem).astype(float)))
    rows = []
    for name, sizes in DESIGNS.items():
        rng, promised, lost = np.random.default_rng(1), [], []
        for _ in range(worlds):
            laws = list(fit_form(drawn(rng, sizes), "power", 100.0).values())
            chosen = optimum(laws, problem)
            estimate = estimate_regret(laws, problem, chosen)
            assert estimate
            promised.append((estimate.approximation, estimate.expected, estimate.quantile_95))
            lost.append(best - float(mean_value(curves, problem, chosen.seen)))
        formula, simulated, high = np.mean(promised, axis=0)
        below = np.mean(np.array(lost) <= [p[2] for p in promised])
        rows.append((name, f"{formula:.4f}", f"{simulated:.4f}", f"{np.mean(lost):.4f}", f"{high:.4f}", f"{below:.0%}"))
    heads = ["design", "by formula", "by simulation", "measured", "promised 95th", "measured below it"]
    usual = ", ".join(
        f"{name} {best - float(mean_value(curves, problem, baseline(name, problem).seen)):.4f}"
        for name in ("unimax", "temperature:0.3", "proportional")
    )
    return f"Regret in points, {worlds} worlds; of mixtures without laws: {usual}\n" + tabulate(rows, heads)


if __name__ == "__main__":
    main()
