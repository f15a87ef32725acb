"""Select the results that a fit may mix: of one metric, benchmark and direction, computed in one way."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import numpy as np

from corpora.errors import InputError
from recipes.metric_units import check_units
from recipes.results import Result

GAMMA = "gamma"  # the metric of rows that hold a language's similarity to English


def select_results(
    results: Iterable[Result],
    metric: str | None = None,
    benchmark: str | None = None,
    direction: str | None = None,
    model: str | None = None,
    langs: Sequence[str] = (),
) -> list[Result]:
    """Return the results of one metric, benchmark and direction.

    Args:
        results: The results to select from.
        metric: The metric; None if there is only one.
        benchmark: The benchmark; None if there is only one.
        direction: The direction; None if there is only one.
        model: A name or pattern of models, such as `tiny-*`; None for all models.
        langs: The languages; none for all.

    Raises:
        InputError: Nothing is left, or results of several kinds are.
    """
    left = [r for r in results if r.metric != GAMMA and (not langs or r.lang in langs)]
    left = [r for r in left if model is None or fnmatchcase(r.model, model)]
    for key, value in {"metric": metric, "benchmark": benchmark, "direction": direction}.items():
        left = _select(left, key, value)
    if len(ranges := sorted({(r.metric_min, r.metric_max) for r in left})) > 1:
        shown = " and ".join(f"{low:g} to {high:g}" for low, high in ranges)
        raise InputError(f"The results of {left[0].metric} disagree on the metric's range: {shown}. Correct the file.")
    check_units(left, "The results")
    if len(signatures := sorted({r.signature for r in left})) > 1:
        raise InputError(
            f"These results were computed in {len(signatures)} ways that cannot be compared: {'; '.join(signatures)}. "
            "Evaluate again with one signature, or move the others to another file."
        )
    return left


def _select(results: Sequence[Result], key: str, value: str | None) -> list[Result]:
    """Return the results with a value of a key; without a value, all results, which must then agree on it."""
    known = sorted({getattr(r, key) for r in results})
    if value is None and len(known) > 1:
        raise InputError(f"The results are of {len(known)} {key}s ({', '.join(known)}). Choose one by --{key}.")
    left = [r for r in results if value is None or getattr(r, key) == value]
    if not left:
        condition = f"has the {key} '{value}'" if value is not None else "is of these models and languages"
        raise InputError(f"No result {condition}. Known: {', '.join(known) or 'none'}.")
    return left


def mean_gammas(results: Iterable[Result]) -> dict[str, float]:
    """Return the mean similarity to English of each language that has results of the metric `gamma`."""
    values: dict[str, list[float]] = {}
    for result in results:
        if result.metric == GAMMA:
            values.setdefault(result.lang, []).append(result.value)
    return {lang: float(np.mean(own)) for lang, own in values.items()}
