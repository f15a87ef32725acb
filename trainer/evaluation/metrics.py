"""Metrics: the rows of `metrics.toml`, and the value, interval and signature that they give to predictions.

A metric is a function of one of two forms, named in its row as `module:function`.

`function(predictions, lang, options)` gets a Polars frame with a row for each item (`item_id`, `instruction`, `input`,
`references`, and what the model produced: see `outputs.py`), the language's code, and the metric's options as a
mapping. It returns one number for each item, in the metric's units, whose mean is the value; or `Statistics`, where the
value is not a mean.

`scorer(options)` returns an object with `signature`, which names the scorer in results and in the key of its scores,
and `scores(sources, hypotheses, references, batch_size)`, which yields lists of (index, score). Scores are stored
beside the answers, so that no scorer is loaded twice for the same answers.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl

from corpora.errors import InputError, unknown
from corpora.extensions import load_function, read_extended_rows
from corpora.tables import STRICT
from trainer.evaluation.bootstrap import Floats, Value, interval
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item

TABLE = Path(__file__).parent / "metrics.toml"
OWN_CODE = "trainer.evaluation."
OutputType = Literal["generate_until", "loglikelihood", "lm_eval"]
Options = Mapping[str, str]


class Scorer(Protocol):
    """A model that scores answers."""

    signature: str

    def scores(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str], batch_size: int
    ) -> Iterator[list[tuple[int, float]]]:
        """Yield the index and score of each answer, in batches of any order."""


@dataclass(frozen=True)
class MetricOption:
    """An option of a metric, set by `--metric-option NAME=VALUE`."""

    __pydantic_config__ = STRICT
    description: str
    """What the value means."""
    default: str | None = None
    """The value if none is given; without a default, the option is required."""
    choices: tuple[str, ...] = ()
    """The values that are allowed; any, where none are listed."""


@dataclass(frozen=True)
class Metric:
    """A row of `metrics.toml`."""

    __pydantic_config__ = STRICT
    name: str
    """The name in results; the name of the table in the file."""
    description: str
    """What is measured, in which unit."""
    tasks: tuple[str, ...] = ()
    """The tasks of the benchmarks that the metric fits."""
    output_type: OutputType = "generate_until"
    """What the model produces, in lm-evaluation-harness's words; `lm_eval` is what a benchmark's task file says."""
    function: str = ""
    """The function that computes it, as `module:function`."""
    scorer: str = ""
    """In place of `function`: the function that opens a model which scores answers."""
    scale: float = 1.0
    """What a scorer's scores are multiplied by."""
    min: float = 0.0
    """The lowest possible value."""
    max: float = 100.0
    """The highest possible value."""
    options: Mapping[str, MetricOption] = field(default_factory=dict)
    """The options that the function or scorer reads."""
    verb: str = ""
    """The verb that computes the metric, if it is not `trainer evaluate`."""

    @property
    def where(self) -> str:
        """The row, for errors."""
        return f"metrics.toml, table [{self.name}]"


@dataclass(frozen=True)
class MetricOptions:
    """The options that a user gives to metrics, by name, and whence a metric may download files."""

    values: Options = field(default_factory=dict)
    source: BenchmarkSource = field(default_factory=BenchmarkSource)

    def has_all(self, metric: Metric) -> bool:
        """Return True unless the metric requires an option that is not given."""
        return all(name in self.values or option.default is not None for name, option in metric.options.items())

    def resolve(self, metric: Metric) -> "ResolvedOptions":
        """Return the options of one metric with its defaults.

        Raises:
            InputError: A required option is missing, or a value is not one of its choices.
        """
        values = {name: self._value(metric, name, option) for name, option in metric.options.items()}
        return ResolvedOptions(values, self.source)

    def _value(self, metric: Metric, name: str, option: MetricOption) -> str:
        value = self.values.get(name, option.default)
        if value is None:
            raise InputError(
                f"The metric {metric.name} needs the option '{name}'. {option.description} "
                f"Give it with --metric-option {name}=VALUE."
            )
        if option.choices and value not in option.choices:
            raise unknown(f"value of the metric option '{name}'", value, option.choices)
        return value


class ResolvedOptions(dict[str, str]):
    """The options of one metric by name; `source` says whence files may be downloaded."""

    def __init__(self, values: Options, source: BenchmarkSource) -> None:
        super().__init__(values)
        self.source = source


