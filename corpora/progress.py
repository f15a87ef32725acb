"""How far a run is: stage k of n, rows done, rate and remaining time, on a terminal, in a log, or for a caller.

Long functions take `progress: Progress` and wrap each stage in `stage()`. They advance it by the rows that they have
done, from any thread of the main process.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.text import Text

logger = logging.getLogger(__name__)
FIRST_LINES_S = (1, 9)  # a log says how far a stage is after so many seconds, and after so many more
INTERVAL_S = 60  # and then once in so many seconds


@runtime_checkable
class Progress(Protocol):
    """A report on the stages of a run, one after the other."""

    def start(self, stage: str, index: int, count: int, total: int | None = None, unit: str = "rows") -> None:
        """Begin stage `index` of `count`, counted from 1; `total` units are to be done, None if that is not known."""

    def advance(self, num: int = 1) -> None:
        """Add `num` units that are done."""

    def extend(self, num: int) -> None:
        """Add `num` units to the total, where it becomes known during the stage."""

    def note(self, text: str) -> None:
        """Show a short text with the stage, such as the loss of a training step."""

    def finish(self) -> None:
        """End the stage; nothing happens where none has begun."""


@dataclass(frozen=True)
class Status:
    """How far a stage is; as a string, one line with all of it."""

    stage: str
    index: int
    count: int
    done: int = 0
    total: int | None = None
    unit: str = "rows"
    seconds: float = 0.0
    is_finished: bool = False
    note: str = ""

    @property
    def rate(self) -> float | None:
        """Units a second since the stage began, None until there are any."""
        return self.done / self.seconds if self.done and self.seconds > 0 else None

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the stage ends at this rate, None where the total or the rate is not known."""
        return max(0, self.total - self.done) / self.rate if self.total and self.rate else None

    def position(self) -> str:
        """Return which stage of the run it is; a run begins with stage 0 while the number of stages is not known."""
        return f"stage {self.index} of {self.count}" if self.count else "start"

    def amount(self) -> str:
        """Return the units done, with the total if it is known: `1,200 of 30,000 pairs`."""
        if self.unit == "bytes":
            return f"{format_bytes(self.done)} of {format_bytes(self.total)}" if self.total else format_bytes(self.done)
        return f"{self.done:,} of {self.total:,} {self.unit}" if self.total else f"{self.done:,} {self.unit}"

    def speed(self) -> str:
        """Return the rate with its unit, nothing where it is not known."""
        if self.rate is None:
            return ""
        rate = f"{self.rate:,.0f}" if self.rate >= 10 else f"{self.rate:.1f}"
        return f"{format_bytes(int(self.rate))}/s" if self.unit == "bytes" else f"{rate} {self.unit}/s"

    def __str__(self) -> str:
        share = f" ({min(1.0, self.done / self.total):.0%})" if self.total else ""
        parts = [f"{self.amount()}{share}"] if self.done or self.total else []
        parts += [self.speed()] if self.rate else []
        if self.is_finished:
            parts.append(f"took {duration(self.seconds)}")
        elif self.remaining_s is not None:
            parts.append(f"{duration(self.remaining_s)} left")
        parts += [self.note] if self.note else []
        return f"{self.position()}, {self.stage}: {', '.join(parts) or 'started'}"


def duration(seconds: float) -> str:
    """Return seconds in a form for people: `0.4 s`, `42 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def format_bytes(num: int) -> str:
    """Return a number of bytes in a form for people: `512 B`, `1.5 MB`, `2.5 GB`."""
    size = float(num)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


@contextmanager
def stage(
    progress: Progress, name: str, index: int, count: int, total: int | None = None, unit: str = "rows"
) -> Iterator[Progress]:
    """Report the block as stage `index` of `count`."""
    progress.start(name, index, count, total, unit)
    try:
        yield progress
    finally:
        progress.finish()


class NullProgress:
    """Reports nothing."""

    def start(self, stage: str, index: int, count: int, total: int | None = None, unit: str = "rows") -> None: ...

    def advance(self, num: int = 1) -> None: ...

    def extend(self, num: int) -> None: ...

    def note(self, text: str) -> None: ...

    def finish(self) -> None: ...


class _Counter:
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


class CallbackProgress(_Counter):
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


class LogProgress(_Counter):
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


class TerminalProgress(_Counter):
    """Shows one line on stderr while a stage runs: its number, a bar, rows, rate and remaining time."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Bar | None = None

    def _started(self, status: Status) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar

        self._bar = Bar(*_columns(self), console=Console(stderr=True), transient=True, refresh_per_second=8)
        self._bar.add_task(status.stage, total=status.total)
        self._bar.start()

    def _moved(self, status: Status) -> None:
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=status.done, total=status.total)

    def _finished(self, status: Status) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None


def _columns(progress: TerminalProgress) -> list[Any]:
    """Return the parts of the line that `TerminalProgress` shows."""
    from rich.progress import BarColumn, ProgressColumn
    from rich.text import Text

    class Before(ProgressColumn):
        def render(self, task: Any) -> "Text":
            status = progress.status()
            return Text(f"{status.position()} {status.stage}" if status else "")

    class After(ProgressColumn):
        def render(self, task: Any) -> "Text":
            if (status := progress.status()) is None:
                return Text("")
            left = f"{duration(status.remaining_s)} left" if status.remaining_s is not None else ""
            amount = status.amount() if status.done or status.total else ""
            parts = (amount, status.speed(), left or duration(status.seconds), status.note)
            return Text("  ".join(filter(None, parts)))

    return [Before(), BarColumn(bar_width=16), After()]


class SeveralProgress:
    """Reports to several: a terminal and a log file, for example."""

    def __init__(self, *parts: Progress) -> None:
        self._parts = parts

    def start(self, stage: str, index: int, count: int, total: int | None = None, unit: str = "rows") -> None:
        for part in self._parts:
            part.start(stage, index, count, total, unit)

    def advance(self, num: int = 1) -> None:
        for part in self._parts:
            part.advance(num)

    def extend(self, num: int) -> None:
        for part in self._parts:
            part.extend(num)

    def note(self, text: str) -> None:
        for part in self._parts:
            part.note(text)

    def finish(self) -> None:
        for part in self._parts:
            part.finish()


def as_progress(value: "Progress | Callable[[Status], object] | None") -> Progress:
    """Return what a caller gave as a Progress: a function is called with each Status; for None, lines are logged."""
    if value is None:
        return LogProgress()
    return value if isinstance(value, Progress) else CallbackProgress(value)
