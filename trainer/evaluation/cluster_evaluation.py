"""Evaluate on the nodes of a Ray cluster: each model on each benchmark in each language is a unit of its own."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpora.cluster import (
    SILENCE_S,
    Call,
    Cluster,
    Resources,
    appears,
    check_nodes,
    node_name,
    open_cluster,
    silence_text,
)
from corpora.errors import InputError, first_line
from corpora.extensions import Extensions, current_extensions, use_extensions
from corpora.files import atomic_path, lock_folder
from corpora.progress import NullProgress, Progress, stage
from recipes.results import Result, append_results, read_results, to_line
from trainer.cluster_runs import run_resources
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.eval_tasks import EvalConfig, is_remote
from trainer.evaluation.model_outputs import output_folder
from trainer.evaluation.run_evaluation import evaluate_tasks, prepare

logger = logging.getLogger(__name__)
UNIT_LOG = "cluster-units.jsonl"  # in the folder of outputs: where and when each unit was evaluated


@dataclass(frozen=True, eq=False)
class Unit:
    """One model on one benchmark in one language, in all directions."""

    model: EvalModel
    benchmark: str
    lang: str

    @property
    def name(self) -> str:
        """The unit in messages."""
        return f"{self.model.name} on {self.benchmark}.{self.lang}"

    def file(self, output: Path) -> Path:
        """Return the file of its results."""
        return output_folder(output, self.model.name) / f"{self.benchmark}.{self.lang}.results.jsonl"


@dataclass(frozen=True)
class UnitReport:
    """Where and when a unit was evaluated, and the warnings that it gave."""

    unit: str
    node: str
    begun: float  # seconds since 1970
    seconds: float
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """Return a line for the log of units."""
        return json.dumps({name: getattr(self, name) for name in ("unit", "node", "begun", "seconds")})


def evaluate_on_cluster(
    address: str, config: EvalConfig, progress: Progress, skipped: dict[str, str]
) -> Iterator[Result]:
    """Yield the results of all models, as `evaluate_models` does, and in its order.

    A unit writes its results into a file of its own, from which they are added to the results of all.

    Args:
        address: The cluster; its nodes share the current folder and all that the configuration names.
        config: What is evaluated.
        progress: Reports the units.
        skipped: Receives the reason for each unit that could not be evaluated.

    Raises:
        InputError: A name, option, file, metric or node is wrong; it is raised before a model answers anything.
    """
    if is_remote(config):
        raise InputError("--cluster loads the models on its nodes. Leave out --endpoint and --serve.")
    if len({model.name for model in config.models}) < len(config.models):
        raise InputError("Two of the models have the same name. Evaluate them one by one, with --name.")
    tasks, _ = prepare(config, progress, num_stages=2)
    keys = dict.fromkeys((task.benchmark.name, task.lang) for task in tasks)
    units = [Unit(model, *key) for model in config.models for key in keys]
    with ExitStack() as stack:
        for model in config.models:
            stack.enter_context(lock_folder(output_folder(config.output, model.name), "evaluation"))
        cluster = open_cluster(address)
        stack.callback(cluster.close)
        check_nodes(cluster, config.output.resolve())
        resources = run_resources(cluster, 1)
        calls = _start(cluster, config, units, resources)
        with stage(progress, "evaluating", 2, 2, len(units), "units"):
            ended = _in_order(calls, lambda num: silence_text("unit", num, resources, cluster), progress)
            yield from _collect(config, ended, skipped)


def _start(cluster: Cluster, config: EvalConfig, units: Sequence[Unit], resources: Resources) -> dict[Unit, Call]:
    where = Path.cwd(), current_extensions()
    for unit in units:
        unit.file(config.output).unlink(missing_ok=True)  # of an earlier run
    return {
        unit: cluster.call(evaluate_unit, *where, _only(config, unit), unit, resources=resources, title=unit.name)
        for unit in units
    }


def _only(config: EvalConfig, unit: Unit) -> EvalConfig:
    return replace(config, models=(unit.model,), benchmarks=(unit.benchmark,), langs=(unit.lang,))


def _in_order(
    calls: dict[Unit, Call], describe_silence: Callable[[int], str], progress: Progress
) -> Iterator[tuple[Unit, "Future[UnitReport]"]]:
    """Yield units that have ended, in their order; say what the run waits for if none has ended for a while."""
    order, pending = deque(calls), {call.future for call in calls.values()}
    while order:
        done, pending = wait(pending, SILENCE_S, FIRST_COMPLETED)
        progress.advance(len(done))
        if not done:
            logger.warning(describe_silence(len(pending)))
        while order and calls[order[0]].future.done():
            yield order[0], calls[order.popleft()].future


def _collect(
    config: EvalConfig, ended: Iterable[tuple[Unit, "Future[UnitReport]"]], skipped: dict[str, str]
) -> Iterator[Result]:
    """Yield the results of units, and add them to those of all."""
    reports: list[UnitReport] = []
    try:
        for unit, future in ended:
            try:
                reports.append(future.result())
            except Exception as error:  # whatever a unit died of, the others go on
                skipped[unit.name] = _reason(error)
                logger.warning("%s is left out: %s", unit.name, skipped[unit.name])
                continue
            for text in reports[-1].warnings:
                logger.warning("%s: %s", unit.model.name, text)
            results = _results(unit.file(config.output))
            append_results(config.results, results)
            yield from results
    finally:
        with atomic_path(config.output / UNIT_LOG) as path:
            path.write_text("".join(f"{report.to_json()}\n" for report in reports), encoding="utf-8")


def _results(file: Path) -> list[Result]:
    if not appears(file):
        raise InputError(f"{file}, which another node has written, is not seen here. Run the same command again.")
    return read_results(file) if file.stat().st_size else []


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {first_line(error)}"


def evaluate_unit(current: Path, extensions: Extensions, config: EvalConfig, unit: Unit) -> UnitReport:
    """Evaluate a unit on this node, as in the driver's current folder, and write the file of its results."""
    begun, warnings = time.time(), _Warnings()
    rooms = logging.getLogger("trainer")
    rooms.addHandler(warnings)
    try:
        with chdir(current), use_extensions(extensions):
            tasks, scorers = prepare(config, NullProgress())
            parts = list(evaluate_tasks(config, unit.model, tasks, scorers, NullProgress()))
            with atomic_path(unit.file(config.output)) as path:
                path.write_text("".join(to_line(result) for results in parts for result in results), encoding="utf-8")
    finally:
        rooms.removeHandler(warnings)
        unit.model.release()
    return UnitReport(unit.name, node_name(), begun, time.time() - begun, tuple(warnings.texts))


class _Warnings(logging.Handler):
    """Keeps the texts of warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: Any) -> None:
        self.texts.append(record.getMessage())
