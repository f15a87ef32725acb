"""Allocate a budget of sentence pairs to languages: exactly, by scaling laws, and with the regret to expect."""

from recipes.mixing.allocation import AllocationProblem, Integers, allocate_integers, allocation_problem, waterfill
from recipes.mixing.comparison import Frontier, MixtureComparison, central_interval, compare_mixtures, frontier
from recipes.mixing.curves import REPETITION_DECAY, Curves, PowerCurves, ShareCurves
from recipes.mixing.lang_values import check_lang, parse_lang_values, read_lang_values
from recipes.mixing.mixture import (
    BASELINES,
    Mixture,
    baseline,
    law_curves,
    optimum,
    parse_baseline,
    sample_curves,
)
from recipes.mixing.mixture_csv import read_mixture, write_mixture
from recipes.mixing.quantile import quantile_optimum
from recipes.mixing.regret import RegretEstimate, Sensitivity, estimate_regret, mean_value
from recipes.mixing.run_selection import OVERHEAD_PAIRS, NextRun, candidate_sizes, next_runs
from recipes.mixing.serialize import comparison_json, frontier_json, law_text, laws_json, round_numbers

__all__ = [
    "BASELINES",
    "OVERHEAD_PAIRS",
    "REPETITION_DECAY",
    "AllocationProblem",
    "Curves",
    "Frontier",
    "Integers",
    "Mixture",
    "MixtureComparison",
    "NextRun",
    "PowerCurves",
    "RegretEstimate",
    "Sensitivity",
    "ShareCurves",
    "allocate_integers",
    "allocation_problem",
    "baseline",
    "candidate_sizes",
    "central_interval",
    "check_lang",
    "compare_mixtures",
    "comparison_json",
    "estimate_regret",
    "frontier",
    "frontier_json",
    "law_curves",
    "law_text",
    "laws_json",
    "mean_value",
    "next_runs",
    "optimum",
    "parse_baseline",
    "parse_lang_values",
    "quantile_optimum",
    "read_lang_values",
    "read_mixture",
    "round_numbers",
    "sample_curves",
    "waterfill",
    "write_mixture",
]
