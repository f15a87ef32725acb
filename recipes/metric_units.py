"""The units of metrics: fractions where points are expected are refused or said."""

import logging
from collections.abc import Iterator, Sequence

from corpora.errors import InputError
from recipes.results import Result

HUNDREDTHS = ("comet", "bleurt", "bertscore")  # names that contain one of these
MAX_FRACTION = 1.2  # BLEURT-20 is a little above 1 for perfect translations
MIN_POINTS = 10  # a greater range is one of points, and so is a greater value

logger = logging.getLogger(__name__)


def check_units(results: Sequence[Result], where: str) -> None:
    """Raise InputError if results of a metric are fractions, but its range is that of hundredths.

    A law of fractions with a greatest value of 100 has no gap to close, and would be fitted without a complaint; so
    would that of one language in fractions among others in points. Values of other metrics can be as low in truth, and
    so can some values of a language, so a warning says these.

    Args:
        results: Results of one metric and range.
        where: Where they are from, for the error.
    """
    if not results or results[0].metric_max <= 2 * MAX_FRACTION:
        return
    is_known = any(name in results[0].metric.lower() for name in HUNDREDTHS)
    for subject, fractions, are_all in _find_fractions(results, is_known):
        low, high = min(fractions), max(fractions)
        shown = f"are from {low:g} to {high:g}" if low < high else f"are {low:g}"
        text = f"{where}: {'the values' if are_all else 'values'} of {results[0].metric}{subject} {shown}, "
        limits = f"its range is {results[0].metric_min:g} to {results[0].metric_max:g}."
        remedy = "ultiply them by 100, or import them with --metric-range 0,1."
        if is_known and are_all:
            raise InputError(f"{text}which are fractions, but {limits} M{remedy}")
        logger.warning("%s", f"{text}where {limits} If they are fractions, m{remedy}")


def _find_fractions(results: Sequence[Result], is_known: bool) -> Iterator[tuple[str, list[float], bool]]:
    """Yield a subject for a sentence, its values that look like fractions, and whether they are all it has."""
    values, limits = [result.value for result in results], (results[0].metric_min, results[0].metric_max)
    max_fraction = MAX_FRACTION if is_known else 1
    if are_fractions(values, limits, max_fraction):
        yield "", values, True
    elif max(values) > MIN_POINTS:
        for lang in sorted({result.lang for result in results}):
            own = [result.value for result in results if result.lang == lang]
            low = [value for value in own if 0 < value <= max_fraction]
            if are_fractions(own, limits, max_fraction) or (is_known and low and max(own) > MIN_POINTS):
                yield f" in {lang}", low, len(low) == len(own)


def are_fractions(values: Sequence[float], metric_range: tuple[float, float], max_fraction: float = 1) -> bool:
    """Return True if values within a range of points look like fractions: some are above 0, and none is above 1."""
    return bool(values) and metric_range[1] >= MIN_POINTS and min(values) >= 0 and 0 < max(values) <= max_fraction
