"""Call functions on all cores: in processes that leave nothing behind when they are stopped, or in threads.

Each process imports this module, so it imports nothing heavy.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from time import sleep
from typing import Any

from corpora.errors import InputError
from corpora.progress import NullProgress, Progress

Calls = Sequence[tuple[Any, ...]]  # (function, *arguments)
INTERVAL_S = 0.1  # between two looks at what workers have done
_report: Callable[[int], object] = NullProgress().advance  # what `report_rows` calls in this process


def on_all_threads(calls: Calls, threads: int, progress: Progress) -> None:
    """Do calls of short and mostly compiled functions in threads; `report_rows` in them advances the progress."""
    global _report
    _report = progress.advance
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(*call) for call in calls]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def on_all_cores(calls: Calls, threads: int, progress: Progress, title: str) -> None:
    """Do calls in processes of their own if there are several; `report_rows` in them advances the progress.

    Raises:
        InputError: A process was killed; `title` says what it did, such as "reading".
    """
    global _report
    if min(len(calls), threads) < 2:
        _report = progress.advance
        for function, *arguments in calls:
            function(*arguments)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy DuckDB's threads in the middle of their work
    counter = context.Value("q", 0)
    with ProcessPoolExecutor(
        min(len(calls), threads), context, initializer=_start_worker, initargs=(os.getpid(), counter)
    ) as pool:
        try:
            _wait(_submitted(pool, calls), counter, progress)
        except BrokenProcessPool:
            raise InputError(
                f"A process that was {title} was killed, perhaps for lack of memory. Finished work is kept: run the "
                "same command again, with fewer --threads."
            ) from None
        except Exception:
            pool.shutdown(cancel_futures=True)  # calls under way may end: their results are kept
            raise
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def report_rows(num: int) -> None:
    """Advance the progress of the calls under way by rows that are done; the called functions call this."""
    _report(num)


def _wait(futures: Sequence[Future[Any]], counter: Any, progress: Progress) -> None:
    """Wait for all calls, while rows that the workers count advance the progress; raise what a call raised."""
    pending, done = set(futures), 0
    while pending:
        finished, pending = wait(pending, INTERVAL_S, FIRST_COMPLETED)
        for future in finished:
            future.result()
        now = counter.value
        progress.advance(now - done)
        done = now


def _submitted(pool: ProcessPoolExecutor, calls: Calls) -> list[Future[int]]:
    """Submit calls; a worker inherits that Ctrl-C is blocked, until `_leave_with` has set what it does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [pool.submit(*call) for call in calls]
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _start_worker(parent: int, counter: Any) -> None:
    """Prepare a worker: it counts rows in shared memory and ends with its parent."""
    global _report

    def report(num: int) -> None:
        with counter.get_lock():
            counter.value += num

    _report = report
    _leave_with(parent)


def _leave_with(parent: int) -> None:
    """End a worker silently on Ctrl-C, or when its parent is gone; unfinished files have temporary names."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        sleep(0.2)
    os._exit(1)
