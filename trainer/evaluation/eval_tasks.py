"""Evaluate models on benchmarks: outputs in Parquet, then rows in results.jsonl."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import polars as pl

from corpora.errors import InputError
from corpora.files import locked
from corpora.progress import NullProgress, Progress, stage
from recipes.results import Result, append_results, read_results
from trainer.evaluation.academic import harness_version, read_config, task_name, task_sha256
from trainer.evaluation.benchmarks import check_directions, list_evaluations, load_items
from trainer.evaluation.endpoint import generate_remote
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item, Items
from trainer.evaluation.lm_eval_harness import run_lm_eval
from trainer.evaluation.metrics import (
    Metric,
    MetricOptions,
    OutputType,
    Scorer,
    check_metric,
    check_options,
    fits,
    get_metric,
    load_metrics,
    measure,
    open_scorer,
)
from trainer.evaluation.outputs import Row, compute_outputs
from trainer.recipe import digest

VERSION = 2  # of how outputs are computed; a higher one computes them again
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
    max_new_tokens: int = 512
    batch_size: int = 32
    source: BenchmarkSource = field(default_factory=BenchmarkSource)
    metric_options: MetricOptions = field(default_factory=MetricOptions)
    output: Path = Path("evaluations")
    results: Path = Path("results.jsonl")


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


def output_folder(output: Path, model_name: str) -> Path:
    """Return the folder of a model's outputs."""
    return output / model_name.replace("/", "--")


def evaluate_models(config: EvalConfig, progress: Progress | None = None) -> Iterator[Result]:
    """Yield the results of all models, which are in the results file once a benchmark is done in a language.

    What is there already is not computed again: a run that was stopped continues, and a second run adds no row.

    Raises:
        InputError: A name, option, file or metric is wrong; it is raised before a model answers anything.
    """
    if config.results.exists() and (config.results.is_dir() or config.results.stat().st_size):
        read_results(config.results)  # a file that cannot be added to is an error before any work
    progress = progress or NullProgress()
    tasks = _load_tasks(config, progress)
    scorers = {m.name: open_scorer(m, config.metric_options) for task in tasks for m in task.metrics if m.scorer}
    numbers = count(2)  # after the stage that reads benchmarks
    for model in config.models:
        with locked(output_folder(config.output, model.name), "evaluation"):
            for task in tasks:
                total, num_stages = len(task.items.items) * task.num_passes, 1 + len(config.models) * len(tasks)
                name = f"{model.name} on {task.name}"
                with stage(progress, name, next(numbers), num_stages, total, "items"):
                    results = _evaluate_task(config, model, task, scorers, progress)
                append_results(config.results, results)
                yield from results


def _load_tasks(config: EvalConfig, progress: Progress) -> list[EvalTask]:
    """Return everything to evaluate, with its items read and its metrics tried out."""
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
    num_stages = 1 + len(config.models) * len(keys)
    with stage(progress, "reading benchmarks", 1, num_stages, len(keys), "benchmarks"):
        return [_load_task(config, *key, metrics[key[0].name], progress) for key in keys]


def _load_task(
    config: EvalConfig, benchmark: Benchmark, lang: str, direction: str, metrics: Sequence[Metric], progress: Progress
) -> EvalTask:
    items = load_items(benchmark, lang, direction, config.source, config.limit)
    for warning in items.warnings:
        logger.warning(warning)
    for metric in metrics:
        check_metric(metric, items.items, lang, config.metric_options)
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
    """Return True if a model is behind a server."""
    return any(model.endpoint for model in config.models)


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


def _evaluate_task(
    config: EvalConfig, model: EvalModel, task: EvalTask, scorers: Mapping[str, Scorer], progress: Progress
) -> list[Result]:
    outputs = {kind: model_outputs(config, model, task, kind, progress) for kind in task.output_types}
    for table in outputs.values():
        if "truncated" in table.columns and (num := int(table["truncated"].sum())):
            logger.warning(
                "%s: %s of %s texts were too long for the model and were truncated.",
                task.name, f"{num:,}", f"{len(table):,}",
            )  # fmt: skip
    results = []
    for metric in task.metrics:
        table, scorer = outputs[metric.output_type], scorers.get(metric.name)
        if scorer:
            table = scorer_outputs(config, model, task, metric, scorer, table, progress)
        results.append(_result(config, model, task, metric, table, scorer))
    return results


def _result(
    config: EvalConfig, model: EvalModel, task: EvalTask, metric: Metric, table: pl.DataFrame, scorer: Scorer | None
) -> Result:
    measured = measure(metric, table, task.lang, config.metric_options, scorer)
    return Result(
        **model.result_fields(task.lang),
        benchmark=task.benchmark.name,
        direction=task.direction,
        metric=metric.name,
        value=measured.value,
        interval=measured.interval,
        n=measured.num_items,
        signature="|".join((measured.signature, *_conditions(config, model, task, metric.output_type))),
        metric_min=metric.min,
        metric_max=metric.max,
    )


