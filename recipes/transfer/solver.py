"""Maximise concave goals over mixtures exactly: a barrier method with Newton steps, and a proven bound on the gap.

The method is the one of Boyd and Vandenberghe, Convex Optimization (2004), section 11.3. Each lower barrier begins
where the path of the maximums leads. The bound follows from the Lagrangian: it is concave, so its maximum over all
mixtures within the limits is at most its value plus the maximum of its linear approximation (Frank and Wolfe 1956),
which sorting gives.
"""

from dataclasses import dataclass, replace

import numpy as np

from recipes.mixing import AllocationProblem
from recipes.scaling import Floats
from recipes.transfer.goal import Goal, Solution
from recipes.transfer.linear import best_corner, bordered, solve
from recipes.transfer.soft_worst import SoftWorst, soft_worst
from recipes.transfer.surfaces import Derivatives, Surfaces

TOLERANCE = 5e-7  # of the gap, in units of the metric
MAX_STEPS = 60  # Newton steps at one barrier
BARRIER_FACTOR = 8.0
MIN_STEP = 1e-12
MIN_MARGIN = 1e-14
CLOSE = 1e-2  # share of the barrier that a Newton step gains where full steps are safe
CENTERED = 1e-3  # share of the barrier that a further Newton step would gain at most
MIN_BARRIER = 1e-12
SOFTNESS = 1e-4  # points by which an expected worst value that is bounded may be missed


@dataclass(frozen=True)
class _State:
    """Pairs, the worst value of rows, and the weights of the targets in the expected worst value that steps lead to."""

    pairs: Floats
    worst: float
    duals: Floats | None = None

    def after(self, step: "_Step", size: float) -> "_State":
        duals = self.duals if step.duals is None else step.duals
        return _State(self.pairs + size * step.pairs, self.worst + size * step.worst, duals)


@dataclass(frozen=True)
class _Step:
    """A Newton step of pairs and worst value, how much it is expected to gain, and the weights that it leads to."""

    pairs: Floats
    worst: float
    gain: float
    duals: Floats | None


def maximise(
    surfaces: Surfaces,
    goal: Goal,
    problem: AllocationProblem,
    start: Floats | None = None,
    tolerance: float = TOLERANCE,
) -> Solution:
    """Return the mixture of real numbers of pairs that is best for a goal.

    Args:
        surfaces: The laws.
        goal: The goal.
        problem: Budget, costs and limits.
        start: A mixture inside of all constraints that bound no worst value; needed if there are any.
        tolerance: The gap to reach.
    """
    return _Solver(surfaces, goal, problem).solve(start, tolerance)


