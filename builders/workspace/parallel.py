"""Call functions on all cores: in processes that leave nothing behind when they are stopped, or in threads.

Each process imports this module, so it imports nothing heavy.
"""

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from time import sleep
from typing import Any

from corpora.errors import InputError
from corpora.progress import Progress

Calls = Sequence[tuple[Any, ...]]  # (function, *arguments); the function returns a number of rows


def on_all_threads(calls: Calls, threads: int, progress: Progress) -> None:
    """Do calls of short and mostly compiled functions in threads; their numbers of rows advance the progress."""
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(*call) for call in calls]
        try:
            for future in as_completed(futures):
                progress.advance(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def on_all_cores(calls: Calls, threads: int, progress: Progress, title: str) -> None:
    """Do calls in processes of their own if there are several; their numbers of rows advance the progress.

    Raises:
        InputError: A process was killed; `title` says what it did, such as "reading".
    """
    if min(len(calls), threads) < 2:
        for function, *arguments in calls:
            progress.advance(function(*arguments))
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy DuckDB's threads in the middle of their work
    with ProcessPoolExecutor(
        min(len(calls), threads), context, initializer=_leave_with, initargs=(os.getpid(),)
    ) as pool:
        try:
            for future in as_completed(_submitted(pool, calls)):
                progress.advance(future.result())
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


def _submitted(pool: ProcessPoolExecutor, calls: Calls) -> list[Future[int]]:
    """Submit calls; a worker inherits that Ctrl-C is blocked, until `_leave_with` has set what it does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [pool.submit(*call) for call in calls]
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _leave_with(parent: int) -> None:
    """End a worker silently on Ctrl-C, or when its parent is gone; unfinished files have temporary names."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        sleep(0.2)
    os._exit(1)