def _conditions(config: EvalConfig, model: EvalModel, task: EvalTask, output_type: OutputType) -> Iterator[str]:
    """Yield what a value depends on beside the metric, for its signature: prompt, decoding, and which items."""
    if output_type == "lm_eval":
        name = task_name(task.benchmark, task.lang)
        yield f"task:{name}-{task_sha256(task.benchmark, task.lang)[:8]}"
        yield f"num_fewshot:{read_config(name).get('num_fewshot', 'default')}"
    else:
        yield f"prompt:{model.prompt.name}-{model.prompt.sha256()[:8]}"
    if output_type == "generate_until":
        yield f"greedy:{config.max_new_tokens}"
    if output_type == "loglikelihood":
        yield f"tokens:{_tokenizer_sha256(model)[:8]}"
    is_validation = task.benchmark.task == "validation"
    if is_validation and config.source.release:
        yield f"of:{config.source.release.identity[:8]}"
    expected = task.benchmark.expected_items(task.lang)
    if config.limit is not None and (expected is None or config.limit < expected):
        yield f"first:{config.limit}"
    elif len(task.items.items) != expected and not is_validation:
        yield f"items:{task.items.sha256[:8]}"


def _tokenizer_sha256(model: EvalModel) -> str:
    from trainer.preparation import tokenizer_sha256

    return tokenizer_sha256(model.tokenizer)


def model_outputs(
    config: EvalConfig, model: EvalModel, task: EvalTask, output_type: OutputType, progress: Progress
) -> pl.DataFrame:
    """Return what a model produces for each item of a task, computed where it is not stored yet."""
    key = _output_key(config, model, task, output_type)
    path = _output_path(config, model, task, output_type, key)

    def make(items: Sequence[Item]) -> Iterator[list[Row]]:
        return _make(config, model, task, output_type, items)

    return compute_outputs(path, key, task.items.items, make, progress.advance)


def _output_key(config: EvalConfig, model: EvalModel, task: EvalTask, output_type: OutputType) -> dict[str, object]:
    conditions: dict[OutputType, dict[str, object]] = {
        "generate_until": {"max_new_tokens": config.max_new_tokens},
        "loglikelihood": {},
        "lm_eval": {},
    }
    if output_type == "lm_eval":
        conditions["lm_eval"] = {"task": task_sha256(task.benchmark, task.lang), "harness": harness_version()}
    return {
        "version": VERSION,
        "benchmark": task.benchmark.name,
        "lang": task.lang,
        "direction": task.direction,
        "model": model.fingerprint,
        "prompt": model.prompt.sha256(),
        "items": task.items.sha256,
        "output_type": output_type,
        **conditions[output_type],
    }


def _output_path(config: EvalConfig, model: EvalModel, task: EvalTask, kind: str, key: dict[str, object]) -> Path:
    return output_folder(config.output, model.name) / f"{task.name}.{kind}.{digest(key)[:8]}.parquet"


def _make(
    config: EvalConfig, model: EvalModel, task: EvalTask, output_type: OutputType, items: Sequence[Item]
) -> Iterator[list[Row]]:
    """Yield a model's outputs for items, a batch at a time."""
    if output_type == "lm_eval":
        return run_lm_eval(model, task.benchmark, task.lang, config.source, items, config.batch_size)
    if model.endpoint:
        return generate_remote(model.endpoint, model.prompt, items, config.max_new_tokens)
    from trainer.evaluation.generation import Decoding, generate, teacher_forced

    decoding = Decoding(config.max_new_tokens, config.batch_size)
    return (generate if output_type == "generate_until" else teacher_forced)(model, items, decoding)


def scorer_outputs(
    config: EvalConfig, model: EvalModel, task: EvalTask, metric: Metric, scorer: Scorer, answers: pl.DataFrame,
    progress: Progress,
) -> pl.DataFrame:  # fmt: skip
    """Return a scorer's score of each answer, computed where it is not stored yet."""
    key = _output_key(config, model, task, metric.output_type) | {"scorer": scorer.signature}
    path = _output_path(config, model, task, metric.name, key)
    texts = dict(zip(task.items.items, answers["text"].to_list(), strict=True))

    def make(items: Sequence[Item]) -> Iterator[list[Row]]:
        if not all(item.input for item in items):
            raise InputError(
                f"{metric.name} needs the source text of each answer; in {task.name} it stands within the instruction."
            )
        sources, references = [item.input for item in items], [item.references[0] for item in items]
        batches = scorer.scores(sources, [texts[item] for item in items], references, config.batch_size)
        return ([{"index": index, "score": score} for index, score in batch] for batch in batches)

    return compute_outputs(path, key, task.items.items, make, progress.advance)
