"""Choose the mixtures to train and evaluate next: those that lower the expected regret most for their cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipes.mixing import AllocationProblem, Integers, ShareCurves, allocate_integers, allocation_problem
from recipes.scaling import Floats
from recipes.transfer.comparison import NUM_DRAWS, allocate_by_transfer, first_draws
from recipes.transfer.design import simplex_points
from recipes.transfer.law import TransferLaws
from recipes.transfer.objective import Objective
from recipes.transfer.surfaces import Surfaces

NUM_CANDIDATES = 24  # mixtures at each budget
MIXTURE_SHARES = (0.25, 0.5)  # of the budget, for mixtures
SINGLE_SHARES = (0.125, 0.25)  # for runs of one language
CHECK_SHARE = 0.5  # of the budget, for the run that checks the proposed split
AT_LIMIT = 1.01  # a language within 1 % of a limit does not move


@dataclass(frozen=True)
class NextMixture:
    """One run to make.

    Args:
        pairs: The pairs of each language.
        cost: What it costs, in the problem's unit, its overhead included.
        regret_before: The expected regret before the run, in units of the metric.
        regret_after: The expected regret after it.
        reason: Why it is proposed.
    """

    pairs: dict[str, int]
    cost: float
    regret_before: float
    regret_after: float
    reason: str


@dataclass(frozen=True)
class MixturePlan:
    """The runs to make, and why to stop after them."""

    runs: tuple[NextMixture, ...]
    stop: str


def next_mixtures(
    laws: TransferLaws,
    draws: Surfaces,
    problem: AllocationProblem,
    num_runs: int,
    target_regret: float,
    overhead: float,
) -> MixturePlan:
    """Return up to `num_runs` runs, the last of which is half of the budget at the proposed split.

    What a run will show is not known, but how much it narrows the laws is: the gradient of the objective at the
    optimum and the values of a candidate are taken as jointly normal, with the covariance of the samples. The regret
    is that of the samples; the normal approximation only says which share of it a run removes.

    Args:
        laws: The laws.
        draws: Their samples over the problem's languages.
        problem: What the laws are for; the weighted mean is maximised.
        num_runs: The most runs.
        target_regret: The expected regret at which to stop, in units of the metric.
        overhead: What a run costs beside its pairs, in pairs.
    """
    objective = Objective("mean", problem.weights)
    allocation = allocate_by_transfer(draws, objective, problem)
    regret, optimum = allocation.compared[0].regret, allocation.optimum
    state = _State.at(laws, draws, problem, optimum.seen)
    price = _price(draws, problem, optimum.seen)
    runs: list[NextMixture] = []
    stop = f"The expected regret is {regret:.3f} points, at most the {target_regret:g} that are enough."
    candidates = _candidates(problem)
    while len(runs) < num_runs - 1 and regret > target_regret:
        gains = regret * state.removed_shares(candidates)
        costs = candidates @ problem.costs + overhead * problem.costs.mean()
        best = int(np.argmax(gains / costs))
        if gains[best] < price * costs[best]:
            stop = (
                f"A further run would lower the regret by {gains[best]:.4f} points; its {costs[best]:,.0f} "
                f"{problem.unit} add {price * costs[best]:.4f} points if they are trained on instead."
            )
            break
        after = regret - float(gains[best])
        runs.append(
            _run(candidates[best], costs[best], regret, after, problem, "it narrows the laws most for its cost")
        )
        state = state.after(candidates[best])
        regret = after
        stop = f"After these runs the expected regret is {regret:.3f} points. Fit again after each of them."
    half = _at_split(optimum.seen, problem)
    cost = float(half @ problem.costs) + overhead * float(problem.costs.mean())
    after = regret * (1 - float(state.removed_shares(half[None].astype(float))[0]))
    runs.append(_run(half, cost, regret, after, problem, "it checks the proposed split at half of the budget"))
    return MixturePlan(tuple(runs), stop)


def _run(
    pairs: Floats | Integers, cost: float, before: float, after: float, problem: AllocationProblem, reason: str
) -> NextMixture:
    counts = {lang: int(count) for lang, count in zip(problem.langs, pairs, strict=True) if count >= 1}
    return NextMixture(counts, float(cost), before, after, reason)


def _price(draws: Surfaces, problem: AllocationProblem, pairs: Floats) -> float:
    """Return what one more unit of cost adds to the objective."""
    gradient = problem.weights @ draws.derivatives(np.maximum(pairs, 1.0)).gradient.mean(axis=0)
    return float(np.median(gradient / problem.costs))


def _at_split(optimum: Floats, problem: AllocationProblem) -> Integers:
    half = allocation_problem(problem.langs, max(problem.budget * CHECK_SHARE, len(problem.langs)), costs=problem.costs)
    share = problem.costs * optimum / float(problem.costs @ optimum)
    return allocate_integers(ShareCurves(np.maximum(share, 1e-9)), half)


def _candidates(problem: AllocationProblem) -> Floats:
    """Return mixtures at parts of the budget and runs of one language, rows of pairs."""
    n = len(problem.langs)
    limits = np.minimum(problem.num_unique, problem.max_pairs)
    rows: list[Sequence[float] | Floats | Integers] = []
    for share in MIXTURE_SHARES:
        budget = min(np.floor(problem.budget * share), float(problem.costs @ np.minimum(limits, 1e15)))
        part = allocation_problem(problem.langs, budget, num_unique=limits, costs=problem.costs, allow_partial=True)
        rows += [allocate_integers(ShareCurves(own), part) for own in simplex_points(NUM_CANDIDATES, n, 77)]
    for share in SINGLE_SHARES:
        size = np.minimum(limits, problem.budget * share / problem.costs)
        rows += [np.floor(size[index]) * np.eye(n)[index] for index in range(n)]
    return np.array(rows, float)


@dataclass(frozen=True)
class _State:
    """What the samples say of the gradient at the optimum and of candidates, and which errors matter.

    Args:
        gradient: The deviations of each language's part of the gradient, shape (draws, targets, languages).
        response: How the best split answers to an error of the gradient: regret = error . response . error / 2.
        values: The deviations of a candidate's values from their mean, from pairs.
        noise: The variance of a run's value, shape (targets,).
    """

    gradient: Floats
    response: Floats
    draws: Surfaces
    noise: Floats
    measured: tuple[Floats, ...] = ()

    @classmethod
    def at(cls, laws: TransferLaws, draws: Surfaces, problem: AllocationProblem, pairs: Floats) -> "_State":
        """Return the state before any run."""
        inner = np.maximum(pairs, 1.0)
        gradient = draws.derivatives(inner).gradient * problem.weights[:, None]
        few = first_draws(draws, NUM_DRAWS)
        hessian = few.hessian(few.derivatives(inner), problem.weights)
        noise = np.array([laws.laws[lang].noise ** 2 for lang in problem.langs])
        return cls(gradient - gradient.mean(axis=0), _response(hessian, inner, problem), draws, noise)

    def after(self, pairs: Floats) -> "_State":
        """Return the state after a run: what it explains of the gradient is removed (Gaussian conditioning)."""
        values = self._deviations(pairs)
        share = values / (values.var(axis=0) + self.noise)
        explained = np.einsum("dt,dtn->tn", share, self.gradient) / len(values)
        gradient = self.gradient - values[..., None] * explained
        return _State(gradient, self.response, self.draws, self.noise, (*self.measured, pairs))

    def removed_shares(self, candidates: Floats) -> Floats:
        """Return which share of the regret each candidate removes, from 0 to 1."""
        total = float(np.einsum("dtn,nm,dtm->", self.gradient, self.response, self.gradient)) / len(self.gradient)
        shares = []
        for pairs in candidates:
            values = self._deviations(pairs)
            covariance = np.einsum("dt,dtn->tn", values, self.gradient) / len(values)
            removed = np.einsum("tn,nm,tm->t", covariance, self.response, covariance) / (
                values.var(axis=0) + self.noise
            )
            removed = np.where(pairs > 0, removed, 0.0)  # a run is evaluated in the languages that it holds
            shares.append(removed.sum() / total if total > 0 else 0.0)
        return np.asarray(np.clip(np.array(shares), 0.0, 1.0))

    def _deviations(self, pairs: Floats) -> Floats:
        values = self.draws.values(np.maximum(np.asarray(pairs, float), 1e-3))
        return np.asarray(values - values.mean(axis=0))


def _response(hessian: Floats, pairs: Floats, problem: AllocationProblem) -> Floats:
    """Return how the best split moves for an error of the gradient; a language at a limit stays there."""
    n = len(pairs)
    high = np.minimum(problem.max_pairs, problem.budget / problem.costs)
    free = np.flatnonzero((pairs > problem.min_pairs * AT_LIMIT) & (pairs < high / AT_LIMIT))
    response = np.zeros((n, n))
    if len(free) > 1:
        matrix = np.zeros((len(free) + 1, len(free) + 1))
        matrix[:-1, :-1] = -hessian[np.ix_(free, free)]
        matrix[:-1, -1] = matrix[-1, :-1] = problem.costs[free]
        response[np.ix_(free, free)] = np.linalg.inv(matrix)[:-1, :-1]
    return np.asarray(response)
