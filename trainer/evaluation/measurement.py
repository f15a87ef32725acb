"""Compute metrics: value, 95 % interval and signature, from stored outputs.

A metric is a function of one of two forms, named in its row as `module:function`.

`function(predictions, lang, options)` gets a Polars frame with a row for each item (`item_id`, `instruction`, `input`,
`references`, and what the model produced: see `outputs.py`), the code of the answers' language, and the metric's
options as a mapping. It returns one number for each item, in the metric's units, whose mean is the value; or
`Statistics`, where the value is not a mean.

`scorer(options)` returns an object with `signature`, which names the scorer in results and in the key of its scores,
and `scores(sources, hypotheses, references, batch_size)`, which yields lists of (index, score). Scores are stored
beside the answers, so that no scorer is loaded twice for the same answers.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

import numpy as np
import polars as pl

from corpora.errors import InputError
from recipes.metric_units import are_fractions
from trainer.evaluation.bootstrap import Floats, Value, interval
from trainer.evaluation.items import Item
from trainer.evaluation.metrics import Metric, MetricOptions, load_code

logger = logging.getLogger(__name__)


class Scorer(Protocol):
    """A model that scores answers."""

    @property
    def signature(self) -> str:
        """The name of the scorer in results and in the key of its scores."""

    def scores(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str], batch_size: int
    ) -> Iterator[list[tuple[int, float]]]:
        """Yield the index and score of each answer, in batches of any order."""


@dataclass(frozen=True)
class UserScorer:
    """A user's scorer with the digest of its file in its signature; what it yields is checked."""

    metric: Metric
    scorer: Scorer
    sha256: str

    @property
    def signature(self) -> str:
        """The scorer's signature and the digest of its file."""
        return _signature(self.scorer.signature, self.sha256)

    def scores(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str], batch_size: int
    ) -> Iterator[list[tuple[int, float]]]:
        """Yield the index and score of each answer.

        Raises:
            InputError: The scorer fails, or does not yield each answer's index and score once.
        """
        batches = _call(
            self.metric, self.metric.scorer, self.sha256,
            lambda: [[(int(i), float(s)) for i, s in batch] for batch in self.scorer.scores(
                sources, hypotheses, references, batch_size
            )],
        )  # fmt: skip
        if sorted(index for batch in batches for index, _ in batch) != list(range(len(hypotheses))):
            raise InputError(
                f"{self.metric.where}: {self.metric.scorer} must yield (index, score) once for each answer."
            )
        yield from batches


@dataclass(frozen=True)
class Statistics:
    """What a metric counts of each item, and the value of the sum.

    Value, interval and paired difference are all computed from `counts` of shape (items, numbers): `value` gets the sum
    over items, or over a resample of them. `signature` says how the metric was computed.
    """

    counts: Floats
    value: Value
    signature: str = ""
    is_empty: bool = False  # whether no item can be judged


@dataclass(frozen=True)
class Measurement:
    """A value with its 95 % interval, the number of items, and how it was computed."""

    value: float
    interval: tuple[float, float] | None
    num_items: int
    signature: str
    is_empty: bool = False  # whether no item could be judged, so that the value says nothing


def open_scorer(metric: Metric, options: MetricOptions) -> Scorer:
    """Return the model that scores answers for a metric.

    Raises:
        InputError: An option is missing, or the model cannot be opened.
    """
    function, sha256 = load_code(metric.scorer, metric.where)
    resolved = options.resolve(metric)
    scorer: Scorer = _call(metric, metric.scorer, sha256, lambda: function(resolved))
    if not sha256:
        return scorer
    if not isinstance(getattr(scorer, "signature", None), str) or not callable(getattr(scorer, "scores", None)):
        raise InputError(f"{metric.where}: {metric.scorer} must return an object with 'signature' and 'scores'.")
    return UserScorer(metric, scorer, sha256)


def compute_statistics(metric: Metric, predictions: pl.DataFrame, lang: str, options: MetricOptions) -> Statistics:
    """Return what a metric counts of each item.

    Raises:
        InputError: An option is missing, or a user's function fails or returns something else.
    """
    if metric.scorer:
        return _mean_of(predictions["score"].to_numpy() * metric.scale, "")
    function, sha256 = load_code(metric.function, metric.where)
    resolved = options.resolve(metric)
    computed = _call(metric, metric.function, sha256, lambda: function(predictions, lang, resolved))
    if isinstance(computed, Statistics):
        return replace(computed, signature=_signature(computed.signature, sha256))
    return _mean_of(_numbers(metric, computed, len(predictions)), _signature("", sha256))


