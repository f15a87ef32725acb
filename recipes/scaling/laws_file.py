"""Laws as JSON: what `builders fit` writes, and what a person may write by hand."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.reading import parse_json
from corpora.tables import STRICT, check_reference, parse_row
from recipes.scaling.law import LEVEL, PARAMETERS, Floats, Laws, Point, ScalingLaw

SAMPLE_DIGITS = 9  # significant digits of a posterior sample in a file
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Parameters = tuple[Number, Number, Number, Number]


@dataclass(frozen=True)
class LawRow:
    """A law in a file of laws; `lang`, `scale` and `exponent` suffice."""

    __pydantic_config__ = STRICT
    lang: str
    """The language."""
    scale: Annotated[float, Field(ge=1e-30, le=1e30)]
    """A."""
    exponent: Annotated[float, Field(ge=1e-6, lt=1)]
    """alpha."""
    asymptote: Annotated[float, Field(ge=-1e6, le=1e6)] | None = None
    """E; by default the metric's greatest value."""
    offset: Annotated[float, Field(ge=0, le=1e18)] = 0.0
    """D0, in pairs."""
    functional_form: Literal["power", "saturating", "shifted"] = "power"
    """Which parameters are free."""
    gamma: Positive | None = None
    """The language's similarity to English."""
    paper_alpha: float | None = None
    """The alpha of arXiv 2308.04948; it follows from the others."""
    noise: Positive | None = None
    """The standard deviation of a run's value."""
    shrinkage: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of what is known of the exponent that comes from other languages."""
    holdout_error: dict[str, Positive] = field(default_factory=dict)
    """By form, the mean absolute error on the largest sizes when they were left out of the fit."""
    intervals: dict[str, tuple[Number, Number]] = field(default_factory=dict)
    """The 90 % intervals of the parameters; they follow from the samples."""
    points: tuple[tuple[int, Number, Positive | None, bool], ...] = ()
    """The measured values, each as [pairs, value, standard error or null, used]."""
    samples: tuple[Parameters, ...] = ()
    """Posterior samples, each as [asymptote, scale, exponent, offset]."""


@dataclass(frozen=True)
class LawsFile:
    """A file of laws."""

    __pydantic_config__ = STRICT
    laws: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]
    """The laws, one for each language."""
    metric: str = ""
    """The metric."""
    metric_max: Number = 100.0
    """The metric's greatest value."""
    level: float = LEVEL
    """The level of the intervals."""
    not_fitted: dict[str, str] = field(default_factory=dict)
    """For each language without a law, the reason."""


def write_laws(path: Path, laws: Laws) -> None:
    """Write laws as JSON, in one step."""
    table = {
        "metric": laws.metric,
        "metric_max": laws.metric_max,
        "level": LEVEL,
        "not_fitted": dict(laws.not_fitted),
        "laws": [summary(law) | {"samples": _rounded(law.samples)} for law in laws.laws.values()],
    }
    text = json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(join_number_lists(text) + "\n", encoding="utf-8")


def _rounded(samples: Floats) -> list[list[float]]:
    return [[float(f"{value:.{SAMPLE_DIGITS}g}") for value in row] for row in samples.tolist()]


def join_number_lists(text: str) -> str:
    """Put each list of numbers in indented JSON on one line."""
    one_line = re.compile(r"\[[^\[\]{}\"]*\]")
    return one_line.sub(lambda match: " ".join(match[0].split()).replace("[ ", "[").replace(" ]", "]"), text)


def summary(law: ScalingLaw) -> dict[str, Any]:
    """Return a law as JSON values without its samples, as manifests and cards have it."""
    known = {"gamma": law.gamma, "paper_alpha": law.paper_alpha} if law.gamma else {}
    return {
        "lang": law.lang,
        "functional_form": law.functional_form,
        **{name: getattr(law, name) for name in PARAMETERS},
        **known,
        "intervals": {name: list(law.parameter_interval(name)) for name in PARAMETERS} if len(law.samples) else {},
        "noise": law.noise,
        "shrinkage": law.shrinkage,
        "holdout_error": dict(law.holdout_error),
        "points": [[p.size, p.value, p.std, p.used] for p in law.points],
    }


def read_laws(path: Path) -> Laws:
    """Return the laws in a JSON file.

    Raises:
        InputError: The file cannot be read, or a law is not as expected; the message has file, law and key.
    """
    try:
        content = parse_json(path.read_bytes(), path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. `builders fit` writes laws; --laws names another file.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a file of laws was expected.") from None
    file = parse_row(content, LawsFile, str(path))
    laws: dict[str, ScalingLaw] = {}
    for number, row in enumerate(file.laws, start=1):
        law = _law(row, file.metric_max, f"{path}, law {number}")
        if law.lang in laws:
            raise InputError(f"{path}, law {number}: {law.lang} has a law already. Keep one of them.")
        laws[law.lang] = law
    return Laws(file.metric, file.metric_max, laws, file.not_fitted)


def _law(values: Mapping[str, Any], metric_max: float, where: str) -> ScalingLaw:
    row = parse_row(values, LawRow, where)
    check_reference(row.lang, languages(), "language", where)
    return ScalingLaw(
        row.lang,
        metric_max if row.asymptote is None else row.asymptote,
        row.scale,
        row.exponent,
        row.offset,
        functional_form=row.functional_form,
        gamma=row.gamma,
        noise=row.noise,
        shrinkage=row.shrinkage,
        holdout_error=row.holdout_error,
        points=tuple(Point(*point) for point in row.points),
        samples=_samples(row, where),
    )


def _samples(row: LawRow, where: str) -> Floats:
    """Return the samples as an array, each of them checked as the law itself is."""
    samples = np.array(row.samples, float).reshape(-1, 4)
    low, high = np.array([-1e6, 1e-30, 1e-6, 0]), np.array([1e6, 1e30, 1 - 1e-12, 1e18])
    if not np.all((samples >= low) & (samples <= high)):
        raise InputError(f"{where}: 'samples' must hold [asymptote, scale, exponent, offset] within the law's bounds.")
    return samples
