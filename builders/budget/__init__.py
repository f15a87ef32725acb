"""Fit scaling laws, allocate a budget, plan runs, and cut a build to a budget."""

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