def _call(metric: Metric, reference: str, sha256: str, call: Callable[[], Any]) -> Any:
    """Call a function; an exception in a user's one, which has a digest, is an InputError."""
    try:
        return call()
    except Exception as error:
        if not sha256 or isinstance(error, InputError):
            raise
        raise InputError(f"{metric.where}: {reference} failed: {type(error).__name__}: {error}.") from error


def _signature(signature: str, sha256: str) -> str:
    """Return a signature with the digest of a user's file."""
    return "|".join(filter(None, (signature, f"sha256:{sha256[:8]}" if sha256 else "")))


def _numbers(metric: Metric, computed: Any, num_items: int) -> Floats:
    try:
        numbers = np.asarray(computed, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.shape != (num_items,) or not np.isfinite(numbers).all():
        raise InputError(
            f"{metric.where}: {metric.function} must return {num_items} numbers, one for each item, or Statistics; "
            f"it returned {str(computed)[:60]}."
        )
    return numbers


def _mean_of(scores: Floats, signature: str) -> Statistics:
    return Statistics(np.stack([scores, np.ones_like(scores)], axis=1), mean, signature)


def mean(sums: Floats) -> float:
    """Return the mean of a statistic, from its sum and the number of items."""
    return float(sums[0] / sums[1]) if sums[1] else 0.0


def mean_percent(sums: Floats) -> float:
    """Return the mean of a statistic in 0..1 in per cent, from its sum and the number that it is a share of."""
    return float(100 * sums[0] / sums[1]) if sums[1] else 0.0


def measure(
    metric: Metric, predictions: pl.DataFrame, lang: str, options: MetricOptions, scorer: Scorer | None = None
) -> Measurement:
    """Return the value of a metric over predictions in a language."""
    statistics = compute_statistics(metric, predictions, lang, options)
    value = _checked_value(metric, statistics)
    if metric.scorer:
        _warn_of_fractions(metric, statistics.value(statistics.counts.max(axis=0)), "the best answer")
    signature = scorer.signature if scorer else statistics.signature
    around = interval(statistics.counts, statistics.value)
    return Measurement(value, around, len(statistics.counts), signature, statistics.is_empty)


def _warn_of_fractions(metric: Metric, value: float, what: str) -> None:
    """Say that a metric seems to compute fractions where its range is one of points."""
    if are_fractions([value], (metric.min, metric.max)):
        logger.warning(
            "%s: %s has the value %g, where %g is the highest. If the metric computes fractions, write max = 1 in its "
            "row, or multiply them by 100.",
            metric.where, what, value, metric.max,
        )  # fmt: skip


def _checked_value(metric: Metric, statistics: Statistics) -> float:
    value = statistics.value(statistics.counts.sum(axis=0))
    if not metric.min <= value <= metric.max:
        raise InputError(
            f"{metric.where}: the value {value:g} is outside the metric's range, {metric.min:g} to {metric.max:g}. "
            "Correct 'min' and 'max', or the function."
        )
    return value


def check_metric(metric: Metric, items: Sequence[Item], lang: str, options: MetricOptions) -> None:
    """Compute a metric on made-up predictions, so that what is wrong with it shows before a model answers.

    The first items are answered by their own first reference.

    Raises:
        InputError: An option is missing or wrong, or the function cannot be loaded, fails, or returns something else.
    """
    options.resolve(metric)
    if metric.scorer:
        load_code(metric.scorer, metric.where)
        return
    value = _checked_value(metric, compute_statistics(metric, _made_up(items[:2]), lang, options))
    _warn_of_fractions(metric, value, "an answer that is the reference")


def _made_up(items: Sequence[Item]) -> pl.DataFrame:
    texts = [item.references[0] if item.references else item.input for item in items]
    ones = [1] * len(items)
    return pl.DataFrame(
        {
            "item_id": [item.id for item in items],
            "instruction": [item.instruction for item in items],
            "input": [item.input for item in items],
            "references": [list(item.references) for item in items],
            "text": texts,
            "num_top1_matches": ones,
            "num_reference_tokens": ones,
            "is_correct": [1.0] * len(items),
        },
        schema_overrides={"references": pl.List(pl.String)},
    )


@cache
def package_version(name: str) -> str:
    """Return the version of an installed package, for a signature."""
    from importlib.metadata import version

    return version(name)
