"""Count the units of the stage under way, and tell a function of each change."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from time import monotonic

from corpora.progress.status import Status


class Counter:
    """Keeps the status of the stage under way, and tells a subclass when it begins, moves and ends."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._status: Status | None = None
        self._began = 0.0

    def start(self, stage: str, index: int, count: int, total: int | None = None, unit: str = "rows") -> None:
        self.finish()
        self._began = monotonic()
        self._status = Status(stage, index, count, 0, total, unit)
        self._started(self._status)

    def advance(self, num: int = 1) -> None:
        self._change(num, 0)

    def extend(self, num: int) -> None:
        self._change(0, num)

    def note(self, text: str) -> None:
        with self._lock:
            self._status = self._status and replace(self._status, note=text)

    def finish(self) -> None:
        with self._lock:
            status, self._status = self._now(), None
        if status:
            self._finished(replace(status, is_finished=True))

    def status(self) -> Status | None:
        """Return how far the stage under way is, None between stages."""
        with self._lock:
            return self._now()

    def _change(self, num: int, more: int) -> None:
        with self._lock:
            if self._status is None:
                return
            total = (self._status.total or 0) + more if more else self._status.total
            self._status = replace(self._status, done=self._status.done + num, total=total)
            status = self._now()
        assert status is not None
        self._moved(status)

    def _now(self) -> Status | None:
        return self._status and replace(self._status, seconds=monotonic() - self._began)

    def _started(self, status: Status) -> None: ...

    def _moved(self, status: Status) -> None: ...

    def _finished(self, status: Status) -> None: ...


class CallbackProgress(Counter):
    """Calls a function with the status whenever a stage begins, moves or ends."""

    def __init__(self, function: Callable[[Status], object]) -> None:
        super().__init__()
        self._function = function

    def _started(self, status: Status) -> None:
        self._function(status)

    def _moved(self, status: Status) -> None:
        self._function(status)

    def _finished(self, status: Status) -> None:
        self._function(status)
