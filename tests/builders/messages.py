"""The messages that a run logs, for tests."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Handler(logging.Handler):
    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def logged_messages() -> Iterator[list[str]]:
    """Yield the list to which warnings of `builders` are added while the block runs."""
    texts: list[str] = []
    handler, logger = _Handler(texts), logging.getLogger("builders")
    logger.addHandler(handler)
    try:
        yield texts
    finally:
        logger.removeHandler(handler)
