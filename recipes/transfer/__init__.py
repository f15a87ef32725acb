"""Fit and use laws with transfer: a language's value as a function of the pairs of all languages in training."""

from recipes.transfer.any_laws import AnyLaws, fit_any, law_surfaces, read_any_laws
from recipes.transfer.comparison import (
    BY_WEIGHT,
    CERTAINTY,
    MATTERS,
    Allocation,
    Comparison,
    allocate_by_transfer,
    by_weight,
)
from recipes.transfer.design import design_mixtures
from recipes.transfer.fit import fit_transfer, without_largest
from recipes.transfer.frontier import objective_gains, surface_table
from recipes.transfer.law import TransferLaw, TransferLaws
from recipes.transfer.laws_file import (
    TransferLawRow,
    TransferLawsFile,
    parse_transfer_laws,
    transfer_summary,
    write_transfer_laws,
)
from recipes.transfer.next_runs import MixturePlan, NextMixture, next_mixtures
from recipes.transfer.noise import NoiseFloor, noise_floor
from recipes.transfer.objective import OBJECTIVES, Floor, Near, Objective, best_mixture
from recipes.transfer.predictions import (
    Calibration,
    Prediction,
    append_predictions,
    calibration,
    check_predictions,
    laws_digest,
    read_predictions,
)
from recipes.transfer.runs import Runs, has_mixtures, runs_from_results
from recipes.transfer.serialize import (
    allocation_summary,
    objective_summary,
    recommendation,
    transfer_law_text,
    transfer_laws_json,
)
from recipes.transfer.surfaces import Surfaces, stack

__all__ = [
    "BY_WEIGHT",
    "CERTAINTY",
    "MATTERS",
    "OBJECTIVES",
    "Allocation",
    "AnyLaws",
    "Calibration",
    "Comparison",
    "Floor",
    "MixturePlan",
    "Near",
    "NextMixture",
    "NoiseFloor",
    "Objective",
    "Prediction",
    "Runs",
    "Surfaces",
    "TransferLaw",
    "TransferLawRow",
    "TransferLaws",
    "TransferLawsFile",
    "allocate_by_transfer",
    "allocation_summary",
    "append_predictions",
    "best_mixture",
    "by_weight",
    "calibration",
    "check_predictions",
    "design_mixtures",
    "fit_any",
    "fit_transfer",
    "has_mixtures",
    "law_surfaces",
    "laws_digest",
    "next_mixtures",
    "noise_floor",
    "objective_gains",
    "objective_summary",
    "parse_transfer_laws",
    "read_any_laws",
    "read_predictions",
    "recommendation",
    "runs_from_results",
    "stack",
    "surface_table",
    "transfer_law_text",
    "transfer_laws_json",
    "transfer_summary",
    "without_largest",
    "write_transfer_laws",
]
