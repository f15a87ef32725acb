"""Workers on a cluster that each keep an object: requests of all callers in one queue, to whoever is free."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Any

from corpora.cluster import Cluster, Resources

AHEAD = 2  # requests that a worker has, so that it never waits for the next one


class ClusterPool:
    """Hands requests to the workers that have begun, each the next when it has ended one."""

    def __init__(
        self, cluster: Cluster, num: int, resources: Resources, kind: Callable[..., Any], arguments: Sequence[Any]
    ) -> None:
        self._cluster = cluster
        self._lock = Lock()
        self._queue: deque[tuple[Any, Future[Any]]] = deque()
        self._load: dict[int, int] = {}  # requests under way, by the number of a worker that has begun
        self._under_way: set[Future[Any]] = set()
        self._error: BaseException | None = None
        self._workers = [cluster.start_worker(kind, *arguments, resources=resources) for _ in range(num)]
        for number, worker in enumerate(self._workers):
            cluster.call_worker(worker, "begin").future.add_done_callback(partial(self._begin, number))

    def submit(self, request: Any) -> Future[Any]:
        """Let the next free worker do a request."""
        own: Future[Any] = Future()
        with self._lock:
            if self._error:
                raise self._error
            self._queue.append((request, own))
            self._under_way.add(own)
            self._hand_over()
        return own

    def close(self) -> None:
        """End the workers; requests that are not done fail."""
        self._fail(InterruptedError("the workers were closed"))
        workers, self._workers = self._workers, []
        for worker in workers:
            self._cluster.stop_worker(worker)

    def _begin(self, number: int, future: "Future[Any]") -> None:
        if error := future.exception():
            self._fail(error)
            return
        with self._lock:
            self._load[number] = 0
            self._hand_over()

    def _hand_over(self) -> None:
        """Hand requests to the workers with the fewest, as long as one has room; the lock is held."""
        while self._queue and self._load and min(self._load.values()) < AHEAD and not self._error:
            number = min(self._load, key=self._load.__getitem__)
            request, own = self._queue.popleft()
            self._load[number] += 1
            call = self._cluster.call_worker(self._workers[number], "do", request)
            call.future.add_done_callback(partial(self._end, number, own))

    def _end(self, number: int, own: "Future[Any]", future: "Future[Any]") -> None:
        with self._lock:
            self._load[number] -= 1
            self._hand_over()
            is_open = own in self._under_way
            self._under_way.discard(own)
        if is_open:
            error = future.exception()
            own.set_exception(error) if error else own.set_result(future.result())

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._error = self._error or error
            failed, self._under_way = self._under_way, set()
            self._queue.clear()
        for own in failed:
            own.set_exception(error)
