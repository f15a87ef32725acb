"""Predictions and what was measured afterwards: a ledger, so that the honesty of laws is itself measured."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.stats import norm
from scipy.stats import t as student

from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.reading import decode_text
from corpora.tables import STRICT, parse_row
from recipes.results import Result
from recipes.scaling import LEVEL
from recipes.transfer.law import TransferLaws
from recipes.transfer.runs import runs_from_results

Number = Annotated[float, Field(allow_inf_nan=False)]
LEVEL_MEASURED = 0.95


@dataclass(frozen=True)
class Prediction:
    """What laws predicted of a mixture in one language, and what models trained on it reached."""

    __pydantic_config__ = STRICT
    laws: str
    """The first 12 hexadecimal digits of the SHA-256 of the laws."""
    metric: str
    """The metric."""
    benchmark: str
    """The benchmark."""
    direction: str
    """The direction of a translation."""
    mixture: dict[str, int]
    """The pairs of each language in training."""
    lang: str
    """The language of the values."""
    predicted: Number
    """The value by the laws."""
    interval: tuple[Number, Number]
    """The 90 % interval of a mean of so many runs: the laws' samples and the noise of the runs."""
    measured: Number
    """The mean value of the runs."""
    measured_interval: tuple[Number, Number] | None
    """Its 95 % interval over seeds; null with one seed."""
    item_error: Number | None
    """The standard error of a run's value over items, where it is known."""
    num_seeds: Annotated[int, Field(ge=1)]
    """How many runs it is the mean of."""

    @property
    def is_covered(self) -> bool:
        """Whether the measured value is within the predicted interval."""
        return self.interval[0] <= self.measured <= self.interval[1]


@dataclass(frozen=True)
class Calibration:
    """How honest predictions were so far."""

    num: int
    num_covered: int
    bias: float
    rmse: float

    def __str__(self) -> str:
        return (
            f"{self.num:,} predictions so far: {self.num_covered:,} of the measured values "
            f"({self.num_covered / self.num:.0%}) were within the {LEVEL:.0%} interval. Predicted less measured was "
            f"{self.bias:+.2f} on average, with a root mean square of {self.rmse:.2f}."
        )


def calibration(predictions: Sequence[Prediction]) -> Calibration:
    """Return how many predictions held, and their errors."""
    errors = np.array([p.predicted - p.measured for p in predictions])
    covered = sum(p.is_covered for p in predictions)
    return Calibration(len(predictions), covered, float(errors.mean()), float(np.sqrt((errors**2).mean())))


def check_predictions(laws: TransferLaws, results: Sequence[Result]) -> list[Prediction]:
    """Return what laws predict of the mixtures of results, beside the results; mixtures of the fit are left out.

    Args:
        laws: The laws, as they were before the models were trained.
        results: Results of one metric, benchmark and direction.

    Raises:
        InputError: Every mixture is one that the laws were fitted to, or holds what they do not know.
    """
    runs = runs_from_results(results)
    if unknown := [donor for donor in runs.donors if donor not in laws.donors]:
        raise InputError(f"The models were trained on {', '.join(unknown)}, which these laws do not know.")
    pairs = np.zeros((len(runs.names), len(laws.donors)))
    for index, donor in enumerate(laws.donors):
        is_known = donor in runs.donors
        pairs[:, index] = runs.pairs[:, runs.donors.index(donor)] if is_known else laws.fixed.get(donor, 0.0)
    fitted = {row.tobytes() for row in laws.runs[0]}
    groups: dict[bytes, list[int]] = {}
    for index, row in enumerate(pairs):
        if row.tobytes() not in fitted:
            groups.setdefault(row.tobytes(), []).append(index)
    if not groups:
        raise InputError(
            "The laws were fitted to all of these mixtures, so there is nothing to check: train a model on the mixture "
            "that `builders allocate` proposes, and evaluate it."
        )
    errors = {(r.model, r.seed, r.lang): r.std for r in results}
    predictions = []
    for group in groups.values():
        for lang in laws.langs:
            if lang in runs.langs:
                values = runs.values[group][:, runs.langs.index(lang)]
                predictions += _predict(laws, results[0], pairs[group[0]], values, lang)
    known = [error for error in errors.values() if error is not None]
    item_error = float(np.median(known)) if known else None
    return [Prediction(**asdict(p) | {"item_error": item_error}) for p in predictions]


def _predict(laws: TransferLaws, first: Result, pairs: np.ndarray, values: np.ndarray, lang: str) -> list[Prediction]:
    """Return the prediction of one language for one mixture; none if no run was evaluated in it."""
    values = values[~np.isnan(values)]
    if not len(values):
        return []
    law = laws.laws[lang]
    samples = law.predict_samples(pairs[None])[:, 0]
    at = (np.arange(len(samples)) + 0.5) / len(samples)
    noise = np.random.default_rng(0).permutation(norm.ppf(at)) * law.noise / np.sqrt(len(values))
    low, high = np.quantile(samples + noise, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    measured, interval = float(values.mean()), None
    if len(values) > 1:
        t = float(student.ppf((1 + LEVEL_MEASURED) / 2, len(values) - 1))
        half = t * float(values.std(ddof=1)) / len(values) ** 0.5
        interval = (measured - half, measured + half)
    mixture = {donor: int(count) for donor, count in zip(laws.donors, pairs, strict=True) if count}
    identity = (laws_digest(laws), laws.metric, first.benchmark, first.direction, mixture, lang)
    ends = (float(low), float(high))
    return [Prediction(*identity, float(samples.mean()), ends, measured, interval, None, len(values))]


def laws_digest(laws: TransferLaws) -> str:
    """Return the beginning of the SHA-256 of the laws' parameters and samples."""
    parts = [f"{law.lang}:{law.unit:.6g}".encode() + np.round(law.samples, 4).tobytes() for law in laws.laws.values()]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def append_predictions(path: Path, predictions: Sequence[Prediction]) -> int:
    """Add predictions to a ledger, in one step, and return how many are new.

    A prediction of the same laws for the same mixture and language replaces the one of fewer runs.

    Raises:
        InputError: A line of the ledger is not a prediction.
    """
    known = {_key(p): p for p in read_predictions(path)} if path.is_file() else {}
    before = dict(known)
    known |= {_key(p): p for p in predictions}
    if known != before:
        with atomic_path(path) as temporary:
            lines = (json.dumps(asdict(p), ensure_ascii=False, allow_nan=False) + "\n" for p in known.values())
            temporary.write_text("".join(lines), encoding="utf-8")
    return len(known) - len(before)


def _key(prediction: Prediction) -> tuple[str, ...]:
    row = asdict(prediction)
    names = ("laws", "metric", "benchmark", "direction", "mixture", "lang")
    return tuple(json.dumps(row[name], sort_keys=True) for name in names)


def read_predictions(path: Path) -> list[Prediction]:
    """Return the predictions of a ledger.

    Raises:
        InputError: A line is not a prediction; the message has file and line.
    """
    predictions = []
    for number, line in enumerate(decode_text(path.read_bytes(), path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {number}: not a JSON object: {error}.") from None
        predictions.append(parse_row(row, Prediction, f"{path}, line {number}"))
    return predictions
