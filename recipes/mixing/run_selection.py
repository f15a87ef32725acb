"""Choose which sizes to measure next: those that lower the expected regret most for what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import InputError
from recipes.mixing.allocation import AllocationProblem
from recipes.mixing.curves import PowerCurves
from recipes.mixing.mixture import optimum, sample_curves
from recipes.mixing.regret import Sensitivity, approximate_regret, gain_variances, sensitivity_at
from recipes.scaling import Floats, ScalingLaw

STEPS = (1, 2, 5)  # candidate sizes are these, times powers of ten
OVERHEAD_PAIRS = 20_000.0  # what starting and evaluating a run costs beside its pairs, in pairs


@dataclass(frozen=True)
class NextRun:
    """One run to make.

    Args:
        lang: The language.
        size: The number of pairs.
        cost: What the run costs, in the problem's unit.
        regret_before: The expected regret before the run, in units of the metric.
        regret_after: The expected regret after it.
    """

    lang: str
    size: int
    cost: float
    regret_before: float
    regret_after: float


def candidate_sizes(laws: Sequence[ScalingLaw], problem: AllocationProblem, max_size: float) -> list[list[int]]:
    """Return the sizes that a run in each language may have: 1, 2, 5, 10, ... from its smallest measured one.

    They are at most `max_size`, and at most what there is.
    """
    grid = [step * 10**power for power in range(2, 9) for step in STEPS]
    sizes = []
    for law, limit in zip(laws, np.minimum(problem.num_unique, max_size), strict=True):
        least = min((p.size for p in law.points if p.size), default=1000)
        sizes.append([size for size in grid if least <= size <= limit] or [int(min(least, limit))])
    return sizes


def next_runs(
    laws: Sequence[ScalingLaw],
    problem: AllocationProblem,
    num_runs: int,
    target_regret: float,
    max_size: float,
    overhead: float = OVERHEAD_PAIRS,
) -> list[NextRun]:
    """Return up to `num_runs` runs; each lowers the expected regret most for its cost, given those before it.

    What a run will show is not known, but how much it narrows the laws is: each law's log gain at the best
    allocation, and its values at all candidate sizes, are taken as jointly normal, with the covariance of the law's
    samples (Gaussian conditioning).

    Args:
        laws: The laws, in the order of the problem's languages.
        problem: What the laws are for.
        num_runs: The most runs.
        target_regret: The expected regret at which to stop, in units of the metric.
        max_size: The most pairs of a run.
        overhead: What a run costs beside its pairs, in pairs.

    Raises:
        InputError: The laws have no samples, so no run would narrow them.
    """
    samples = sample_curves(laws, problem)
    if samples is None or any(law.noise is None for law in laws):
        raise InputError("These laws have no uncertainty that a run could lower. Fit laws to results first.")
    pairs = optimum(laws, problem).seen
    sizes = candidate_sizes(laws, problem, max_size)
    covariances = [_covariance(samples, index, pairs, own) for index, own in enumerate(sizes)]
    sensitivity, variances = sensitivity_at(laws, problem, pairs), gain_variances(samples, pairs)
    regret, runs = approximate_regret(sensitivity, variances), list[NextRun]()
    while len(runs) < num_runs and regret > target_regret:
        options = [
            _Option(index, number, (size + overhead) * float(problem.costs[index]), after)
            for index, own in enumerate(sizes)
            for number, size in enumerate(own)
            for after in [_regret_after(sensitivity, variances, index, covariances[index], number, laws[index])]
        ]
        best = max(options, key=lambda option: (regret - option.regret) / option.cost)
        if best.regret >= regret:
            break
        law, index = laws[best.index], best.index
        runs.append(NextRun(law.lang, sizes[index][best.number], best.cost, regret, best.regret))
        covariances[index] = narrow(covariances[index], best.number, law)
        variances[index], regret = covariances[index][0, 0], best.regret
    return runs


@dataclass(frozen=True)
class _Option:
    """A candidate run: language, number of its size, cost, and the expected regret after it."""

    index: int
    number: int
    cost: float
    regret: float


def _regret_after(
    sensitivity: Sensitivity, variances: Floats, index: int, covariance: Floats, number: int, law: ScalingLaw
) -> float:
    """Return the expected regret after the value at one size of one language has been measured."""
    narrowed = variances.copy()
    narrowed[index] = narrow(covariance, number, law)[0, 0]
    return approximate_regret(sensitivity, narrowed)


def _covariance(samples: PowerCurves, index: int, pairs: Floats, sizes: Sequence[int]) -> Floats:
    """Return the covariance of a law's log gain at its share (first) and its values at the candidate sizes."""
    num_langs = samples.scale.shape[-1]
    gain = np.log(samples.gain(np.asarray(pairs, float)))[:, index]
    values = [samples.value(np.full(num_langs, float(size)))[:, index] for size in sizes]
    return np.atleast_2d(np.cov(np.stack([gain, *values])))


def narrow(covariance: Floats, number: int, law: ScalingLaw) -> Floats:
    """Return the covariance after the value at a candidate size has been measured, with the noise of a run."""
    column, number = covariance[:, number + 1], number + 1
    return np.asarray(covariance - np.outer(column, column) / (column[number] + (law.noise or 0.0) ** 2 + 1e-18))
