"""How far a run is: stage k of n, rows done, rate and remaining time, on a terminal, in a log, or for a caller.

Long functions take `progress: Progress` and wrap each stage in `stage()`. They advance it by the rows that they have
done, from any thread of the main process.
"""

from corpora.progress.argument import ProgressLike, as_progress, open_progress
from corpora.progress.counter import CallbackProgress
from corpora.progress.log import LogProgress
from corpora.progress.protocol import NullProgress, Progress, SeveralProgress, stage
from corpora.progress.status import Status, duration, format_bytes
from corpora.progress.terminal import TerminalProgress

__all__ = [
    "CallbackProgress",
    "LogProgress",
    "NullProgress",
    "Progress",
    "ProgressLike",
    "SeveralProgress",
    "Status",
    "TerminalProgress",
    "as_progress",
    "duration",
    "format_bytes",
    "open_progress",
    "stage",
]
