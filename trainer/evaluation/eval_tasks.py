"""What is evaluated: EvalConfig, and its tasks with items that are read and metrics that are tried out."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpora.errors import InputError
from corpora.progress import Progress, stage
from trainer.evaluation.benchmarks import check_directions, list_evaluations, load_items
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.items import Benchmark, BenchmarkSource, Items, answer_lang
from trainer.evaluation.measurement import check_metric
from trainer.evaluation.metrics import (
    Metric,
    MetricOptions,
    OutputType,
    check_code,
    check_options,
    fits,
    get_metric,
    load_metrics,
)
from trainer.evaluation.remote_generation import CONCURRENCY
from trainer.evaluation.server_process import ServerRow

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvalConfig:
    """What is evaluated: models, benchmarks, languages and directions (all where none are named), metrics."""

    models: Sequence[EvalModel]
    benchmarks: Sequence[str]
    langs: Sequence[str] = ()
    directions: Sequence[str] = ()
    metrics: Sequence[str] = ()
    limit: int | None = None
    max_new_tokens: int | None = None
    batch_size: int = 32
    concurrency: int = CONCURRENCY
    server: ServerRow | None = None
    source: BenchmarkSource = field(default_factory=BenchmarkSource)
    metric_options: MetricOptions = field(default_factory=MetricOptions)
    output: Path = Path("evaluations")
    results: Path = Path("results.jsonl")

    def longest_answer(self, benchmark: Benchmark) -> int:
        """Return the most tokens of an answer: those that were chosen, or the benchmark's own."""
        return self.max_new_tokens or benchmark.max_new_tokens


@dataclass(frozen=True)
class EvalTask:
    """One benchmark in one language and direction, with its items and the metrics to compute."""

    benchmark: Benchmark
    lang: str
    direction: str
    items: Items
    metrics: Sequence[Metric] = ()

    @property
    def name(self) -> str:
        """The task in names of files and in messages."""
        return ".".join(filter(None, (self.benchmark.name, self.lang, self.direction)))

    @property
    def output_types(self) -> list[OutputType]:
        """What the model produces for the metrics, each once."""
        return list(dict.fromkeys(metric.output_type for metric in self.metrics))

    @property
    def num_passes(self) -> int:
        """How often each item is worked on: once for each output type, and once for each scorer."""
        return len(self.output_types) + sum(bool(metric.scorer) for metric in self.metrics)


def load_tasks(config: EvalConfig, progress: Progress, num_stages: int | None = None) -> list[EvalTask]:
    """Return everything to evaluate, with its items read and its metrics tried out, in the first of the stages."""
    check_options(config.metric_options)
    check_directions(config.directions)
    for name in config.metrics:
        get_metric(name)
    keys = list(list_evaluations(config.benchmarks, config.langs, config.directions, config.source))
    if not keys:
        where = " ".join((*config.langs, *config.directions)) or "any language"
        raise InputError(f"{', '.join(config.benchmarks) or 'No benchmark'} has no items in {where}.")
    benchmarks = {benchmark.name: benchmark for benchmark, _, _ in keys}
    metrics = {name: _choose_metrics(config, benchmark) for name, benchmark in benchmarks.items()}
    for metric in {metric.name: metric for chosen in metrics.values() for metric in chosen}.values():
        check_code(metric)
    num_stages = num_stages or 1 + len(config.models) * len(keys)
    with stage(progress, "reading benchmarks", 1, num_stages, len(keys), "benchmarks"):
        return [_load_task(config, *key, metrics[key[0].name], progress) for key in keys]


def _load_task(
    config: EvalConfig, benchmark: Benchmark, lang: str, direction: str, metrics: Sequence[Metric], progress: Progress
) -> EvalTask:
    items = load_items(benchmark, lang, direction, config.source, config.limit)
    for warning in items.warnings:
        logger.warning(warning)
    for metric in metrics:
        check_metric(metric, items.items, answer_lang(lang, direction), config.metric_options.of(benchmark))
    progress.advance(1)
    return EvalTask(benchmark, lang, direction, items, metrics)


def _choose_metrics(config: EvalConfig, benchmark: Benchmark) -> list[Metric]:
    """Return the metrics of a benchmark: the chosen ones that fit its task, or those of its row that can be computed.

    Raises:
        InputError: None fits, or a chosen one cannot be computed.
    """
    if not config.metrics:
        return _default_metrics(config, benchmark)
    metrics = [metric for name in config.metrics if fits(metric := get_metric(name), benchmark)]
    if not metrics:
        fitting = ", ".join(name for name, metric in load_metrics().items() if fits(metric, benchmark))
        chosen = ", ".join(config.metrics)
        raise InputError(f"None of the metrics {chosen} fits {benchmark.name}; these do: {fitting}.")
    for metric in metrics:
        if is_remote(config) and metric.output_type != "generate_until":
            raise InputError(f"{metric.name} needs token probabilities of the model, which a server does not return.")
    return metrics


def is_remote(config: EvalConfig) -> bool:
    """Return True if a model is, or will be, behind a server."""
    return config.server is not None or any(model.endpoint for model in config.models)


def _default_metrics(config: EvalConfig, benchmark: Benchmark) -> list[Metric]:
    metrics = [get_metric(name) for name in benchmark.metrics]
    for metric in metrics:
        if not config.metric_options.has_all(metric):
            options = " ".join(f"--metric-option {name}=VALUE" for name in metric.options)
            logger.warning("The metric %s of %s is left out; %s computes it.", metric.name, benchmark.name, options)
    possible = [metric for metric in metrics if config.metric_options.has_all(metric)]
    if is_remote(config):
        possible = [metric for metric in possible if metric.output_type == "generate_until"]
    if not possible:
        raise InputError(
            f"No metric of {benchmark.name} ({', '.join(benchmark.metrics)}) can be computed here. Name others with "
            "--metrics, or give the options that they need; a server returns no token probabilities."
        )
    return possible
