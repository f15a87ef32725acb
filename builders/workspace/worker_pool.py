"""Workers: objects such as a translation model that requests of all callers are handed to, in one queue."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Protocol


class WorkerPool(Protocol):
    """Workers, here or elsewhere, of which each that is free takes the next request."""

    def submit(self, request: Any) -> Future[Any]:
        """Let the next free worker do a request."""

    def close(self) -> None:
        """End the workers; requests that are not done fail."""


class ThreadWorkers:
    """Threads of this process that share one object, which does a request in each of them."""

    def __init__(self, do: Callable[[Any], Any], num_threads: int) -> None:
        self._do = do
        self._threads = ThreadPoolExecutor(num_threads, "worker")
        self._is_closed = False

    def submit(self, request: Any) -> Future[Any]:
        """Let the next free thread do a request, with the tables and code of the user's that are in use."""
        return self._threads.submit(copy_context().run, self._do_unless_closed, request)

    def close(self) -> None:
        """Wait for requests under way; the others fail."""
        self._is_closed = True
        self._threads.shutdown()

    def _do_unless_closed(self, request: Any) -> Any:
        if self._is_closed:  # futures that are cancelled would not end `as_completed`
            raise InterruptedError("the workers were closed")
        return self._do(request)
