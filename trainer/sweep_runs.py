"""Train the runs of a sweep: many jobs may share its folder, each takes the next free run, failures are reported."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import sleep

from filelock import FileLock, Timeout

from corpora.errors import InputError
from trainer.preparation import TrainConfig
from trainer.run import ProcessesFailed, RunMetadata, read_metadata
from trainer.session import now

logger = logging.getLogger(__name__)
CLAIM = ".claim"  # the lock of a run of a sweep; the system frees it when its owner ends, however it ends
POLL_S = 2.0
Train = Callable[[int, TrainConfig], RunMetadata]  # the run's number, from 1


def parse_array_index(text: str) -> tuple[int, int]:
    """Return `3/8` as (3, 8): the fourth of eight jobs.

    Raises:
        InputError: It is not of this form, or the index is not below the number of jobs.
    """
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise InputError(
            f"--array-index takes K/N with K from 0 to N-1, not '{text}'. Under Slurm, with --array=0-7: "
            "--array-index $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT."
        )
    return int(index), int(count)


@contextmanager
def claim(output: Path) -> Iterator[bool]:
    """Yield True if this job may train a run; False if another has it."""
    output.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output / CLAIM, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def run_status(output: Path) -> str:
    """Return `done`, `training`, `stopped`, `failed` or `free`, as a folder shows it."""
    metadata = read_metadata(output)
    if metadata and metadata["status"] == "done":
        return "done"
    if not output.is_dir():
        return "free"
    with claim(output) as claimed:
        if not claimed:
            return "training"
    if metadata is None:
        return "free"
    return "stopped" if metadata["status"] in ("running", "prepared") else metadata["status"]


def train_runs(
    runs: Sequence[TrainConfig], train: Train, jobs: int = 1
) -> tuple[dict[int, RunMetadata], dict[int, str]]:
    """Train all runs that are neither done nor trained by another job; wait for those of other jobs.

    Args:
        runs: The runs, in order.
        train: Trains one of them.
        jobs: How many are trained at the same time.

    Returns:
        The metadata of the finished runs, and the errors of those that failed, by their position.

    Raises:
        Stopped: A signal ended a run.
    """
    results: dict[int, RunMetadata] = {}
    failures: dict[int, str] = {}
    stop, began = Event(), now()

    def work() -> None:
        pending = list(range(len(runs)))
        while pending and not stop.is_set():
            left = [
                index for index in pending if not _settle(index, runs[index], train, results, failures, began, stop)
            ]
            if left == pending:
                sleep(POLL_S)
            pending = left

    with ThreadPoolExecutor(jobs) as pool:
        workers = [pool.submit(work) for _ in range(jobs - 1)]
        try:
            work()
        except BaseException:
            stop.set()
            raise
        for worker in workers:
            worker.result()
    return results, failures


def _settle(
    index: int, run: TrainConfig, train: Train, results: dict[int, RunMetadata], failures: dict[int, str], began: str,
    stop: Event,
) -> bool:  # fmt: skip
    """Train a run unless another job does; return True if it is done or has failed."""
    if index in results or index in failures:
        return True
    metadata = read_metadata(run.output)
    if metadata and metadata["status"] == "done":
        results[index] = metadata
        return True
    with claim(run.output) as claimed:
        if not claimed or stop.is_set():
            return False
        metadata = read_metadata(run.output)
        if index in results or index in failures:
            return True
        if metadata and metadata["status"] == "failed" and str(metadata["sessions"][-1].get("ended", "")) >= began:
            failures[index] = f"in another job: {metadata.get('error', '')}"
            return True
        try:
            results[index] = train(index + 1, run)
        except InputError as error:
            failures[index] = str(error)
        except ProcessesFailed:
            failed = read_metadata(run.output)
            failures[index] = (failed and failed.get("error")) or "its processes ended with an error"
        if index in failures:
            logger.warning("%s failed and is left out: %s", run.output.name, failures[index])
        return True
