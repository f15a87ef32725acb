"""Metrics as rows of `metrics.toml`, and the options that a user gives to them; `measurement.py` computes them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from corpora.errors import InputError, unknown
from corpora.extensions import load_function, read_extended_rows, row_file
from corpora.tables import STRICT, check_reference
from trainer.evaluation.items import Benchmark, BenchmarkSource

TABLE = Path(__file__).parent / "metrics.toml"
OWN_CODE = "trainer.evaluation."
OutputType = Literal["generate_until", "loglikelihood", "lm_eval"]
Options = Mapping[str, str]


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
    """What the model produces, in lm-evaluation-harness's words; `lm_eval`: as the benchmark's task file has it."""
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
        return f"{row_file(TABLE, self.name)}, table [{self.name}]"


@dataclass(frozen=True)
class MetricOptions:
    """The options that a user gives to metrics, by name, and where a metric may download files from."""

    values: Options = field(default_factory=dict)
    source: BenchmarkSource = field(default_factory=BenchmarkSource)

    def of(self, benchmark: Benchmark) -> "MetricOptions":
        """Return the options for a benchmark, which has some of its own."""
        return replace(self, values={**benchmark.metric_options, **self.values})

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
    """The options of one metric by name; `source` is where files may be downloaded from."""

    def __init__(self, values: Options, source: BenchmarkSource) -> None:
        super().__init__(values)
        self.source = source


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
        for name, option in metric.options.items():
            if option.choices and option.default is not None:
                check_reference(
                    option.default, option.choices, "choice", f"{metric.where}, key 'options.{name}.default'"
                )
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
    """Raise InputError for an option that no metric has, or a value that none of them knows."""
    known = [item for metric in load_metrics().values() for item in metric.options.items()]
    for name, value in options.values.items():
        choices = [option.choices for other, option in known if other == name]
        if not choices:
            raise unknown("metric option", name, {other for other, _ in known})
        if all(choices) and not any(value in some for some in choices):
            raise unknown(f"value of the metric option '{name}'", value, sum(choices, ()))


def check_code(metric: Metric) -> None:
    """Raise InputError if a function of the user's that computes a metric cannot be loaded."""
    reference = metric.function or metric.scorer
    if reference and not reference.startswith(OWN_CODE):
        load_code(reference, metric.where)


def load_code(reference: str, where: str) -> tuple[Callable[..., Any], str]:
    """Return a function that a row names, and the digest of its file; an empty one for our own functions."""
    if not reference.startswith(OWN_CODE):
        loaded = load_function(reference, where)
        return loaded.function, loaded.sha256
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name), ""
