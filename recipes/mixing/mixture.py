"""Mixture: how many pairs of each language; the optimum by the laws, and the usual baselines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import InputError, unknown
from recipes.mixing.allocation import AllocationProblem, Integers, allocate_integers
from recipes.mixing.curves import PowerCurves, ShareCurves
from recipes.scaling import Floats, ScalingLaw

BASELINES = ("uniform", "unimax", "proportional", "temperature")
MAX_SAMPLES = 512
MIN_SAMPLES = 64
SAMPLES_TIMES_LANGS = 400_000


@dataclass(frozen=True)
class Mixture:
    """A number of pairs of each language; arrays have shape (languages,).

    Args:
        name: How it was made: `optimum`, a baseline's name, or a file's.
        langs: The languages.
        pairs: Pairs seen in training, repetitions included.
        rows: Different pairs.
    """

    name: str
    langs: tuple[str, ...]
    pairs: Integers
    rows: Integers

    @property
    def seen(self) -> Floats:
        """The pairs as floating-point numbers, for the curves."""
        return self.pairs.astype(np.float64)

    @property
    def epochs(self) -> Floats:
        """How often each row is seen, on average."""
        return np.asarray(self.pairs / np.maximum(self.rows, 1))


def to_mixture(name: str, pairs: Integers, problem: AllocationProblem) -> Mixture:
    """Return the mixture of these pairs, with at most as many rows as there are."""
    return Mixture(name, problem.langs, pairs, np.minimum(pairs, problem.num_unique).astype(np.int64))


def law_curves(laws: Sequence[ScalingLaw], problem: AllocationProblem) -> PowerCurves:
    """Return the laws as weighted curves."""
    asymptote, scale, exponent, offset = np.array([law.parameters for law in laws]).T
    return PowerCurves(problem.weights, asymptote, scale, exponent, offset, _repeatable(problem))


def _repeatable(problem: AllocationProblem) -> Floats:
    """Return the numbers of unique pairs where pairs may be repeated, else infinity."""
    return np.where(problem.max_pairs > problem.num_unique, problem.num_unique, np.inf)


def sample_curves(
    laws: Sequence[ScalingLaw], problem: AllocationProblem, max_samples: int = MAX_SAMPLES
) -> PowerCurves | None:
    """Return the laws' posterior samples as curves of shape (samples, languages); None if no law has samples.

    With very many languages there are fewer samples.
    """
    if not any(len(law.samples) for law in laws):
        return None
    limit = max(MIN_SAMPLES, SAMPLES_TIMES_LANGS // len(laws))
    num = min([max_samples, limit, *(len(law.samples) for law in laws if len(law.samples))])
    columns = [law.samples[:num] if len(law.samples) else np.tile(law.parameters, (num, 1)) for law in laws]
    asymptote, scale, exponent, offset = np.stack(columns, axis=1).transpose(2, 0, 1)
    return PowerCurves(problem.weights, asymptote, scale, exponent, offset, _repeatable(problem))


def optimum(laws: Sequence[ScalingLaw], problem: AllocationProblem) -> Mixture:
    """Return the mixture with the highest predicted weighted value."""
    return to_mixture("optimum", allocate_integers(law_curves(laws, problem), problem), problem)


def parse_baseline(name: str) -> tuple[str, float]:
    """Return the kind of a baseline and the exponent of the languages' sizes.

    Args:
        name: `uniform`, `unimax`, `proportional`, or `temperature:A`.

    Raises:
        InputError: The name is unknown.
    """
    kind, _, exponent = name.partition(":")
    if kind not in BASELINES or (kind == "temperature") != bool(exponent):
        raise unknown("mixture", name, ["uniform", "unimax", "proportional", "temperature:0.3"])
    if kind != "temperature":
        return kind, 1.0 if kind == "proportional" else 0.0
    try:
        value = float(exponent)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise InputError(f"temperature:A takes an exponent A from 0 (uniform) to 1 (proportional), not '{exponent}'.")
    return kind, value


def baseline(name: str, problem: AllocationProblem) -> Mixture:
    """Return a mixture that needs no laws; its shares are of tokens where the budget is in tokens.

    `unimax` gives each language the same, and what a language lacks to the others (arXiv 2304.09151, algorithm 1).
    `proportional` gives in proportion to what there is, `temperature:A` to its power A (arXiv 1907.05019, A = 1/T).
    `uniform` gives each language exactly the same.

    Raises:
        InputError: The mixture is not possible for the problem.
    """
    kind, exponent = parse_baseline(name)
    sizes = problem.costs * problem.num_unique
    if exponent and not np.all(np.isfinite(sizes)):
        raise InputError(f"The mixture {name} depends on how many pairs there are. Use --release or --available.")
    share = sizes**exponent if exponent else np.ones(len(problem.langs))
    if kind == "uniform":
        _check_uniform(problem)
    return to_mixture(name, allocate_integers(ShareCurves(share / share.sum()), problem), problem)


def _check_uniform(problem: AllocationProblem) -> None:
    shares = problem.budget / len(problem.langs) / problem.costs
    for lang, pairs, low, high in zip(problem.langs, shares, problem.min_pairs, problem.max_pairs, strict=True):
        if not math.floor(low) <= pairs < high + 1:
            limit = f"a minimum of {low:,.0f}" if pairs < low else f"only {high:,.0f}"
            raise InputError(
                f"A uniform mixture has {pairs:,.0f} pairs of each language, but {lang} has {limit}. "
                "The mixture unimax gives what a language lacks to the others."
            )
