"""Fit scaling laws, allocate a budget, plan runs, and cut a build to a budget.

Names are loaded when they are used: a build without a budget needs no laws, and so no SciPy.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.budget.allocation import AllocationResult, allocate
    from builders.budget.budget import read_budget
    from builders.budget.format import mixture_lines
    from builders.budget.law_check import CheckResult, check
    from builders.budget.law_fit import FitResult, fit
    from builders.budget.run_costs import read_hours
    from builders.budget.run_plan import PlanResult, plan
    from builders.budget.subsampling import Budget, check_budget, count_available, name_by_budget, subsample

__all__ = [
    "AllocationResult",
    "Budget",
    "CheckResult",
    "FitResult",
    "PlanResult",
    "allocate",
    "check",
    "check_budget",
    "count_available",
    "fit",
    "mixture_lines",
    "name_by_budget",
    "plan",
    "read_budget",
    "read_hours",
    "subsample",
]
_MODULES = {
    "builders.budget.allocation": ("AllocationResult", "allocate"),
    "builders.budget.budget": ("read_budget",),
    "builders.budget.format": ("mixture_lines",),
    "builders.budget.law_check": ("CheckResult", "check"),
    "builders.budget.law_fit": ("FitResult", "fit"),
    "builders.budget.run_costs": ("read_hours",),
    "builders.budget.run_plan": ("PlanResult", "plan"),
    "builders.budget.subsampling": ("Budget", "check_budget", "count_available", "name_by_budget", "subsample"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
