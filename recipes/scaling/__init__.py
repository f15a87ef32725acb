"""Fit scaling laws to evaluation results: L(D) = E - A (D + D0)^-alpha for D sentence pairs of a language."""

from recipes.scaling.equivalence import Equivalence, equivalences
from recipes.scaling.fit import fit_points, fit_results
from recipes.scaling.functional_forms import fit_form
from recipes.scaling.law import FORMS, LEVEL, PARAMETERS, Floats, Laws, Point, ScalingLaw
from recipes.scaling.laws_file import LawRow, LawsFile, join_number_lists, read_laws, summary, write_laws
from recipes.scaling.selection import mean_gammas, select_results

__all__ = [
    "FORMS",
    "LEVEL",
    "PARAMETERS",
    "Equivalence",
    "Floats",
    "LawRow",
    "Laws",
    "LawsFile",
    "Point",
    "ScalingLaw",
    "equivalences",
    "fit_form",
    "fit_points",
    "fit_results",
    "join_number_lists",
    "mean_gammas",
    "read_laws",
    "select_results",
    "summary",
    "write_laws",
]
