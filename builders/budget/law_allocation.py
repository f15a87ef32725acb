"""Allocate a release's budget by laws for an objective, with what was measured of the mixture afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from builders.budget.inputs import LangValues, check_weights
from builders.budget.objectives import ObjectiveOptions
from corpora.errors import InputError
from recipes.mixing import AllocationProblem, Mixture, comparison_json, laws_json, optimum
from recipes.scaling import Laws
from recipes.transfer import (
    AnyLaws,
    Prediction,
    TransferLaws,
    allocate_by_transfer,
    allocation_summary,
    law_surfaces,
    laws_digest,
    read_predictions,
    transfer_laws_json,
)

SAME_MIXTURE = 0.01  # of the budget: rows that are too long for a model are not trained on


@dataclass(frozen=True)
class LawGoal:
    """What laws allocate a release's budget for.

    Args:
        options: The objective, its floors, and what the optimum is compared with.
        weight: The weight of each language, by language; 1 by default.
        predictions: The ledger of `builders check`; None without what was measured.
        registry: Where releases of floors are.
    """

    options: ObjectiveOptions = field(default_factory=ObjectiveOptions)
    weight: LangValues = field(default_factory=dict)
    predictions: Path | None = None
    registry: str | Path = "registry"

    @property
    def suffix(self) -> str:
        """What the objective adds to a release's name: nothing for the plain mean."""
        return "-worst" if self.options.objective == "worst" else "-weighted" if self.weight else ""

    def weights(self, langs: Sequence[str]) -> list[float]:
        """Return the weight of each language."""
        return check_weights(self.weight, langs)


def allocate_release(laws: AnyLaws, goal: LawGoal, problem: AllocationProblem) -> tuple[Mixture, dict[str, Any]]:
    """Return the optimum for a goal, and what a manifest says of it.

    Raises:
        InputError: No mixture keeps the floors, or the ledger has nothing measured of the optimum.
    """
    if isinstance(laws, Laws) and goal.options.is_plain:
        chosen = laws.select(problem.langs)
        mixture = optimum(chosen, problem)
        description = {"laws": laws_json(chosen, mixture), **comparison_json(chosen, problem, mixture)}
    else:
        mixture, description = _by_objective(laws, goal, problem)
    measured = measured_rows(laws, mixture, goal.predictions) if goal.predictions else []
    return mixture, {"metric": laws.metric, **description, **({"measured": measured} if measured else {})}


def _by_objective(laws: AnyLaws, goal: LawGoal, problem: AllocationProblem) -> tuple[Mixture, dict[str, Any]]:
    draws, objective = law_surfaces(laws, problem), goal.options.read(problem, goal.registry)
    allocation = allocate_by_transfer(draws, objective, problem, goal.options.matters)
    shown = (
        transfer_laws_json(laws, problem.langs, allocation.optimum)
        if isinstance(laws, TransferLaws)
        else laws_json(laws.select(problem.langs), allocation.optimum)
    )
    summary = allocation_summary(allocation, allocation.optimum, draws, objective, problem)
    return allocation.optimum, {"laws": shown, **summary}


def measured_rows(laws: AnyLaws, mixture: Mixture, path: Path) -> list[dict[str, Any]]:
    """Return what models trained on a mixture reached by language, from a ledger of predictions.

    Raises:
        InputError: The ledger cannot be read, or has nothing of this mixture by these laws.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist. `builders check` writes it when models have been evaluated.")
    ledger = read_predictions(path)
    known = [p for p in ledger if isinstance(laws, TransferLaws) and p.laws == laws_digest(laws)]
    rows = [_measured_row(p) for p in known if p.metric == laws.metric and _is_of(p, mixture)]
    if not rows:
        counts = " ".join(f"{lang}={count}" for lang, count in zip(mixture.langs, mixture.pairs, strict=True))
        raise InputError(
            f"{path} has {len(ledger):,} predictions, {len(known):,} of them by these laws, and none of the mixture "
            f"{counts}. Train on it, evaluate, and run `builders check` with the laws that it is by; or leave out "
            "--predictions."
        )
    return rows


def _is_of(prediction: Prediction, mixture: Mixture) -> bool:
    """Return whether a prediction is of a mixture."""
    if set(prediction.mixture) - set(mixture.langs):
        return False
    counts = np.array([prediction.mixture.get(lang, 0) for lang in mixture.langs])
    return bool(np.abs(counts - mixture.seen).sum() <= SAME_MIXTURE * mixture.seen.sum())


def _measured_row(prediction: Prediction) -> dict[str, Any]:
    return {
        "lang": prediction.lang,
        "benchmark": prediction.benchmark,
        "direction": prediction.direction,
        "predicted": round(prediction.predicted, 4),
        "interval": [round(end, 4) for end in prediction.interval],
        "value": round(prediction.measured, 4),
        "value_interval": [round(end, 4) for end in prediction.measured_interval or ()] or None,
        "num_seeds": prediction.num_seeds,
        "is_covered": prediction.is_covered,
    }