@dataclass(frozen=True)
class Statistics:
    """What a metric counts of each item, and the value of the sum.

    Value, interval and paired difference are all computed from `counts` of shape (items, numbers): `value` gets the sum
    over items, or over a resample of them. `signature` says how the metric was computed.
    """

    counts: Floats
    value: Value
    signature: str = ""


@dataclass(frozen=True)
class Measurement:
    """A value with its 95 % interval, the number of items, and how it was computed."""

    value: float
    interval: tuple[float, float] | None
    num_items: int
    signature: str


def load_metrics() -> Mapping[str, Metric]:
    """Return all metrics by name: ours, and those of the folders in use.

    Raises:
        InputError: A row is not valid, or has neither or several of `function`, `scorer` and `verb`.
    """
    metrics = read_extended_rows(TABLE, Metric)
    for metric in metrics.values():
        if not re.fullmatch(r"[A-Za-z0-9+_-]+", metric.name):
            raise InputError(f"{metric.where}: a metric's name holds letters, digits, '+', '-' and '_' only.")
        if sum(map(bool, (metric.function, metric.scorer, metric.verb))) != 1:
            raise InputError(f"{metric.where}: exactly one of the keys function, scorer and verb is needed.")
        if not metric.min < metric.max:
            raise InputError(f"{metric.where}: 'min' ({metric.min:g}) must be less than 'max' ({metric.max:g}).")
    return metrics


def get_metric(name: str) -> Metric:
    """Return the metric of a name that `trainer evaluate` can compute.

    Raises:
        InputError: There is none, with the nearest known names.
    """
    metrics = load_metrics()
    if name not in metrics:
        raise unknown("metric", name, (known for known, metric in metrics.items() if not metric.verb))
    if verb := metrics[name].verb:
        raise InputError(f"The metric {name} is computed by `trainer {verb}`.")
    return metrics[name]


def fits(metric: Metric, benchmark: Benchmark) -> bool:
    """Return True if a metric can be computed on a benchmark: by its task, or because the benchmark's row names it."""
    return not metric.verb and (benchmark.task in metric.tasks or metric.name in benchmark.metrics)


def check_options(options: MetricOptions) -> None:
    """Raise InputError for an option that no metric has."""
    known = {name for metric in load_metrics().values() for name in metric.options}
    for name in options.values:
        if name not in known:
            raise unknown("metric option", name, known)


def load_code(reference: str, where: str) -> tuple[Callable[..., Any], str]:
    """Return a function that a row names, and the digest of its file; an empty one for our own functions."""
    if not reference.startswith(OWN_CODE):
        loaded = load_function(reference, where)
        return loaded.function, loaded.sha256
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name), ""


def open_scorer(metric: Metric, options: MetricOptions) -> Scorer:
    """Return the model that scores answers for a metric.

    Raises:
        InputError: An option is missing, or the model cannot be opened.
    """
    function, _ = load_code(metric.scorer, metric.where)
    scorer: Scorer = function(options.resolve(metric))
    return scorer


def compute_statistics(metric: Metric, predictions: pl.DataFrame, lang: str, options: MetricOptions) -> Statistics:
    """Return what a metric counts of each item.

    Raises:
        InputError: An option is missing, or a user's function fails or returns something else.
    """
    if metric.scorer:
        return _mean_of(predictions["score"].to_numpy() * metric.scale, "")
    function, sha256 = load_code(metric.function, metric.where)
    resolved = options.resolve(metric)
    try:
        found = function(predictions, lang, resolved)
    except Exception as error:
        if not sha256 or isinstance(error, InputError):
            raise
        raise InputError(f"{metric.where}: {metric.function} failed: {type(error).__name__}: {error}.") from error
    if isinstance(found, Statistics):
        return found
    return _mean_of(_numbers(metric, found, len(predictions)), f"sha256:{sha256[:8]}")


def _numbers(metric: Metric, found: Any, num_items: int) -> Floats:
    try:
        numbers = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.shape != (num_items,) or not np.isfinite(numbers).all():
        raise InputError(
            f"{metric.where}: {metric.function} must return {num_items} numbers, one for each item, or Statistics; "
            f"it returned {str(found)[:60]}."
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
    signature = scorer.signature if scorer else statistics.signature
    around = interval(statistics.counts, statistics.value)
    return Measurement(value, around, len(statistics.counts), signature)


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
    _checked_value(metric, compute_statistics(metric, _made_up(items[:2]), lang, options))


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
