"""Laws of several metrics over the same languages, as one objective sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from builders.budget.inputs import LawsLike, ResultSelection, load_laws
from corpora.errors import InputError, unknown
from recipes.mixing import AllocationProblem
from recipes.scaling import Floats, Laws
from recipes.transfer import AnyLaws, Surfaces, law_surfaces, stack


@dataclass(frozen=True)
class MetricLaws:
    """Laws of one metric or several.

    Args:
        laws: The laws, one of each metric.
        weights: What a point of each metric counts; they sum to 1.
    """

    laws: tuple[AnyLaws, ...]
    weights: tuple[float, ...] = (1.0,)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics."""
        return tuple(laws.metric for laws in self.laws)

    @property
    def is_single(self) -> bool:
        """Whether they are of one metric."""
        return len(self.laws) == 1

    def check(self, langs: Sequence[str]) -> None:
        """Raise InputError unless every language has a law of each metric."""
        for laws in self.laws:
            laws.check(langs)

    def surfaces(self, problem: AllocationProblem) -> Surfaces:
        """Return samples of all laws as surfaces, the targets of the first metric first."""
        of_metric = [law_surfaces(laws, problem) for laws in self.laws]
        num = min(len(surfaces.level) for surfaces in of_metric)
        return stack(*(surfaces.draws(slice(0, num)) for surfaces in of_metric))

    def target_weights(self, problem: AllocationProblem) -> Floats:
        """Return the weight of each target: a metric's times a language's."""
        return np.asarray(np.outer(self.weights, problem.weights).ravel(), float)

    def metric_rows(self, problem: AllocationProblem) -> Floats:
        """Return for each metric the weights of its weighted mean over the targets, shape (metrics, targets)."""
        return np.asarray(np.kron(np.eye(len(self.laws)), problem.weights), float)


def load_metric_laws(
    laws: LawsLike | Sequence[LawsLike], selection: ResultSelection, weight: Mapping[str, float] | None
) -> MetricLaws:
    """Return the laws of one metric or several, weighted.

    Args:
        laws: Laws, or several of different metrics; without, laws are fitted to the selected results.
        selection: The results.
        weight: What a point of a metric counts, by metric; 1 by default.

    Raises:
        InputError: Two laws are of one metric, or of metrics with other ranges, or a weight is of no metric.
    """
    all_laws: list[Any] = list(laws) if isinstance(laws, list | tuple) else [laws]
    loaded = [load_laws(own, selection) for own in all_laws or [None]]
    metrics = [own.metric for own in loaded]
    if twice := sorted({metric for metric in metrics if metrics.count(metric) > 1}):
        raise InputError(f"Several --laws are of {twice[0] or 'a metric without name'}. Give one of each metric.")
    greatest = {metric: _greatest(own) for metric, own in zip(metrics, loaded, strict=True)}
    if len(set(greatest.values())) > 1:
        shown = ", ".join(f"{metric} up to {value:g}" for metric, value in greatest.items())
        raise InputError(f"A point is not the same in all metrics: {shown}. Fit laws to values on one scale.")
    for metric, value in (weight or {}).items():
        if metric not in metrics:
            raise unknown("metric", metric, metrics)
        if not 0 < value < float("inf"):
            raise InputError(f"--metric-weight {metric}={value:g}: a number above 0 was expected.")
    weights = np.array([(weight or {}).get(metric, 1.0) for metric in metrics])
    return MetricLaws(tuple(loaded), tuple((weights / weights.sum()).tolist()))


def _greatest(laws: AnyLaws) -> float:
    return laws.metric_max if isinstance(laws, Laws) else laws.metric_range[1]
