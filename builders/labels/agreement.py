"""How far annotators agree on the lines that two of them have labelled."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from builders.labels.intervals import Interval, cohens_kappa
from builders.labels.labels_file import Label


@dataclass(frozen=True)
class Agreement:
    """Two annotators, the lines that both have labelled, and their agreement."""

    first: str
    second: str
    num_lines: int
    num_equal: int
    kappa: Interval


def measure_agreement(labels: Iterable[Label]) -> list[Agreement]:
    """Return the agreement of every two annotators who have labelled the same lines."""
    by_annotator: dict[str, dict[tuple[str, str, int], str]] = {}
    for label in labels:
        by_annotator.setdefault(label.annotator, {})[label.line] = label.label
    rows = []
    for first, second in combinations(sorted(by_annotator), 2):
        a, b = by_annotator[first], by_annotator[second]
        pairs = [(a[line], b[line]) for line in sorted(a.keys() & b.keys())]
        if pairs:
            equal = sum(one == other for one, other in pairs)
            rows.append(Agreement(first, second, len(pairs), equal, cohens_kappa(pairs)))
    return rows
