"""Train the runs of a sweep on the nodes of a Ray cluster, each as a process of its own where there is room."""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread
from typing import Any

from corpora.cluster import Call, Cluster, Resources, check_nodes, node_name, open_cluster
from corpora.files import atomic_path
from corpora.progress import Progress, stage
from trainer.child_processes import start, stop
from trainer.preparation import TrainConfig
from trainer.run import ProcessesFailed, RunMetadata, Stopped, read_metadata
from trainer.run_commands import STOPPED, trainer_command
from trainer.sweep_runs import train_runs

RUN_LOG = "cluster-runs.jsonl"  # in the folder of the runs: where and when each was trained
GRACE_S = 600.0  # for a run to save a checkpoint


def train_on_cluster(
    address: str,
    runs: Sequence[TrainConfig],
    commands: Sequence[Sequence[str]],
    processes: int,
    progress: Progress,
) -> tuple[dict[int, RunMetadata], dict[int, str]]:
    """Train runs on a cluster, as `train_runs` does; the folder of a run is its state, which all nodes share."""
    cluster = open_cluster(address)
    try:
        folder = runs[0].output.resolve().parent
        check_nodes(cluster, folder)
        resources = run_resources(cluster, processes)
        reports: list[Mapping[str, Any]] = []
        calls: list[Call] = []
        stopped = Event()

        def train(number: int, run: TrainConfig) -> RunMetadata:
            if stopped.is_set():
                raise Stopped(0, 0)
            call = cluster.call(
                train_here, list(commands[number - 1]), Path.cwd(), run.output.resolve(), resources=resources
            )
            calls.append(call)
            try:
                reports.append(call.future.result())
            except InterruptedError:
                return _result(run.output, STOPPED)
            progress.advance()
            return _result(run.output, reports[-1]["code"])

        with (
            _stop_on_signal(cluster, calls, stopped),
            stage(progress, "training runs", 1, 1, len(runs), "runs"),
        ):
            try:
                return train_runs(runs, train, len(runs))
            finally:
                with atomic_path(folder / RUN_LOG) as path:
                    path.write_text("".join(json.dumps(report) + "\n" for report in reports), encoding="utf-8")
    finally:
        cluster.close()


@contextmanager
def _stop_on_signal(cluster: Cluster, calls: list[Call], stopped: Event) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C stop the runs on all nodes, which save checkpoints, while the block runs."""

    def stop_all(*_: object) -> None:
        stopped.set()
        Thread(target=lambda: cluster.cancel(list(calls))).start()  # the signal may come within a call of the engine

    numbers = (signal.SIGTERM, signal.SIGINT) if current_thread() is main_thread() else ()
    before = {number: signal.signal(number, stop_all) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_resources(cluster: Cluster, processes: int) -> Resources:
    """Return what a run holds: a GPU for each of its processes, or a core where the cluster has no GPUs."""
    return Resources(processes, processes if cluster.total()["GPU"] else 0)


def train_here(arguments: Sequence[str], current: Path, output: Path) -> dict[str, Any]:
    """Run `trainer` on this node, its messages in output.log of the run; return its exit code, the node and the time.

    The process ends with this one, so that a run that is repeated elsewhere is not trained twice.
    """
    begun = time.time()
    with (output / "output.log").open("ab") as log:
        process = start(trainer_command(arguments), log, folder=current, ends_with_parent=True)
        try:
            code = process.wait()
        finally:
            stop(process, GRACE_S)
    took = {"begun": begun, "seconds": time.time() - begun}
    return {"run": output.name, "node": node_name(), "process": os.getpid(), "code": code, **took}


def _result(output: Path, code: int) -> RunMetadata:
    metadata = read_metadata(output)
    if code == STOPPED:
        raise Stopped(*((metadata.get("step", 0), metadata.get("num_steps", 0)) if metadata else (0, 0)))
    if code or metadata is None:
        raise ProcessesFailed(code or 1)
    return metadata
