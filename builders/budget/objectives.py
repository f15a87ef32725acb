"""Read what a mixture is chosen for: the objective, its floors, and the mixture that should change least."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builders.budget.metric_laws import MetricLaws
from cards.releases import open_release
from corpora.errors import InputError, unknown
from recipes.mixing import BASELINES, AllocationProblem, baseline, read_mixture
from recipes.scaling import Floats
from recipes.transfer import BY_WEIGHT, MATTERS, OBJECTIVES, Floor, Near, Objective, by_weight


@dataclass(frozen=True)
class ObjectiveOptions:
    """The values of the options --objective, --no-worse-than, --near, --matters and --no-metric-worse-than."""

    objective: str = "mean"
    no_worse_than: Sequence[str | Path] = ()
    near: str | Path | None = None
    matters: float = MATTERS
    no_metric_worse_than: Sequence[str | Path] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the weighted mean is maximised without floors, for which laws of one language are exact."""
        has_floors = self.no_worse_than or self.no_metric_worse_than
        return self.objective == "mean" and not has_floors and self.near is None

    def check(self) -> None:
        """Raise InputError unless the objective is known and the difference that matters is a number above 0."""
        if self.objective not in OBJECTIVES:
            raise unknown("objective", self.objective, OBJECTIVES)
        if not (math.isfinite(self.matters) and self.matters >= 0):
            raise InputError(f"--matters takes a number of points of at least 0, such as 0.3, not {self.matters:g}.")

    def read(
        self, problem: AllocationProblem, registry: str | Path = "registry", laws: MetricLaws | None = None
    ) -> Objective:
        """Return the objective over the problem's languages, and over the metrics of several laws.

        Raises:
            InputError: A mixture cannot be read, or is not possible for the problem.
        """
        self.check()
        near = Near(str(self.near), _pairs(str(self.near), problem, registry), self.matters) if self.near else None
        floors = tuple(_floor(str(text), problem, registry) for text in self.no_worse_than)
        if laws is None or laws.is_single:
            if self.no_metric_worse_than:
                raise InputError("--no-metric-worse-than is for several metrics: give --laws once for each.")
            return Objective(self.objective, problem.weights, floors, near)
        return self._over_metrics(problem, registry, laws, floors, near)

    def _over_metrics(
        self,
        problem: AllocationProblem,
        registry: str | Path,
        laws: MetricLaws,
        floors: tuple[Floor, ...],
        near: Near | None,
    ) -> Objective:
        if self.objective == "worst":
            raise InputError(
                "--objective worst is for one metric, as values of different metrics cannot be compared. Use "
                "--no-worse-than, which holds for each language in each metric."
            )
        rows, names = laws.metric_rows(problem), tuple(f"{lang} in {m}" for m in laws.metrics for lang in problem.langs)
        floors = tuple(replace(floor, names=names) for floor in floors)
        of_metrics = [_floor(str(text), problem, registry) for text in self.no_metric_worse_than]
        floors += tuple(replace(floor, rows=rows, names=laws.metrics) for floor in of_metrics)
        return Objective("mean", laws.target_weights(problem), floors, near, laws.metrics, rows)


def _floor(text: str, problem: AllocationProblem, registry: str | Path) -> Floor:
    """Return the floor of a text such as `unimax`, `unimax:1.0` or `temperature:0.3:1.0`."""
    name, colon, points = text.rpartition(":")
    if not colon or name == "temperature" or _number(points) is None:
        name, points = text, "0"
    allowed = _number(points) or 0.0
    if allowed < 0:
        raise InputError(f"--no-worse-than {text}: a language may lose points of at least 0, not {points}.")
    return Floor(name, _pairs(name, problem, registry), allowed)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _pairs(name: str, problem: AllocationProblem, registry: str | Path) -> Floats:
    """Return the pairs of a mixture: a baseline's, a CSV's, or those of a release."""
    if name == BY_WEIGHT:
        return by_weight(problem).seen
    if name.partition(":")[0] in BASELINES:
        return baseline(name, problem).seen
    if Path(name).is_file() or name.endswith(".csv"):
        return read_mixture(Path(name), problem.langs).seen
    return _release_pairs(name, problem, registry)


def _release_pairs(name: str, problem: AllocationProblem, registry: str | Path) -> Floats:
    import numpy as np

    try:
        manifest = open_release(name, registry).manifest
    except InputError as error:
        raise InputError(
            f"{error} A mixture is one of {', '.join(BASELINES)} or {BY_WEIGHT}, a CSV of lang,rows,epochs, or a "
            "release."
        ) from None
    counts = dict.fromkeys(problem.langs, 0.0)
    for row in manifest["composition"]:
        if (row["task"], row["split"]) == ("translation", "train") and row["lang"] in counts:
            counts[row["lang"]] += row["num_rows"] * row.get("epochs", 1.0)
    return np.array(list(counts.values()))
