"""How sure a mixture is: its score's interval, how surely the best split beats others, and the regret to expect."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import InputError
from recipes.mixing.allocation import Problem
from recipes.mixing.curves import PowerCurves
from recipes.mixing.mixture import Mixture, curves_of, drawn_curves, named, optimum
from recipes.scaling.law import LEVEL, Floats, ScalingLaw

HALVINGS = 60
MORE = 10_000  # pairs: the step of the marginal gains that are told
FRONTIER = 25  # budgets along the frontier
BASELINES = ("unimax", "uniform", "temperature:0.3", "proportional")


@dataclass(frozen=True)
class Outlook:
    """A mixture's predicted weighted score beside the chosen one's; intervals are central, of LEVEL.

    `ahead` is what the chosen mixture scores above this one, `beaten` the probability that it really does. Intervals,
    `beaten` and `regret` (points that the mixture is expected to lie below the best split, were the laws known) are
    None where the laws have no draws.
    """

    mixture: Mixture
    score: float
    interval: tuple[float, float] | None
    ahead: float
    ahead_interval: tuple[float, float] | None
    beaten: float | None
    regret: float | None


@dataclass(frozen=True)
class Certificate:
    """What is to be expected of the chosen mixture's regret in points: by simulation, by formula, and at worst."""

    expected: float
    formula: float
    high: float  # the 95th percentile over the draws


def mean_score(curves: PowerCurves, given: Problem, pairs: Floats) -> Floats:
    """The weighted mean score: a number, or one a draw."""
    return np.asarray(curves.score(pairs) @ given.weight)


def best_scores(drawn: PowerCurves, given: Problem) -> Floats:
    """The weighted score of each draw's own best split: water-filling for all draws at once, by bisection."""
    cap = np.minimum(given.cap, given.budget / given.cost)
    with np.errstate(divide="ignore", over="ignore"):
        low = np.log(np.min(drawn.gain(cap) / given.cost, axis=-1))
        high = np.log(np.max(drawn.gain(np.maximum(given.floor, 1e-3)) / given.cost, axis=-1)) + 1
    low, high = np.maximum(low - 1, -600.0), np.minimum(high, 600.0)
    for _ in range(HALVINGS):
        price = (low + high) / 2
        pairs = np.clip(drawn.pairs_at(np.exp(price)[:, None] * given.cost), given.floor, cap)
        over = pairs @ given.cost > given.budget
        low, high = np.where(over, price, low), np.where(over, high, price)
    pairs = np.clip(drawn.pairs_at(np.exp(high)[:, None] * given.cost), given.floor, cap)
    return mean_score(drawn, given, pairs)


def certify(laws: Sequence[ScalingLaw], given: Problem, chosen: Mixture) -> Certificate | None:
    """The expected regret of a mixture under the laws' draws, and by formula for the best split; None without draws."""
    drawn = drawn_curves(laws, given)
    if drawn is None:
        return None
    regret = np.maximum(best_scores(drawn, given) - mean_score(drawn, given, chosen.seen), 0.0)
    formula = expected_regret(responses(laws, given, chosen.seen), gain_variances(drawn, chosen.seen))
    return Certificate(float(regret.mean()), formula, float(np.quantile(regret, 0.95)))


@dataclass(frozen=True)
class Responses:
    """How the best split answers to errors: the price of a unit, and what each language would move for its error.

    `moved` is cost times pairs for a relative error of 1 in a language's marginal gain; 0 for one at floor or cap.
    """

    price: float
    moved: Floats


def responses(laws: Sequence[ScalingLaw], given: Problem, pairs: Floats) -> Responses:
    """The responses at a split, from the laws' gains and their slopes."""
    curves, at = curves_of(laws, given), np.asarray(pairs, float)
    step = np.maximum(at * 1e-4, 1e-3)
    slope = -(np.log(curves.gain(at + step)) - np.log(curves.gain(np.maximum(at - step, 1e-6)))) / (2 * step)
    free = (at > given.floor) & (at < np.floor(given.cap))
    moved = np.where(free, given.cost / np.maximum(slope, 1e-300), 0.0)
    gains = curves.gain(at) / given.cost
    return Responses(float(np.mean(gains[free])) if free.any() else 0.0, moved)


