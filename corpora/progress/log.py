"""Progress as lines of a log."""

import logging
from collections.abc import Callable
from itertools import chain, repeat
from threading import Event, Thread

from corpora.progress.counter import Counter
from corpora.progress.status import Status

logger = logging.getLogger("corpora.progress")
FIRST_LINES_S = (1, 9)  # a log says how far a stage is after so many seconds, and after so many more
INTERVAL_S = 60  # and then once in so many seconds


class LogProgress(Counter):
    """Writes a line for each stage when it ends, and at least one a minute while it runs.

    A thread writes them, so they come also while a stage waits for other processes or for one long query.
    """

    def __init__(self, write: Callable[[str], object] = logger.info, interval_s: float = INTERVAL_S) -> None:
        super().__init__()
        self._write = write
        self._interval_s = interval_s
        self._ended = Event()

    def _started(self, status: Status) -> None:
        self._ended = Event()
        Thread(target=self._repeat, args=(self._ended,), daemon=True).start()

    def _repeat(self, ended: Event) -> None:
        for wait_s in chain(FIRST_LINES_S, repeat(self._interval_s)):
            if ended.wait(min(wait_s, self._interval_s)):
                return
            if status := self.status():
                self._write(str(status))

    def _finished(self, status: Status) -> None:
        self._ended.set()
        self._write(str(status))
