"""Evaluate models on benchmarks: outputs in Parquet, then rows in results.jsonl."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import polars as pl

from corpora.endpoint import Endpoint
from corpora.errors import InputError
from corpora.files import lock_folder
from corpora.progress import NullProgress, Progress, stage
from recipes.results import Result, append_results, read_results
from trainer.evaluation.academic import read_config, task_name, task_sha256
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.eval_tasks import EvalConfig, EvalTask, load_tasks
from trainer.evaluation.items import answer_lang
from trainer.evaluation.measurement import Scorer, measure, open_scorer
from trainer.evaluation.metrics import Metric, OutputType
from trainer.evaluation.model_outputs import model_outputs, output_folder, scorer_outputs
from trainer.evaluation.server_process import serve_model

logger = logging.getLogger(__name__)


def evaluate_models(
    config: EvalConfig, progress: Progress | None = None, skipped: dict[str, str] | None = None
) -> Iterator[Result]:
    """Yield the results of all models, which are in the results file once a benchmark is done in a language.

    Stored outputs are not computed again: a run that was stopped continues, and a second run adds no row. A model's
    memory is free before the next one is loaded.

    Args:
        config: What is evaluated.
        progress: Reports the items.
        skipped: Receives the reason for each model that cannot be evaluated; without it, the first one is an error.

    Raises:
        InputError: A name, option, file or metric is wrong; it is raised before a model answers anything.
    """
    progress = progress or NullProgress()
    tasks, scorers = prepare(config, progress)
    for number, model in enumerate(config.models):
        try:
            yield from _evaluate_model(config, model, tasks, scorers, progress, 2 + number * len(tasks))
        except InputError as error:
            if skipped is None:
                raise
            skipped[model.name] = str(error)
            logger.warning("%s is left out: %s", model.name, error)
        finally:
            model.release()


def prepare(
    config: EvalConfig, progress: Progress, num_stages: int | None = None
) -> tuple[list[EvalTask], dict[str, Scorer]]:
    """Return the tasks and the scorers by metric; what is wrong with the results file, too, is an error before work."""
    if config.results.exists() and (config.results.is_dir() or config.results.stat().st_size):
        read_results(config.results)
    tasks = load_tasks(config, progress, num_stages)
    scorers = {m.name: open_scorer(m, config.metric_options) for task in tasks for m in task.metrics if m.scorer}
    return tasks, scorers


def _evaluate_model(
    config: EvalConfig, model: EvalModel, tasks: Sequence[EvalTask], scorers: Mapping[str, Scorer], progress: Progress,
    first_stage: int,
) -> Iterator[Result]:  # fmt: skip
    with lock_folder(output_folder(config.output, model.name), "evaluation"), _served(config, model) as served:
        for results in evaluate_tasks(config, served, tasks, scorers, progress, first_stage):
            append_results(config.results, results)
            yield from results


def evaluate_tasks(
    config: EvalConfig, model: EvalModel, tasks: Sequence[EvalTask], scorers: Mapping[str, Scorer], progress: Progress,
    first_stage: int = 2,
) -> Iterator[list[Result]]:  # fmt: skip
    """Yield the results of a model, task by task."""
    num_stages = 1 + len(config.models) * len(tasks)
    for number, task in enumerate(tasks, first_stage):
        name, total = f"{model.name} on {task.name}", len(task.items.items) * task.num_passes
        with stage(progress, name, number, num_stages, total, "items"):
            results = _evaluate_task(config, model, task, scorers, progress)
        yield results


@contextmanager
def _served(config: EvalConfig, model: EvalModel) -> Iterator[EvalModel]:
    """Yield the model, behind a server of its own if one is to be started."""
    if config.server is None:
        yield model
        return
    log = output_folder(config.output, model.name) / "server.log"
    server = f"{config.server.key}-serve-{config.server.version}"
    with serve_model(config.server, model.folder, log) as (url, name):
        yield replace(model, endpoint=Endpoint(url, name, server=server, weights=model.weights))


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
        if "ended" in table.columns and (num := int((~table["ended"]).sum())):
            logger.warning(
                "%s: %s of %s answers did not end within the limit of new tokens.",
                task.name,
                f"{num:,}",
                f"{len(table):,}",
            )
    results = []
    for metric in task.metrics:
        table, scorer = outputs[metric.output_type], scorers.get(metric.name)
        if scorer:
            scores = scorer_outputs(config, model, task, metric, scorer, table, progress)
            table = scores.with_columns(table["backend"]) if "backend" in table.columns else scores
        if result := _result(config, model, task, metric, table, scorer):
            results.append(result)
        else:
            logger.warning("%s: no answer is long enough for %s, so it has no value.", task.name, metric.name)
    return results


def _result(
    config: EvalConfig, model: EvalModel, task: EvalTask, metric: Metric, table: pl.DataFrame, scorer: Scorer | None
) -> Result | None:
    """Return the value of a metric; None if no answer could be judged."""
    options = config.metric_options.of(task.benchmark)
    measured = measure(metric, table, answer_lang(task.lang, task.direction), options, scorer)
    if measured.is_empty:
        return None
    return Result(
        **model.result_fields(task.lang),
        benchmark=task.benchmark.name,
        direction=task.direction,
        metric=metric.name,
        value=measured.value,
        interval=measured.interval,
        n=measured.num_items,
        signature="|".join(
            (measured.signature, *_backends(table), *_conditions(config, model, task, metric.output_type))
        ),
        metric_min=metric.min,
        metric_max=metric.max,
    )


def _backends(table: pl.DataFrame) -> Iterator[str]:
    """Yield what computed the outputs, for the signature; several where a run continued with another version."""
    if "backend" in table.columns:
        yield f"backend:{'+'.join(table['backend'].unique().sort())}"


def _conditions(config: EvalConfig, model: EvalModel, task: EvalTask, output_type: OutputType) -> Iterator[str]:
    """Yield what a value depends on beside the metric, for its signature: prompt, decoding, and which items."""
    if output_type == "lm_eval":
        name = task_name(task.benchmark, task.lang)
        yield f"task:{name}-{task_sha256(task.benchmark, task.lang)[:8]}"
        yield f"num_fewshot:{read_config(name).get('num_fewshot', 'default')}"
    else:
        yield f"prompt:{model.prompt.name}-{model.prompt.sha256()[:8]}"
    if output_type == "generate_until":
        yield f"greedy:{config.longest_answer(task.benchmark)}"
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
