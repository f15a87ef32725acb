"""Allocate a budget for an objective, by laws of either kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from builders.budget.metric_laws import MetricLaws
from builders.budget.transfer_format import objective_html, objective_text
from recipes.mixing import AllocationProblem, Mixture
from recipes.transfer import (
    Allocation,
    Objective,
    Surfaces,
    allocate_by_transfer,
    allocation_summary,
)


@dataclass(frozen=True, repr=False)
class ObjectiveResult:
    """A mixture for a budget and an objective, and the plainer mixtures beside it.

    Args:
        problem: What was allocated, and within which limits.
        laws: The laws that it is by, one of each metric.
        objective: What the mixture is best for.
        allocation: The optimum, the plainer mixtures, and the recommended one.
        draws: The laws' posterior samples.
        available_from: Where the numbers of available pairs are from.
        files: The files that were written.
    """

    problem: AllocationProblem
    laws: MetricLaws
    objective: Objective
    allocation: Allocation
    draws: Surfaces
    available_from: str
    files: tuple[Path, ...] = ()

    @property
    def metric(self) -> str:
        """The metric, or the metrics."""
        return " and ".join(self.laws.metrics)

    @property
    def mixture(self) -> Mixture:
        """The optimum."""
        return self.allocation.optimum

    @property
    def recommended(self) -> Mixture:
        """The plainest mixture that is not clearly behind the optimum."""
        return self.allocation.recommended.mixture

    @cached_property
    def _table(self) -> dict[str, Any]:
        return objective_table(self)

    def to_json(self) -> Mapping[str, Any]:
        """Return the mixture, what the laws predict of it, the plainer mixtures and the recommended one."""
        return self._table

    def __repr__(self) -> str:
        text = objective_text(self._table, self.problem, self.available_from)
        return "\n".join([text, *(f"Written: {path}" for path in self.files)])

    def _repr_html_(self) -> str:
        return objective_html(self._table, self.problem)


def allocate_objective(
    laws: MetricLaws, problem: AllocationProblem, objective: Objective, matters: float, available_from: str
) -> ObjectiveResult:
    """Return the best mixture for an objective, and the recommended one."""
    draws = laws.surfaces(problem)
    allocation = allocate_by_transfer(draws, objective, problem, matters)
    return ObjectiveResult(problem, laws, objective, allocation, draws, available_from)


def objective_table(result: ObjectiveResult) -> dict[str, Any]:
    """Return an allocation for an objective as JSON values, with the keys of a mean's allocation."""
    mixture, problem = result.mixture, result.problem
    rows = zip(problem.langs, mixture.pairs.tolist(), mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)
    return {
        "budget": problem.budget,
        "unit": problem.unit,
        "spent": float(problem.costs @ mixture.pairs),
        "metric": result.metric,
        "mixture": [
            {"lang": lang, "num_pairs": pairs, "num_rows": own, "epochs": epochs} for lang, pairs, own, epochs in rows
        ],
        **allocation_summary(result.allocation, mixture, result.draws, result.objective, problem),
    }


def with_files(result: ObjectiveResult, files: tuple[Path, ...]) -> ObjectiveResult:
    """Return a result with the files that were written."""
    return replace(result, files=files)
