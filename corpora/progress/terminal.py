"""Progress as one line on a terminal."""

import sys
from typing import TYPE_CHECKING, Any

from corpora.printing import raw_stream
from corpora.progress.counter import Counter
from corpora.progress.status import Status, duration
from corpora.visible_text import clean

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.text import Text


class TerminalProgress(Counter):
    """Shows one line on stderr while a stage runs: its number, a bar, rows, rate and remaining time."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Bar | None = None

    def _started(self, status: Status) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar

        console = Console(file=raw_stream(sys.stderr))
        self._bar = Bar(*_columns(self), console=console, transient=True, refresh_per_second=8)
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
            return Text(clean(f"{status.position()} {status.stage}") if status else "")

    class After(ProgressColumn):
        def render(self, task: Any) -> "Text":
            if (status := progress.status()) is None:
                return Text("")
            left = f"{duration(status.remaining_s)} left" if status.remaining_s is not None else ""
            amount = status.amount() if status.done or status.total else ""
            parts = (amount, status.speed(), left or duration(status.seconds), status.note)
            return Text(clean("  ".join(filter(None, parts))))

    return [Before(), BarColumn(bar_width=16), After()]
