"""Fit scaling laws, allocate a budget, plan runs, and cut a build to a budget.

Names are loaded when they are used: a build without a budget needs no laws, and so no SciPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builders.budget.allocation import AllocationResult, allocate
    from builders.budget.budget import read_budget
    from builders.budget.format import mixture_lines
    from builders.budget.law_fit import FitResult, fit
    from builders.budget.run_plan import PlanResult, plan
    from builders.budget.subsampling import Budget, check_budget, count_available, name_by_budget, subsample

__all__ = [
    "AllocationResult",
    "Budget",
    "FitResult",
    "PlanResult",
    "allocate",
    "check_budget",
    "count_available",
    "fit",
    "mixture_lines",
    "name_by_budget",
    "plan",
    "read_budget",
    "subsample",
]
_MODULES = {
    "allocation": ("AllocationResult", "allocate"),
    "budget": ("read_budget",),
    "format": ("mixture_lines",),
    "law_fit": ("FitResult", "fit"),
    "run_plan": ("PlanResult", "plan"),
    "subsampling": ("Budget", "check_budget", "count_available", "name_by_budget", "subsample"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"builders.budget.{module}"), name)
    raise AttributeError(f"module 'builders.budget' has no attribute '{name}'")
