"""A pool of workers: requests of all callers in one queue, to those that have begun; what happens when one fails."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from builders.cluster.worker_pool import ClusterPool
from corpora.cluster import Call, Resources
from corpora.errors import InputError


class Threads:
    """A cluster whose workers are threads; `late` of them never begin."""

    def __init__(self, late: int = 0) -> None:
        self.late = late
        self.stopped: list[object] = []

    def start_worker(self, kind, *arguments, resources):
        return ThreadPoolExecutor(1), kind(*arguments)

    def call_worker(self, worker, method, *arguments):
        threads, own = worker
        if method == "begin" and self.late:
            self.late -= 1
            return Call(None, Future())
        return Call(None, threads.submit(getattr(own, method), *arguments))

    def stop_worker(self, worker):
        self.stopped.append(worker)
        worker[0].shutdown(wait=False, cancel_futures=True)


class Doubling:
    def __init__(self, gate: Event | None = None) -> None:
        self.gate = gate
        self.done: list[int] = []

    def begin(self) -> None:
        if self.gate is None:
            raise InputError("The node two has no GPU.")

    def do(self, request: int) -> int:
        assert self.gate.wait(20)
        self.done.append(request)
        if request == 13:
            raise InputError("13 cannot be doubled.")
        return 2 * request


def open_pool(cluster: Threads, gate: Event | None, num: int = 2) -> ClusterPool:
    return ClusterPool(cluster, num, Resources(), Doubling, (gate,))


def test_requests_are_done_by_the_workers_that_have_begun():
    gate, cluster = Event(), Threads(late=1)
    gate.set()
    pool = open_pool(cluster, gate)
    assert [future.result(20) for future in [pool.submit(n) for n in range(10)]] == [2 * n for n in range(10)]
    pool.close()
    assert len(cluster.stopped) == 2


def test_error_of_a_request_reaches_its_caller_alone():
    gate = Event()
    gate.set()
    pool = open_pool(Threads(), gate)
    failed, other = pool.submit(13), pool.submit(4)
    with pytest.raises(InputError, match="13 cannot"):
        failed.result(20)
    assert other.result(20) == 8
    pool.close()


def test_worker_that_cannot_begin_fails_all_requests():
    pool = open_pool(Threads(), None)
    with pytest.raises(InputError, match="no GPU"):
        pool.submit(1).result(20)
    with pytest.raises(InputError, match="no GPU"):
        pool.submit(2)


def test_closing_fails_what_is_not_done():
    gate = Event()
    pool = open_pool(Threads(), gate)
    futures = [pool.submit(n) for n in range(6)]
    pool.close()
    gate.set()
    for future in futures:
        with pytest.raises(InterruptedError):
            future.result(20)
