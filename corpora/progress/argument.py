"""The argument `progress` of a function: a progress, a function of a status, or None."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from corpora.progress.counter import CallbackProgress
from corpora.progress.log import LogProgress
from corpora.progress.protocol import Progress
from corpora.progress.status import Status

ProgressLike = Progress | Callable[[Status], object] | None


def as_progress(value: ProgressLike) -> Progress:
    """Return what a caller gave as a Progress: a function is called with each Status; for None, lines are logged."""
    if value is None:
        return LogProgress()
    return value if isinstance(value, Progress) else CallbackProgress(value)


@contextmanager
def open_progress(progress: ProgressLike) -> Iterator[Progress]:
    """Yield what a caller gave as a Progress, and end its stage whatever happens."""
    reported = as_progress(progress)
    try:
        yield reported
    finally:
        reported.finish()
