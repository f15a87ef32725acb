"""The comparison of a measure with a threshold that a filter makes, and its value for every line."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from builders.lines.columns import Array, Lines
from builders.pipeline import Filter

COMPARISON = re.compile(r"\s*(.+?)\s*(<=|>=|<|>)\s*\$(\w+)\s*")
BEYOND = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@dataclass(frozen=True)
class Comparison:
    """What a filter compares: a measure in SQL, and the threshold beyond which it rejects."""

    measure: str
    sign: str
    threshold: str

    def is_beyond(self, values: Array, limit: float) -> Any:
        """Return for every value whether it is beyond a threshold; never for a line without one."""
        return BEYOND[self.sign](values, limit)


def comparison_of(rule: Filter) -> Comparison | None:
    """Return the comparison that a page shows for a filter: that of its key `histogram`, or its whole condition."""
    return _parse(rule.histogram) if rule.histogram else _parse(rule.reject)


def _parse(condition: str) -> Comparison | None:
    """Return `MEASURE < $name`, also of several measures joined by `or`, as one comparison."""
    matches = [COMPARISON.fullmatch(part) for part in condition.split(" or ")]
    if not condition or not all(matches):
        return None
    sides = [match.groups() for match in matches if match]
    if len({(sign, name) for _, sign, name in sides}) > 1 or any(" and " in measure for measure, _, _ in sides):
        return None
    measures, (_, sign, name) = [measure for measure, _, _ in sides], sides[0]
    if len(measures) > 1:
        return Comparison(f"{'least' if '<' in sign else 'greatest'}({', '.join(measures)})", sign, name)
    return Comparison(measures[0], sign, name)


def measure_values(lines: Lines, comparison: Comparison) -> Array:
    """Return the measure of every line; NaN for lines that were not measured."""
    return lines.numbers(comparison.measure)


def is_rejected(lines: Lines, rule: Filter, thresholds: dict[str, float]) -> Array:
    """Return for every line whether a filter would reject it with these thresholds, if it looked at it."""
    comparison = _parse(rule.reject)
    if comparison:
        return np.asarray(comparison.is_beyond(measure_values(lines, comparison), thresholds[comparison.threshold]))
    used = {name: thresholds[name] for name in re.findall(r"\$(\w+)", rule.reject)}
    rejected: Array = lines.evaluate(f"coalesce({rule.reject}, false)", used).to_numpy().astype(bool)
    return rejected