def gain_variances(drawn: PowerCurves, pairs: Floats) -> Floats:
    """The variance over the draws of the logarithm of each language's marginal gain."""
    return np.asarray(np.log(drawn.gain(np.asarray(pairs, float))).var(axis=0))


def expected_regret(answer: Responses, variances: Floats) -> float:
    """The expected regret of the best split by the laws, to second order, in points of the weighted score.

    With independent errors e_i of the log marginal gains, of variance V_i, the true optimum lies at X_i + r_i (e_i -
    e), r_i pairs for a unit, e the mean of e_i weighted by c_i r_i; the loss is price / 2 sum c_i r_i (e_i - e)^2, and
    its mean price / 2 sum c_i r_i V_i (1 - share_i). Derived from the optimum's conditions; no error is lost by
    a language at its cap.
    """
    total = answer.moved.sum()
    return float(answer.price / 2 * (answer.moved * variances * (1 - answer.moved / total)).sum()) if total else 0.0


def outlooks(laws: Sequence[ScalingLaw], given: Problem, chosen: Mixture) -> tuple[list[Outlook], list[str]]:
    """The chosen mixture and the usual ones beside it, and a sentence for each that is not possible here."""
    others, impossible = [chosen], []
    for name in BASELINES:
        try:
            others.append(named(name, given))
        except InputError as error:
            impossible.append(f"{name}: {error}")
    curves, drawn = curves_of(laws, given), drawn_curves(laws, given)
    best = best_scores(drawn, given) if drawn is not None else None
    return [_outlook(mixture, chosen, curves, drawn, best, given) for mixture in others], impossible


def _outlook(
    mixture: Mixture, chosen: Mixture, curves: PowerCurves, drawn: PowerCurves | None, best: Floats | None,
    given: Problem,
) -> Outlook:  # fmt: skip
    score = float(mean_score(curves, given, mixture.seen))
    ahead = float(mean_score(curves, given, chosen.seen)) - score
    if drawn is None or best is None:
        return Outlook(mixture, score, None, ahead, None, None, None)
    scores = mean_score(drawn, given, mixture.seen)
    gains = mean_score(drawn, given, chosen.seen) - scores
    beaten = None if mixture is chosen else float((gains > 0).mean())
    regret = float(np.maximum(best - scores, 0.0).mean())
    return Outlook(mixture, score, central(scores), ahead, central(gains), beaten, regret)


def central(values: Floats) -> tuple[float, float]:
    """The ends of the central interval of LEVEL of some draws."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def next_gains(laws: Sequence[ScalingLaw], given: Problem, mixture: Mixture, more: int = MORE) -> Floats:
    """What `more` pairs would add to each language's own score, in points."""
    curves = curves_of(laws, given)
    return np.asarray(curves.score(mixture.seen + float(more)) - curves.score(mixture.seen))


@dataclass(frozen=True)
class Frontier:
    """Budgets, the best split of each, and the weighted scores of mixtures at each with the best one's interval."""

    budgets: Floats
    pairs: Floats  # shape (budgets, languages)
    scores: dict[str, Floats]
    low: Floats | None
    high: Floats | None


def frontier(laws: Sequence[ScalingLaw], given: Problem) -> Frontier:
    """The best split, UniMax and the proportional mixture over budgets around the one that is given."""
    from dataclasses import replace

    least, most = float(given.cost @ given.floor), float(given.cost @ given.cap)
    ends = max(given.budget / 30, least * 2), min(given.budget * 30, most)
    budgets = np.geomspace(min(ends[0], given.budget), max(ends[1], given.budget), FRONTIER)
    problems = [replace(given, budget=float(np.floor(budget))) for budget in budgets]
    names = ["unimax", *(["proportional"] if np.all(np.isfinite(given.unique)) else [])]
    mixtures = {"optimum": [optimum(laws, p) for p in problems]}
    mixtures |= {name: [named(name, p) for p in problems] for name in names}
    curves, drawn = curves_of(laws, given), drawn_curves(laws, given)
    scores = {name: np.array([mean_score(curves, given, m.seen) for m in own]) for name, own in mixtures.items()}
    bands = [central(mean_score(drawn, given, m.seen)) for m in mixtures["optimum"]] if drawn is not None else None
    low, high = np.array(bands).T if bands else (None, None)
    return Frontier(budgets, np.array([m.pairs for m in mixtures["optimum"]]), scores, low, high)
