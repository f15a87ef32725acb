"""Work on all cores: functions called in processes of their own, which leave nothing behind when they are stopped.

Functions that hold no interpreter lock are called in threads.

This module is imported by each of those processes, so it imports nothing heavy.
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

from tqdm import tqdm

from corpora.errors import InputError


def on_all_threads(tasks: Sequence[tuple[Any, ...]], threads: int, title: str, unit: str) -> None:
    """Call each (function, *arguments), short and mostly compiled code, which returns a number of rows, in threads."""
    with _bar(title, unit) as bar, ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(*task) for task in tasks]
        try:
            for future in as_completed(futures):
                bar.update(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _bar(title: str, unit: str) -> "tqdm[Any]":
    return tqdm(desc=title, unit=f" {unit}", delay=2, disable=None, leave=False, unit_scale=True)


def on_all_cores(tasks: Sequence[tuple[Any, ...]], threads: int, title: str, unit: str) -> None:
    """Call each (function, *arguments), which returns a number of rows, in processes of their own if that pays."""
    with _bar(title, unit) as bar:
        if min(len(tasks), threads) < 2:
            for function, *arguments in tasks:
                bar.update(function(*arguments))
            return
        context = multiprocessing.get_context("spawn")  # a fork would copy DuckDB's threads in the middle of their work
        with ProcessPoolExecutor(
            min(len(tasks), threads), context, initializer=_leave_with, initargs=(os.getpid(),)
        ) as pool:
            try:
                futures = _submitted(pool, tasks)
                for future in as_completed(futures):
                    bar.update(future.result())
            except BrokenProcessPool:
                raise InputError(
                    f"A process that was {title} was killed, perhaps for want of memory. Finished work is kept: "
                    "run the same command again, with fewer --threads."
                ) from None
            except Exception:
                pool.shutdown(cancel_futures=True)  # what is under way may end: it need not be made again
                raise
            except BaseException:
                for process in multiprocessing.active_children():
                    process.terminate()
                raise


def _submitted(pool: ProcessPoolExecutor, tasks: Sequence[tuple[Any, ...]]) -> list[Future[int]]:
    """The tasks under way; a worker inherits that Ctrl-C waits, until `_leave_with` has said what it does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [pool.submit(*task) for task in tasks]
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _leave_with(parent: int) -> None:
    """On Ctrl-C, or when its parent is gone, a worker goes without a word; what it was writing has a temporary name."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        sleep(0.2)
    os._exit(1)
