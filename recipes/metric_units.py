"""The units of metrics: fractions where points are expected are refused or said."""

import logging
from collections.abc import Sequence

from corpora.errors import InputError

HUNDREDTHS = ("comet", "bleurt", "bertscore")  # names that contain one of these
MAX_FRACTION = 1.2  # BLEURT-20 is a little above 1 for perfect translations
MIN_POINTS = 10  # a greater range is one of points

logger = logging.getLogger(__name__)


def check_units(metric: str, values: Sequence[float], metric_range: tuple[float, float], where: str) -> None:
    """Raise InputError if values of a metric are fractions, but its range is that of hundredths.

    A law of fractions with a greatest value of 100 has no gap to close, and would be fitted without a complaint. Values
    of other metrics can be as low in truth, so a warning says it.

    Args:
        metric: The metric's name.
        values: Its values.
        metric_range: The least and the greatest value of the metric.
        where: Where they are from, for the error.
    """
    is_known = any(name in metric.lower() for name in HUNDREDTHS)
    if not is_known:
        if are_fractions(values, metric_range):
            logger.warning(
                "%s: all values of %s are at most 1, where its range is %g to %g. If they are fractions, multiply them "
                "by 100, or import them with --metric-range 0,1.",
                where, metric, *metric_range,
            )  # fmt: skip
        return
    if not (values and metric_range[1] > 2 * MAX_FRACTION):
        return
    if max(values) <= MAX_FRACTION:
        raise InputError(
            f"{where}: the values of {metric} are from {min(values):g} to {max(values):g}, which are fractions, but "
            f"its range is {metric_range[0]:g} to {metric_range[1]:g}. Multiply them by 100, or import them with "
            "--metric-range 0,1."
        )


def are_fractions(values: Sequence[float], metric_range: tuple[float, float]) -> bool:
    """Return True if values within a range of points look like fractions: some are above 0, and none is above 1."""
    return bool(values) and metric_range[1] >= MIN_POINTS and min(values) >= 0 and 0 < max(values) <= 1
