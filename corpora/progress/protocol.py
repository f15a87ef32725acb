"""The protocol of a progress, the stage that is reported to it, and the progresses that show nothing themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable


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
