"""Fit and use laws with transfer: a language's value as a function of the pairs of all languages in training."""

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
from recipes.transfer.law import TransferLaw, TransferLaws
from recipes.transfer.laws_file import (
    TransferLawRow,
    TransferLawsFile,
    parse_transfer_laws,
    transfer_summary,
    write_transfer_laws,
)
from recipes.transfer.noise_floor import NoiseFloor, noise_floor
from recipes.transfer.objective import OBJECTIVES, Floor, Near, Objective, best_mixture
from recipes.transfer.runs import Runs, has_mixtures, runs_from_results
from recipes.transfer.surfaces import Surfaces, stack

__all__ = [
    "BY_WEIGHT",
    "CERTAINTY",
    "MATTERS",
    "OBJECTIVES",
    "Allocation",
    "Comparison",
    "Floor",
    "Near",
    "NoiseFloor",
    "Objective",
    "Runs",
    "Surfaces",
    "TransferLaw",
    "TransferLawRow",
    "TransferLaws",
    "TransferLawsFile",
    "allocate_by_transfer",
    "best_mixture",
    "by_weight",
    "design_mixtures",
    "fit_transfer",
    "has_mixtures",
    "noise_floor",
    "parse_transfer_laws",
    "runs_from_results",
    "stack",
    "transfer_summary",
    "without_largest",
    "write_transfer_laws",
]
