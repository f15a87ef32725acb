"""What both commands print: data never writes to the terminal as it likes, and no character stops the output.

Escape sequences, control characters and characters that reverse the direction of text become escapes such as \\u001b,
which JSON reads as the same character. Newlines and tabs stay.
"""

import io
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, TextIO

import click

from corpora.visible_text import clean

_RULE = re.compile(r" *-{2,}( {2}-+)*")  # the line below the heads of a table
# What progress bars of libraries write in one piece: back to the start of the line, and lines up.
_BAR = re.compile(r"\n*(\x1b\[A)*")


def print_text(text: object) -> None:
    """Write the result of a verb to stdout; for a terminal, sentences are wrapped at spaces and heads are bold."""
    from corpora.terminal_tables import terminal_width, wrap_sentences

    shown, width = clean(text), terminal_width()
    if width is None:
        click.echo(shown)
        return
    lines = shown.split("\n") if shown.startswith(("{", "[")) else wrap_sentences(shown, width)
    click.echo("\n".join(_style(lines) if has_colours(sys.stdout) else lines), file=raw_stream(sys.stdout))


def has_colours(stream: TextIO) -> bool:
    """Return whether a stream is a terminal with colours, and the user has not set NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _style(lines: list[str]) -> list[str]:
    """Return lines of text with the heads of tables in bold and the rules below them pale."""
    styled = list(lines)
    for n, line in enumerate(lines[1:]):
        if _RULE.fullmatch(line):
            styled[n : n + 2] = [click.style(lines[n], bold=True), click.style(line, dim=True)]
    return styled


def say(sentence: object) -> None:
    """Write a sentence to stderr."""
    click.echo(clean(sentence), err=True)


def print_traceback(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    """Write the traceback of an error of ours to stderr; for `sys.excepthook`."""
    say("".join(traceback.format_exception(kind, error, frames)).rstrip())


class CleanStream(io.TextIOWrapper):
    """A stream that cleans all that is written to it, by libraries too; `original` is for our own progress bar."""

    def __init__(self, original: TextIO) -> None:
        super().__init__(original.buffer, original.encoding, "backslashreplace", line_buffering=True)
        self.original = original

    @property
    def name(self) -> Any:
        """The name of the original, such as <stderr>."""
        return getattr(self.original, "name", "")

    def write(self, text: str) -> int:
        """Write a text without control characters, and what moves a progress bar as it is."""
        if _BAR.fullmatch(text):
            return super().write(text)
        start, end = text.startswith("\r"), len(text) > 1 and text.endswith("\r")
        body = clean(text[start : len(text) - end])
        return super().write("\r" * start + body + "\r" * end)


@contextmanager
def clean_streams() -> Iterator[None]:
    """Clean stdout and stderr while the block runs."""
    before = sys.stdout, sys.stderr
    for stream in before:
        stream.flush()
    ours = [CleanStream(stream) if isinstance(stream, io.TextIOWrapper) else stream for stream in before]
    sys.stdout, sys.stderr = ours
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in ours:
            _release(stream)


def _release(stream: TextIO) -> None:
    """Flush a stream and give its buffer back; a reader that has gone does not matter any more."""
    if isinstance(stream, CleanStream) and not stream.closed:
        with suppress(OSError):
            stream.detach()


def raw_stream(stream: TextIO) -> TextIO:
    """Return the stream below a CleanStream, to which our own progress bar writes."""
    return stream.original if isinstance(stream, CleanStream) else stream
