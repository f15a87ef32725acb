"""Tables for a terminal, as wide as it is: columns are dropped by priority, then each row becomes a block of lines.

Where output is piped, and in notebooks, tables are as wide as their cells.
"""

import shutil
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

GAP = "  "
LEAST_WRAP = 24  # the columns of a terminal that a text that wraps needs
AUTO = -1
ZERO_WIDTH = {"Mn", "Me", "Cf"}  # categories of Unicode


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        head: The text above it.
        align: Numbers are on the right.
        drop: Columns with higher numbers are dropped first where the terminal is narrow; 0 means never.
        wrap: Whether its texts may take several lines, broken at spaces.
    """

    head: str
    align: Literal["left", "right"] = "left"
    drop: int = 0
    wrap: bool = False


def left(*heads: str) -> list[Column]:
    """Return columns of texts."""
    return [Column(head) for head in heads]


def right(*heads: str) -> list[Column]:
    """Return columns of numbers."""
    return [Column(head, "right") for head in heads]


def format_table(columns: Sequence[Column], rows: Sequence[Sequence[object]], width: int | None = AUTO) -> str:
    """Return a table; columns without any text are left out.

    Args:
        columns: The columns.
        rows: A cell for each column.
        width: The columns of the terminal; None means no limit. By default those of the terminal on stdout.
    """
    limit = terminal_width() if width == AUTO else width
    texts = [["" if cell is None else _one_line(cell) for cell in row] for row in rows]
    used = [i for i, column in enumerate(columns) if any(row[i] for row in texts) or not texts]
    dropped: list[int] = []
    while limit and _least_width(columns, texts, used) > limit:
        droppable = [i for i in used if columns[i].drop]
        if not droppable:
            return _blocks(columns, texts, sorted([*used, *dropped]), limit)
        dropped.append(max(droppable, key=lambda i: (columns[i].drop, i)))
        used = [i for i in used if i != dropped[-1]]
    table = _draw([columns[i] for i in used], [[row[i] for i in used] for row in texts], limit)
    names = ", ".join(columns[i].head for i in sorted(dropped))
    return f"{table}\n{_fill(f'Not shown in {limit} columns: {names}.', limit or 0)}" if dropped else table


def terminal_width() -> int | None:
    """Return the width of the terminal that stdout is, or None if it is a file, a pipe or a notebook."""
    try:
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    except ValueError:  # stdout is closed
        return None


def text_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.category(c) in ZERO_WIDTH else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def wrap_text(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text as lines of at most a width, broken at spaces; what has no space is broken anywhere.

    Args:
        text: The text, on one line.
        width: The most columns of a line.
        indent: What the lines after the first begin with.
    """
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
        if text_width(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1].strip():
            lines.append(indent)
        for character in word:
            if text_width(lines[-1] + character) > width:
                lines.append(indent)
            lines[-1] += character
    return lines


def _one_line(cell: object) -> str:
    from corpora.printing import clean

    return " ".join(clean(cell).split())


def _least_width(columns: Sequence[Column], rows: Sequence[Sequence[str]], used: Sequence[int]) -> int:
    widths = [
        min(_natural_width(columns[i], [row[i] for row in rows]), LEAST_WRAP if columns[i].wrap else sys.maxsize)
        for i in used
    ]
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _natural_width(column: Column, cells: Sequence[str]) -> int:
    return max(map(text_width, [column.head, *cells]))


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[str]], limit: int | None) -> str:
    widths = [_natural_width(column, [row[i] for row in rows]) for i, column in enumerate(columns)]
    if limit:
        widths = _shrink(columns, widths, limit)
    lines = [[column.head for column in columns], ["-" * width for width in widths]]
    for row in rows:
        parts = [wrap_text(cell, width) for cell, width in zip(row, widths, strict=True)]
        lines += [[part[n] if n < len(part) else "" for part in parts] for n in range(max(map(len, parts)))]
    return "\n".join(
        GAP.join(_pad(cell, width, column.align) for cell, width, column in zip(line, widths, columns, strict=True))
        .rstrip()
        for line in lines
    )  # fmt: skip


def _shrink(columns: Sequence[Column], widths: Sequence[int], limit: int) -> list[int]:
    """Return the widths with those of texts that wrap made smaller, the widest first, until the table fits."""
    shrunk = list(widths)
    while sum(shrunk) + len(GAP) * (len(shrunk) - 1) > limit:
        widest = max((i for i, column in enumerate(columns) if column.wrap), key=lambda i: shrunk[i])
        shrunk[widest] -= 1
    return shrunk


def _pad(text: str, width: int, align: str) -> str:
    space = " " * (width - text_width(text))
    return space + text if align == "right" else text + space


def _blocks(columns: Sequence[Column], rows: Sequence[Sequence[str]], used: Sequence[int], limit: int) -> str:
    """Return a block of lines for each row: its first cell, and below it the others with their heads."""
    first, *others = used
    width = max((text_width(columns[i].head) for i in others), default=0)
    blocks = []
    for row in rows:
        lines = [_fill(f"{columns[first].head} {row[first]}".strip(), limit)]
        for i in others:
            if row[i]:
                start = f"  {_pad(columns[i].head, width, 'left')}  "
                lines += wrap_text_after(start, row[i], limit)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def wrap_text_after(start: str, text: str, width: int | None) -> list[str]:
    """Return a text as lines of at most a width, the first after `start` and the others under it."""
    if not width:
        return [start + text]
    indent = text_width(start)
    return [(start if n == 0 else " " * indent) + line for n, line in enumerate(wrap_text(text, max(8, width - indent)))]


def _fill(text: str, width: int) -> str:
    return "\n".join(wrap_text(text, width)) if width else text
