"""Choose the mixtures to train and evaluate next: those that lower the expected regret most for their cost.

What a run will show is not known, but how it would change the choice is: each sample of the laws is taken as the truth
in turn, the run's values under it with their noise weigh all other samples, and the mixture that is then expected to be
best is worth so much more under that truth than the one that would be chosen without the run (the expected value of
sample information; Raiffa and Schlaifer 1961). The laws of different languages are independent, so each is weighed by
the values of its own language.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recipes.mixing import AllocationProblem, Integers, ShareCurves, allocate_integers, allocation_problem
from recipes.scaling import Floats
from recipes.transfer.comparison import NUM_DRAWS, allocate_by_transfer, first_draws, optima_by_draw
from recipes.transfer.design import simplex_points
from recipes.transfer.objective import Objective, best_mixture
from recipes.transfer.surfaces import Surfaces

NUM_CANDIDATES = 16  # mixtures at each budget
MIXTURE_SHARES = (1 / 32, 0.125, 0.25, 0.5)  # of the budget, for mixtures
SINGLE_SHARES = (1 / 32, 0.125)  # for runs of one language
CHECK_SHARE = 0.5  # of the budget, for the run that checks the proposed split
NUM_WEIGHED = 200  # samples
NUM_TRUTHS = 60  # samples that are taken as the truth in turn
NUM_RESAMPLED = 64  # samples of each language for the expected worst one
PENALTY = 3.0  # points of the objective that a point beyond a floor counts


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
    draws: Surfaces,
    noise: Floats,
    objective: Objective,
    problem: AllocationProblem,
    num_runs: int,
    target_regret: float,
    overhead: float,
    may_stop: bool = True,
) -> MixturePlan:
    """Return up to `num_runs` runs, the last of which is half of the budget at the proposed split.

    It stops when the pairs that a further run costs would add more to the objective if they were trained on.

    Args:
        draws: Samples of the laws over the problem's languages.
        noise: The standard deviation of a run's value in each language.
        objective: What the mixture is chosen for.
        problem: What the laws are for.
        num_runs: The most runs.
        target_regret: The expected regret at which to stop, in units of the metric.
        overhead: What a run costs beside its pairs, in pairs.
        may_stop: Whether to stop before `num_runs` when a run no longer pays.
    """
    allocation = allocate_by_transfer(draws, objective, problem)
    regret, optimum = allocation.compared[0].regret, allocation.optimum.seen
    mixtures = [comparison.mixture.seen for comparison in allocation.compared]
    choice = _Choice.among(
        first_draws(draws, NUM_WEIGHED),
        noise,
        objective,
        np.array([*mixtures, *optima_by_draw(draws, objective, problem)]),
    )
    candidates = _candidates(problem)
    runs: list[NextMixture] = []
    costs = candidates @ problem.costs + overhead * problem.costs.mean()
    stop = f"The expected regret is {regret:.3f} points, at most the {target_regret:g} that are enough."
    while len(runs) < num_runs - 1 and regret > target_regret:
        gains = np.minimum(choice.gains(candidates), regret)
        best = int(np.argmax(gains / costs))
        added = _added(draws, objective, problem, float(costs[best]))
        if may_stop and gains[best] < added:
            stop = (
                f"A further run would lower the regret by {gains[best]:.4f} points; its {costs[best]:,.0f} "
                f"{problem.unit} add {added:.4f} points if they are trained on instead."
            )
            break
        after = regret - float(gains[best])
        runs.append(
            _run(candidates[best], costs[best], regret, after, problem, "it improves the choice most for its cost")
        )
        choice, regret = choice.after(candidates[best]), after
        stop = f"After these runs the expected regret is {regret:.3f} points. Fit again after each of them."
    half = _at_split(optimum, problem)
    cost = float(half @ problem.costs) + overhead * float(problem.costs.mean())
    after = regret - min(regret, float(choice.gains(half[None].astype(float))[0]))
    runs.append(_run(half, cost, regret, after, problem, "it checks the proposed split at half of the budget"))
    return MixturePlan(tuple(runs), stop)


def _run(
    pairs: Floats | Integers, cost: float, before: float, after: float, problem: AllocationProblem, reason: str
) -> NextMixture:
    counts = {lang: int(count) for lang, count in zip(problem.langs, pairs, strict=True) if count >= 1}
    return NextMixture(counts, float(cost), before, after, reason)


def _added(draws: Surfaces, objective: Objective, problem: AllocationProblem, cost: float) -> float:
    """Return what a cost adds to the objective if it is spent on more pairs, at the best mixture of both."""
    few, free = first_draws(draws, NUM_DRAWS), replace(objective, near=None)
    most = float(problem.costs @ np.minimum(problem.max_pairs, 1e15))
    larger = replace(problem, budget=min(problem.budget + cost, most))
    return max(best_mixture(few, free, larger).value - best_mixture(few, free, problem).value, 0.0)


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
class _Choice:
    """Which mixture would be chosen under each truth, after the runs so far.

    Args:
        draws: The samples.
        noise: The standard deviation of a run's value, shape (targets,).
        objective: What is chosen for.
        values: The values of each mixture to choose from, shape (draws, mixtures, targets).
        floors: Those of the objective's floors, shape (draws, floors, targets).
        likelihoods: The logarithms of the samples' weights under each truth, shape (truths, draws, targets).
        number: How many runs there were, the seed of the noise of the next one.
    """

    draws: Surfaces
    noise: Floats
    objective: Objective
    values: Floats
    floors: Floats
    likelihoods: Floats
    number: int = 0

    @classmethod
    def among(cls, draws: Surfaces, noise: Floats, objective: Objective, mixtures: Floats) -> "_Choice":
        """Return the choice among mixtures before any run; a truth is not among the samples that it weighs."""
        num, truths = len(draws.level), min(NUM_TRUTHS, len(draws.level))
        likelihoods = np.zeros((truths, num, len(noise)))
        likelihoods[np.arange(truths), np.arange(truths)] = -np.inf
        values = np.stack([draws.values(np.maximum(pairs, 1e-3)) for pairs in mixtures], axis=1)
        floors = [draws.values(floor.pairs) for floor in objective.floors]
        empty = np.empty((num, 0, len(noise)))
        return cls(draws, noise, objective, values, np.stack(floors, axis=1) if floors else empty, likelihoods)

    def gains(self, candidates: Floats) -> Floats:
        """Return by how much each candidate is expected to improve the choice, at least 0."""
        before = self._reached(self.likelihoods)
        gains = [self._reached(self.likelihoods + self._likelihoods(c)) - before for c in candidates]
        return np.asarray(np.maximum(gains, 0.0))

    def after(self, pairs: Floats) -> "_Choice":
        """Return the choice after a run."""
        likelihoods: Floats = self.likelihoods + self._likelihoods(pairs)
        return replace(self, likelihoods=likelihoods, number=self.number + 1)

    def _likelihoods(self, pairs: Floats) -> Floats:
        """Return the logarithm of what a run's values under each truth say for each sample."""
        values = self.draws.values(np.maximum(np.asarray(pairs, float), 1e-3))
        truths = len(self.likelihoods)
        errors: Floats = np.random.default_rng(self.number).normal(0, 1, (truths, len(self.noise)))
        seen = values[:truths] + errors * self.noise
        distance = (seen[:, None] - values[None]) / self.noise
        is_evaluated = np.asarray(pairs)[self.draws.own] > 0  # a run is evaluated in the languages that it holds
        return np.asarray(-0.5 * distance**2 * is_evaluated)

    def _reached(self, likelihoods: Floats) -> float:
        """Return the mean over the truths of what the mixture that is chosen under each is worth."""
        weights = np.exp(likelihoods - likelihoods.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        means = np.einsum("kdt,dat->kat", weights, self.values, optimize=True)
        floors = np.einsum("kdt,dft->kft", weights, self.floors, optimize=True)
        expected = self.objective.values(means) if self.objective.kind == "mean" else self._expected_worst(weights)
        chosen = np.argmax(expected - self._penalty(means, floors), axis=1)
        truths = np.arange(len(weights))
        true, own = self.values[truths, chosen], self.floors[truths]
        return float((self.objective.values(true) - self._penalty(true[:, None], own)[:, 0]).mean())

    def _expected_worst(self, weights: Floats) -> Floats:
        """Return the expected worst language of each mixture under each truth, shape (truths, mixtures)."""
        at = (np.arange(NUM_RESAMPLED) + 0.5) / NUM_RESAMPLED
        rng = np.random.default_rng(self.number)
        targets = np.arange(len(self.noise))
        rows = []
        for own in weights:  # of one truth, shape (draws, targets)
            sums = np.cumsum(own, axis=0)
            index = [rng.permutation(np.searchsorted(sums[:, t] / sums[-1, t], at)) for t in targets]
            sampled = self.values[np.stack(index, axis=1), :, targets]  # (resampled, targets, mixtures)
            rows.append(sampled.min(axis=1).mean(axis=0))
        return np.array(rows)

    def _penalty(self, values: Floats, floors: Floats) -> Floats:
        """Return what mixtures lose beyond the floors, shape (truths, mixtures)."""
        penalty = np.zeros(values.shape[:2])
        for number, floor in enumerate(self.objective.floors):
            lost = (floors[:, None, number] - values).reshape(-1, values.shape[-1])
            most = floor.of(lost.T).max(axis=0) - floor.points
            penalty += PENALTY * np.maximum(most, 0.0).reshape(values.shape[:2])
        return penalty
