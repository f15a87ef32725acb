"""Outputs of one model on one task, computed where they are not stored yet: by the model, or by a scorer of answers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from corpora.errors import InputError
from corpora.progress import Progress
from trainer.evaluation.academic import harness_version, task_sha256
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.eval_tasks import EvalConfig, EvalTask
from trainer.evaluation.items import Item
from trainer.evaluation.lm_eval_harness import run_lm_eval
from trainer.evaluation.measurement import Scorer
from trainer.evaluation.metrics import Metric, OutputType
from trainer.evaluation.outputs import Row, compute_outputs
from trainer.evaluation.remote_generation import generate_remote
from trainer.recipe import digest

VERSION = 2  # of how outputs are computed; a higher one computes them again


def output_folder(output: Path, model_name: str) -> Path:
    """Return the folder of a model's outputs."""
    return output / model_name.replace("/", "--")


def model_outputs(
    config: EvalConfig, model: EvalModel, task: EvalTask, output_type: OutputType, progress: Progress
) -> pl.DataFrame:
    """Return what a model produces for each item of a task, computed where it is not stored yet."""
    key = _output_key(config, model, task, output_type)
    path = _output_path(config, model, task, output_type, key)

    def make(items: Sequence[Item]) -> Iterator[list[Row]]:
        named = {"backend": model.backend}
        return ([row | named for row in rows] for rows in _make(config, model, task, output_type, items))

    return compute_outputs(path, key, task.items.items, make, progress.advance)


def _output_key(config: EvalConfig, model: EvalModel, task: EvalTask, output_type: OutputType) -> dict[str, object]:
    conditions: dict[OutputType, dict[str, object]] = {
        "generate_until": {"max_new_tokens": config.longest_answer(task.benchmark)},
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
        length = config.longest_answer(task.benchmark)
        return generate_remote(model.endpoint, model.prompt, items, length, config.concurrency)
    from trainer.evaluation.generation import Decoding, generate, teacher_forced

    decoding = Decoding(config.longest_answer(task.benchmark), config.batch_size)
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
                f"{metric.name} needs the source text of each answer; in {task.name} it is a part of the instruction."
            )
        sources, references = [item.input for item in items], [item.references[0] for item in items]
        batches = scorer.scores(sources, [texts[item] for item in items], references, config.batch_size)
        return ([{"index": index, "score": score} for index, score in batch] for batch in batches)

    return compute_outputs(path, key, task.items.items, make, progress.advance)
