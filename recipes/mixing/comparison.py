"""Compare a mixture with the usual baselines by the laws, at one budget and over many."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from corpora.errors import InputError
from recipes.mixing.allocation import AllocationProblem
from recipes.mixing.curves import PowerCurves
from recipes.mixing.mixture import Mixture, baseline, law_curves, optimum, sample_curves
from recipes.mixing.regret import best_values, mean_value
from recipes.scaling import LEVEL, Floats, ScalingLaw

GAIN_STEP = 10_000  # pairs: the step of the gains that are reported
NUM_BUDGETS = 25  # along the frontier
BUDGET_FACTOR = 30  # the frontier reaches from the budget divided by it to the budget times it
COMPARED = ("unimax", "uniform", "temperature:0.3", "proportional")


@dataclass(frozen=True)
class MixtureComparison:
    """A mixture compared with the chosen one, in units of the metric; intervals are central 90 % ones.

    Args:
        mixture: The mixture.
        value: Its predicted weighted mean value.
        interval: Its interval; None if the laws have no samples, as for the next four.
        advantage: By how much the chosen mixture is predicted to be better.
        advantage_interval: The interval of the advantage.
        p_better: The probability that the chosen mixture is better.
        regret: By how much this mixture is expected to be below the best one, if the laws were known exactly.
    """

    mixture: Mixture
    value: float
    interval: tuple[float, float] | None
    advantage: float
    advantage_interval: tuple[float, float] | None
    p_better: float | None
    regret: float | None


def compare_mixtures(
    laws: Sequence[ScalingLaw], problem: AllocationProblem, chosen: Mixture
) -> tuple[list[MixtureComparison], list[str]]:
    """Return the chosen mixture and the baselines, compared, and why a baseline is infeasible, a sentence for each."""
    mixtures, infeasible = [chosen], []
    for name in COMPARED:
        try:
            mixtures.append(baseline(name, problem))
        except InputError as error:
            infeasible.append(f"{name}: {error}")
    curves, samples = law_curves(laws, problem), sample_curves(laws, problem)
    best = best_values(samples, problem) if samples is not None else None
    return [_compare(mixture, chosen, curves, samples, best, problem) for mixture in mixtures], infeasible


def _compare(
    mixture: Mixture,
    chosen: Mixture,
    curves: PowerCurves,
    samples: PowerCurves | None,
    best: Floats | None,
    problem: AllocationProblem,
) -> MixtureComparison:
    value = float(mean_value(curves, problem, mixture.seen))
    advantage = float(mean_value(curves, problem, chosen.seen)) - value
    if samples is None or best is None:
        return MixtureComparison(mixture, value, None, advantage, None, None, None)
    values = mean_value(samples, problem, mixture.seen)
    advantages = mean_value(samples, problem, chosen.seen) - values
    p_better = None if mixture is chosen else float((advantages > 0).mean())
    regret = float(np.maximum(best - values, 0.0).mean())
    return MixtureComparison(
        mixture, value, central_interval(values), advantage, central_interval(advantages), p_better, regret
    )


def central_interval(values: Floats) -> tuple[float, float]:
    """Return the ends of the central interval of some samples."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def next_gains(
    laws: Sequence[ScalingLaw], problem: AllocationProblem, mixture: Mixture, step: int = GAIN_STEP
) -> Floats:
    """Return what `step` more pairs would add to each language's own value, shape (languages,)."""
    curves = law_curves(laws, problem)
    return np.asarray(curves.value(mixture.seen + float(step)) - curves.value(mixture.seen))


@dataclass(frozen=True)
class Frontier:
    """What budgets achieve.

    Args:
        budgets: The budgets.
        pairs: The optimum of each, shape (budgets, languages).
        values: The weighted mean value at each budget, by mixture.
        low: The lower end of the optimum's interval at each budget, None if unknown.
        high: The upper end.
    """

    budgets: Floats
    pairs: Floats
    values: dict[str, Floats]
    low: Floats | None
    high: Floats | None


def frontier(laws: Sequence[ScalingLaw], problem: AllocationProblem) -> Frontier:
    """Return the optimum, UniMax and the proportional mixture over budgets around the problem's."""
    least, most = float(problem.costs @ problem.min_pairs), float(problem.costs @ problem.max_pairs)
    low, high = max(problem.budget / BUDGET_FACTOR, least * 2), min(problem.budget * BUDGET_FACTOR, most)
    budgets = np.geomspace(min(low, problem.budget), max(high, problem.budget), NUM_BUDGETS)
    problems = [replace(problem, budget=float(np.floor(budget))) for budget in budgets]
    names = ["unimax", *(["proportional"] if np.all(np.isfinite(problem.num_unique)) else [])]
    mixtures = {"optimum": [optimum(laws, p) for p in problems]}
    mixtures |= {name: [baseline(name, p) for p in problems] for name in names}
    curves, samples = law_curves(laws, problem), sample_curves(laws, problem)
    values = {name: np.array([mean_value(curves, problem, m.seen) for m in own]) for name, own in mixtures.items()}
    pairs = np.array([m.pairs for m in mixtures["optimum"]])
    if samples is None:
        return Frontier(budgets, pairs, values, None, None)
    bands = [central_interval(mean_value(samples, problem, m.seen)) for m in mixtures["optimum"]]
    return Frontier(budgets, pairs, values, *np.array(bands).T)
