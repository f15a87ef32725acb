"""Laws with transfer as JSON: what `builders fit` writes where models were trained on mixtures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.tables import STRICT, check_reference, parse_row
from recipes.scaling import LEVEL, Floats, join_number_lists
from recipes.transfer.law import PARAMETERS, TransferLaw, TransferLaws

SAMPLE_DIGITS = 6  # significant digits of a posterior sample in a file
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class TransferLawRow:
    """A law with transfer in a file of laws."""

    __pydantic_config__ = STRICT
    lang: str
    """The language."""
    unit: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """The pairs that sizes are multiples of."""
    parameters: tuple[Number, ...]
    """a, s, k, x0, t, r, then the weight u of each donor."""
    samples: tuple[tuple[Number, ...], ...]
    """Posterior samples of the same."""
    noise: Positive
    """The standard deviation of a run's value."""
    effective_samples: Positive
    """The effective sample size of the importance sampling."""
    num_runs: int
    """How many runs it was fitted to."""
    summary: dict[str, Any] = field(default_factory=dict)
    """The parameters by name with their 90 % intervals; they follow from the samples."""


@dataclass(frozen=True)
class TransferLawsFile:
    """A file of laws with transfer."""

    __pydantic_config__ = STRICT
    transfer: Literal["separable", "shared", "donors"]
    """The form: no transfer, one weight for all donors, or a weight for each."""
    metric: str
    """The metric."""
    metric_range: tuple[Number, Number]
    """The least and the greatest value of the metric."""
    donors: Annotated[tuple[str, ...], Field(min_length=1)]
    """What the laws depend on: languages, then other tasks such as instruction/en."""
    laws: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]
    """The laws, one for each language."""
    level: float = LEVEL
    """The level of the intervals."""
    fixed: dict[str, Positive] = field(default_factory=dict)
    """The examples of donors that are no languages, where a mixture is predicted."""
    holdout_error: dict[str, Positive] = field(default_factory=dict)
    """By form, the root mean square error of a language's value in a run that was left out."""
    widening: Annotated[float, Field(ge=1)] = 1.0
    """The factor by which the samples were widened, so that 90 % intervals hold 90 % of the runs left out."""
    runs: tuple[tuple[tuple[Positive, ...], tuple[Number | None, ...]], ...] = ()
    """The measured runs, each as [pairs by donor, values by language]."""
    not_fitted: dict[str, str] = field(default_factory=dict)
    """For each language without a law, the reason."""


def write_transfer_laws(path: Path, laws: TransferLaws) -> None:
    """Write laws as JSON, in one step."""
    pairs, values = laws.runs
    table = {
        "transfer": laws.form,
        "metric": laws.metric,
        "metric_range": list(laws.metric_range),
        "level": LEVEL,
        "donors": list(laws.donors),
        "fixed": dict(laws.fixed),
        "holdout_error": _rounded(dict(laws.holdout_error)),
        "widening": laws.widening,
        "not_fitted": dict(laws.not_fitted),
        "runs": [
            [p, [None if v != v else v for v in own]] for p, own in zip(pairs.tolist(), values.tolist(), strict=True)
        ],
        "laws": [_law_row(law, laws.donors) for law in laws.laws.values()],
    }
    text = json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(join_number_lists(text) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else float(f"{value:.{SAMPLE_DIGITS}g}")


def _law_row(law: TransferLaw, donors: tuple[str, ...]) -> dict[str, Any]:
    return {
        "lang": law.lang,
        "unit": law.unit,
        "summary": transfer_summary(law, donors),
        "parameters": _rounded(law.parameters.tolist()),
        "noise": law.noise,
        "effective_samples": round(law.effective_samples, 1),
        "num_runs": law.num_runs,
        "samples": _rounded(law.samples.tolist()),
    }


def transfer_summary(law: TransferLaw, donors: tuple[str, ...]) -> dict[str, Any]:
    """Return each parameter as [value, low, high] with its 90 % interval, x0 in pairs."""
    names = [*PARAMETERS, *(f"weight of {donor}" for donor in donors)]
    low, high = np.quantile(law.samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    summary = {}
    for number, name in enumerate(names):
        factor = law.unit if name == "offset" else 1.0
        if number - len(PARAMETERS) == law.own:
            continue
        summary[name] = _rounded([factor * float(v[number]) for v in (law.parameters, low, high)])
    return summary


def parse_transfer_laws(content: Mapping[str, Any], path: Path) -> TransferLaws:
    """Return the laws in the content of a JSON file.

    Raises:
        InputError: A law is not as expected; the message has file, law and key.
    """
    file = parse_row(content, TransferLawsFile, str(path))
    laws: dict[str, TransferLaw] = {}
    for number, values in enumerate(file.laws, start=1):
        law = _law(values, file, f"{path}, law {number}")
        if law.lang in laws:
            raise InputError(f"{path}, law {number}: {law.lang} has a law already. Keep one of them.")
        laws[law.lang] = law
    widths = {(len(pairs), len(values)) for pairs, values in file.runs}
    if widths - {(len(file.donors), len(laws) + len(file.not_fitted))}:
        raise InputError(f"{path}: each of 'runs' must hold {len(file.donors)} pairs and a value for each language.")
    pairs = np.array([row for row, _ in file.runs], float)
    run_values = np.array([[np.nan if v is None else v for v in row] for _, row in file.runs], float)
    return TransferLaws(
        file.metric,
        file.metric_range,
        file.donors,
        laws,
        file.transfer,
        file.fixed,
        file.holdout_error,
        file.widening,
        (pairs, run_values),
        file.not_fitted,
    )


def _law(values: Mapping[str, Any], file: TransferLawsFile, where: str) -> TransferLaw:
    row = parse_row(values, TransferLawRow, where)
    check_reference(row.lang, languages(), "language", where)
    if row.lang not in file.donors:
        raise InputError(f"{where}: {row.lang} is not among the donors, {', '.join(file.donors)}.")
    width = len(PARAMETERS) + len(file.donors)
    if any(len(sample) != width for sample in (row.parameters, *row.samples)) or not row.samples:
        raise InputError(f"{where}: 'parameters' and each of 'samples' must hold {width} numbers.")
    parameters, samples = np.array(row.parameters, float), np.array(row.samples, float)
    _check_bounds(np.vstack([parameters, samples]), where)
    own = file.donors.index(row.lang)
    return TransferLaw(row.lang, own, row.unit, parameters, samples, row.noise, row.effective_samples, row.num_runs)


def _check_bounds(rows: Floats, where: str) -> None:
    """Raise InputError unless s, x0 and weights are at least 0, k < 1, 0 <= t < 1 and 0 < r <= 1."""
    _, slope, curvature, offset, transfer, substitution = rows[:, :6].T
    inside = [slope > 0, curvature < 1, offset >= 0, transfer >= 0, transfer <= 1, substitution > 0, substitution <= 1]
    if not (np.all(inside) and np.all(rows[:, 6:] >= 0)):
        raise InputError(
            f"{where}: a law needs s > 0, k < 1, x0 >= 0, 0 <= t <= 1, 0 < r <= 1 and weights of at least 0."
        )