class _Solver:
    """One goal over one problem; pairs are scaled so that an equal mixture is 1 of each language."""

    def __init__(self, surfaces: Surfaces, goal: Goal, problem: AllocationProblem) -> None:
        self.surfaces, self.goal, self.problem = surfaces, goal, problem
        self.scale = problem.budget / problem.costs.sum()
        self.low = np.maximum(problem.min_pairs, 1e-9 * self.scale) / self.scale
        high = np.minimum(problem.max_pairs, problem.budget / problem.costs) / self.scale
        self.high = np.maximum(high, self.low)
        self.costs = problem.costs / problem.costs.sum()
        self.free = np.flatnonzero(self.high > self.low * (1 + 1e-9))

    def solve(self, start: Floats | None, tolerance: float) -> Solution:
        state = self._start(start)
        barrier, best = 1.0, self._solution(state, 1.0, np.inf)
        while len(self.free) > 1 and barrier > MIN_BARRIER and best.gap > tolerance:
            state = self._center(state, barrier)
            latest = self._solution(state, barrier, best.bound)
            best = latest if latest.value >= best.value else replace(best, bound=latest.bound)
            state = self._ahead(state, barrier)
            barrier /= BARRIER_FACTOR
        return best

    def _start(self, start: Floats | None) -> _State:
        """Return a start strictly within the limits, and a worst value below all that bound it."""
        span = self.high - self.low
        share = (1.0 - self.costs @ self.low) / max(float(self.costs @ span), 1e-300)
        if share >= 1 - 1e-9:  # the budget buys all that there is
            self.free = self.free[:0]
        middle = self.low + span * np.clip(share, 0.0, 1.0)
        pairs = middle if start is None else start / self.scale
        values = self._slack(self.surfaces.means(pairs * self.scale), 0.0)
        in_worst = self.goal.in_worst > 0
        return _State(pairs, float(values[in_worst].min()) - 1.0 if in_worst.any() else 0.0)

    def _slack(self, means: Floats, worst: float) -> Floats:
        """Return by how much each constraint is kept."""
        return np.asarray(self.goal.rows @ means - self.goal.bounds - self.goal.in_worst * worst)

    def _worst(self, values: Floats, barrier: float) -> SoftWorst | None:
        """Return the expected worst target, softened by the barrier; where it is bounded, by a constant."""
        if self.goal.expects_worst:
            return soft_worst(values, barrier)
        return None if self.goal.least_worst is None else soft_worst(values, SOFTNESS / values.shape[1])

    def _worst_weight(self, worst: SoftWorst, barrier: float) -> float:
        """Return what a point of the expected worst target is worth."""
        return 1.0 if self.goal.expects_worst else barrier / max(self._worst_slack(worst), MIN_MARGIN)

    def _worst_slack(self, worst: SoftWorst) -> float:
        return np.inf if self.goal.least_worst is None else worst.value - self.goal.least_worst

    def _distance(self, pairs: Floats) -> tuple[float, Floats, Floats]:
        """Return the divergence from the shares that the mixture should be near, its gradient and curvature."""
        if self.goal.shares is None:
            return 0.0, np.zeros_like(pairs), np.zeros_like(pairs)
        spent = self.costs * pairs
        ratio = np.log(np.maximum(spent, 1e-300) / self.goal.shares)
        return float(spent @ ratio), self.costs * (ratio + 1), self.costs / np.maximum(pairs, 1e-300)

    def _merit(self, state: _State, barrier: float) -> float:
        """Return the goal with its barriers; minus infinity outside of them."""
        pairs = state.pairs[self.free]
        to_low, to_high = pairs - self.low[self.free], self.high[self.free] - pairs
        if to_low.min() <= 0 or to_high.min() <= 0:
            return -np.inf
        values = self.surfaces.values(state.pairs * self.scale)
        means = values.mean(axis=0)
        slack = self._slack(means, state.worst)
        if len(slack) and slack.min() <= 0:
            return -np.inf
        value = self.goal.weights @ means + self.goal.has_worst * state.worst - self._distance(state.pairs)[0]
        if worst := self._worst(values, barrier):
            if self._worst_slack(worst) <= 0:
                return -np.inf
            value += worst.value if self.goal.expects_worst else barrier * np.log(self._worst_slack(worst))
        return float(value + barrier * (np.log(to_low).sum() + np.log(to_high).sum() + np.log(slack).sum()))

    def _center(self, state: _State, barrier: float) -> _State:
        """Return the maximum of the goal with its barriers, by Newton steps within the budget."""
        for _ in range(MAX_STEPS):
            step = self._newton(state, barrier)
            size, before = 1.0, self._merit(state, barrier)
            while size > MIN_STEP:
                trial = state.after(step, size)
                merit = self._merit(trial, barrier)
                if merit >= before + size * 1e-4 * step.gain - 1e-15 * abs(before):
                    break
                if step.gain < CLOSE * barrier and np.isfinite(merit):
                    break  # so near that Newton's method converges, and that the goal's rounding hides what it gains
                size /= 2
            if size <= MIN_STEP:
                break
            state = trial
            if step.gain < CENTERED * barrier:
                break
        return state

    def _ahead(self, state: _State, barrier: float) -> _State:
        """Return where the path of the maximums leads from the one at a barrier to the next barrier.

        A Newton step for the next barrier alone would keep the curvature of a lower barrier at the slacks of this one,
        and go too far.
        """
        step, following = self._newton(state, barrier, 1 / BARRIER_FACTOR), barrier / BARRIER_FACTOR
        before = self._merit(state, following)
        for size in (1.0, 0.5, 0.25, 0.125):
            trial = replace(state.after(step, size), duals=state.duals)
            if self._merit(trial, following) > before:
                return trial
        return state

    def _newton(self, state: _State, barrier: float, ratio: float = 1.0) -> _Step:
        """Return the Newton step to the maximum at `ratio` times a barrier, if not 1 from the one at the barrier."""
        goal, free, n = self.goal, self.free, len(self.free)
        derivatives = self.surfaces.derivatives(state.pairs * self.scale)
        gradient = derivatives.means() * self.scale
        slack = np.maximum(self._slack(derivatives.values.mean(axis=0), state.worst), MIN_MARGIN)
        _, distance, bend = self._distance(state.pairs)
        to_low, to_high = state.pairs[free] - self.low[free], self.high[free] - state.pairs[free]
        slope = ((goal.weights + (ratio * barrier / slack) @ goal.rows) @ gradient - distance)[free]
        slope += ratio * barrier * (1 / to_low - 1 / to_high)
        weights = goal.weights + (barrier / slack) @ goal.rows
        worst = self._worst(derivatives.values, barrier)
        if worst is None:
            hessian = self.surfaces.hessian(derivatives, weights)[np.ix_(free, free)] * self.scale**2
        else:
            if goal.expects_worst and ratio == 1.0:
                worst = worst.with_duals(state.duals)
            slope += self._worst_slope(worst, derivatives, barrier, ratio)
            hessian = self._worst_hessian(worst, derivatives, weights, barrier)
        hessian -= np.diag(bend[free] + barrier / to_low**2 + barrier / to_high**2)
        of_rows = (goal.rows @ gradient)[:, free]
        curved = barrier / slack**2
        hessian -= (of_rows.T * curved) @ of_rows
        if not goal.has_worst:
            step = solve(bordered(hessian, self.costs[free]), -np.append(slope, 0.0))[:n]
            full = self._full(step)
            duals = worst.duals_after(derivatives.along(full * self.scale)) if worst and goal.expects_worst else None
            return _Step(full, 0.0, float(slope @ step), duals)
        of_worst = 1.0 - ratio * float(goal.in_worst @ (barrier / slack))
        column = of_rows.T @ (goal.in_worst * curved)
        joint = np.block([[hessian, column[:, None]], [column[None], -np.array([[goal.in_worst**2 @ curved]])]])
        step = solve(bordered(joint, np.append(self.costs[free], 0.0)), -np.append(slope, [of_worst, 0.0]))[: n + 1]
        gain = float(slope @ step[:n] + of_worst * step[n])
        return _Step(self._full(step[:n]), float(step[n]), gain, None)

    def _worst_slope(self, worst: SoftWorst, derivatives: Derivatives, barrier: float, ratio: float) -> Floats:
        """Return the part of the slope that the expected worst target has."""
        price = self._worst_weight(worst, barrier)
        if self.goal.expects_worst:
            return np.asarray(price * self.scale * worst.ahead(ratio).gradient(derivatives)[self.free])
        return np.asarray(ratio * price * self.scale * worst.gradient(derivatives)[self.free])

    def _worst_hessian(self, worst: SoftWorst, derivatives: Derivatives, weights: Floats, barrier: float) -> Floats:
        """Return the Hessian of a weighted sum of the targets and of the expected worst one."""
        price, free = self._worst_weight(worst, barrier), np.ix_(self.free, self.free)
        hessian = self.surfaces.hessian(derivatives, weights + price * worst.duals, price * worst.curved)
        hessian = (hessian + price * worst.common(derivatives))[free] * self.scale**2
        if not self.goal.expects_worst:
            slope = self.scale * worst.gradient(derivatives)[self.free]
            hessian -= price**2 / barrier * np.outer(slope, slope)
        return np.asarray(hessian)

    def _full(self, step: Floats) -> Floats:
        full = np.zeros_like(self.low)
        full[self.free] = step
        return np.asarray(full)

    def _solution(self, state: _State, barrier: float, bound: float) -> Solution:
        """Return the solution with the lower of a bound and that of the Lagrangian at the barrier's multipliers."""
        goal = self.goal
        derivatives = self.surfaces.derivatives(state.pairs * self.scale)
        means = derivatives.values.mean(axis=0)
        slack = self._slack(means, state.worst)
        multipliers = barrier / np.maximum(slack, MIN_MARGIN)
        in_worst = goal.in_worst > 0
        plain = self._slack(means, 0.0)
        worst = float(plain[in_worst].min()) if goal.has_worst else 0.0
        if goal.has_worst:
            of_worst = np.where(in_worst, multipliers, 0.0)
            multipliers = np.where(in_worst, of_worst / of_worst.sum(), multipliers / of_worst.sum())
        value = float(goal.weights @ means) + worst - self._distance(state.pairs)[0]
        lagrangian = float(goal.weights @ means + multipliers @ plain) - self._distance(state.pairs)[0]
        weights = goal.weights + multipliers @ goal.rows
        gradient = weights @ derivatives.means() * self.scale - self._distance(state.pairs)[1]
        if soft := self._worst(derivatives.values, barrier):
            price = self._worst_weight(soft, barrier)
            if goal.expects_worst and len(self.free) > 1:
                soft = soft.after(derivatives.along(self.scale * self._newton(state, barrier).pairs))
            gradient = gradient + price * soft.gradient(derivatives) * self.scale
            if goal.expects_worst:
                value += float(derivatives.values.min(axis=1).mean())
                lagrangian += float((soft.weights * derivatives.values).sum(axis=1).mean())
            else:
                lagrangian += price * self._worst_slack(soft)
        linear = float(gradient @ (best_corner(gradient, self.costs, self.low, self.high) - state.pairs))
        margin = float(plain[~in_worst].min()) if (~in_worst).any() else np.inf
        return Solution(state.pairs * self.scale, value, min(bound, lagrangian + linear), margin)
