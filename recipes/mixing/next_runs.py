"""What to measure next: the runs that would most lessen the expected regret of a split for what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import InputError
from recipes.mixing.allocation import Problem
from recipes.mixing.curves import PowerCurves
from recipes.mixing.mixture import drawn_curves, optimum
from recipes.mixing.regret import Responses, expected_regret, gain_variances, responses
from recipes.scaling.law import Floats, ScalingLaw

STEPS = (1, 2, 5)  # candidate sizes are these times powers of ten
OVERHEAD = 20_000.0  # what starting and evaluating a run costs beside its pairs, in pairs


@dataclass(frozen=True)
class Run:
    """One run to make: a language and a size, what it costs, and the expected regret before and after, in points."""

    lang: str
    size: int
    cost: float
    before: float
    after: float


def candidate_sizes(laws: Sequence[ScalingLaw], given: Problem, largest: float) -> list[list[int]]:
    """The sizes that a run in each language may have: 1, 2, 5, 10, ... from its smallest measured one.

    At most `largest`, and what there is; 0 counts as no measurement.
    """
    grid = [step * 10**power for power in range(2, 9) for step in STEPS]
    sizes = []
    for law, cap in zip(laws, np.minimum(given.unique, largest), strict=True):
        least = min((p.size for p in law.points if p.size), default=1000)
        sizes.append([size for size in grid if least <= size <= cap] or [int(min(least, cap))])
    return sizes


def plan(
    laws: Sequence[ScalingLaw], given: Problem, runs: int, enough: float, largest: float,
    rule: str = "regret", overhead: float = OVERHEAD,
) -> list[Run]:  # fmt: skip
    """Up to so many runs, each the best next one; fewer if the expected regret falls below `enough` before that.

    `regret` takes the run that lessens the expected regret most for its cost (pairs trained on and `overhead`, times
    tokens a pair), `d-optimal` the one that says most about the laws' parameters for it. What a run would show is not
    known, but how much it narrows the laws is: each law's marginal gain at the best split, and its scores at all
    candidate sizes, are taken as jointly normal, with the covariance of the law's draws (Gaussian conditioning).
    """
    drawn = drawn_curves(laws, given)
    if drawn is None or any(law.noise is None for law in laws):
        raise InputError("These laws carry no uncertainty, so no run would lessen it: fit them from scores first.")
    pairs = optimum(laws, given).seen
    answer, sizes = responses(laws, given, pairs), candidate_sizes(laws, given, largest)
    known = [_covariance(drawn, place, pairs, own) for place, own in enumerate(sizes)]
    variances, chosen = gain_variances(drawn, pairs), list[Run]()
    now = expected_regret(answer, variances)
    while len(chosen) < runs and (now > enough or rule != "regret"):
        options = [
            _option(known[place], place, number, laws[place], variances, answer)
            for place, own in enumerate(sizes)
            for number in range(len(own))
        ]
        costs = [(sizes[o.place][o.number] + overhead) * float(given.cost[o.place]) for o in options]
        gains = [now - o.after if rule == "regret" else o.information for o in options]
        best = max(range(len(options)), key=lambda n: gains[n] / costs[n])
        if gains[best] <= 0:
            break
        place, number, after = options[best].place, options[best].number, options[best].after
        chosen.append(Run(laws[place].lang, sizes[place][number], costs[best], now, after))
        known[place] = _narrowed(known[place], number + 1, laws[place])
        variances[place], now = known[place][0, 0], after
    return chosen


def _covariance(drawn: PowerCurves, place: int, pairs: Floats, sizes: Sequence[int]) -> Floats:
    """The covariance of a law's log marginal gain at its share (first) and its scores at the candidate sizes."""
    n = drawn.k.shape[-1]
    gain = np.log(drawn.gain(np.asarray(pairs, float)))[:, place]
    scores = [drawn.score(np.full(n, float(size)))[:, place] for size in sizes]
    return np.atleast_2d(np.cov(np.stack([gain, *scores])))


def _narrowed(covariance: Floats, number: int, law: ScalingLaw) -> Floats:
    """The covariance once the score of this number has been measured, with the noise of a run."""
    column = covariance[:, number]
    return np.asarray(covariance - np.outer(column, column) / (column[number] + (law.noise or 0.0) ** 2 + 1e-18))


@dataclass(frozen=True)
class _Option:
    """A candidate run: language, number of the size, expected regret after it, and what it says of the law."""

    place: int
    number: int
    after: float
    information: float


def _option(known: Floats, place: int, number: int, law: ScalingLaw, variances: Floats, answer: Responses) -> _Option:
    """What measuring one size of one language would do."""
    narrowed = variances.copy()
    narrowed[place] = _narrowed(known, number + 1, law)[0, 0]
    signal = known[number + 1, number + 1] / ((law.noise or 0.0) ** 2 + 1e-18)
    return _Option(place, number, expected_regret(answer, narrowed), float(np.log1p(signal)))
