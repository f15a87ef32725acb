"""Messages of a command: our loggers' records on stderr and in a log file."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpora.printing import say
from corpora.visible_text import clean

LOGGERS = ("corpora", "recipes", "cards", "builders", "trainer")
PROGRESS = "corpora.progress"  # the logger of progress lines


@contextmanager
def log_messages(log_file: Path | None = None, verbose: int = 0, quiet: bool = False) -> Iterator[None]:
    """Show the messages of our modules on stderr while the block runs, and append them to a file.

    Args:
        log_file: The file; it also receives progress and the time of each message.
        verbose: 0 shows warnings, 1 information too, 2 everything.
        quiet: Show errors only.
    """
    handlers: list[logging.Handler] = [_Console(logging.ERROR if quiet else logging.WARNING - 10 * min(verbose, 2))]
    if log_file:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(log_file, encoding="utf-8", errors="backslashreplace"))
        handlers[-1].setFormatter(_CleanFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
        logger.propagate = False
        logger.handlers += handlers
    try:
        yield
    finally:
        for logger in loggers:
            logger.propagate = True
            logger.handlers = [handler for handler in logger.handlers if handler not in handlers]
        for handler in handlers:
            handler.close()


class _CleanFormatter(logging.Formatter):
    """Formats messages for a file that someone may show on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


class _Console(logging.Handler):
    """Writes messages to stderr; of progress, only where no line of it is shown."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self._least = least

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == PROGRESS:
            return not sys.stderr.isatty() and self._least <= logging.WARNING
        return record.levelno >= self._least

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))
