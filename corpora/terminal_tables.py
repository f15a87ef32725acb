"""Tables for a terminal, as wide as it is: columns are dropped by priority, then each row becomes a block of lines.

Where output is piped, and in notebooks, tables are as wide as their cells.
"""

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from corpora.visible_text import clean

GAP = "  "
LEAST_WRAP = 22  # the columns of a terminal that a text that wraps needs
AUTO = -1
NUMBER = re.compile(
    r"|-|–|yes|translated|[-+]?[0-9][0-9.,]*[%*]?( [*])?( (±|\[|of ).*)?"
)  # a cell of a column of numbers


def format_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    drop: Sequence[str] = (),
    wrap: Sequence[str] = (),
    width: int | None = AUTO,
) -> str:
    """Return a table: numbers on the right, and columns without any text left out.

    Args:
        heads: The texts above the columns.
        rows: A cell for each column.
        drop: The heads of columns that may be left out where the terminal is narrow, the first of them first.
        wrap: The heads of columns whose texts may take several lines, broken at spaces.
        width: The columns of the terminal; None means no limit. By default those of the terminal on stdout.
    """
    limit = terminal_width() if width == AUTO else width
    texts = [["" if cell is None else _one_line(cell) for cell in row] for row in rows]
    columns = [_Column(head, [row[i] for row in texts], head in wrap) for i, head in enumerate(heads)]
    columns = [column for column in columns if any(column.cells) or not rows]
    dropped: list[str] = []
    while limit and _least_width(columns, dropped) > limit:
        following = next((head for head in drop if head in {c.head for c in columns} and head not in dropped), None)
        if following is None:
            return _blocks(columns, limit)
        dropped.append(following)
    table = _draw([column for column in columns if column.head not in dropped], limit)
    names = ", ".join(column.head for column in columns if column.head in dropped)
    return "\n".join([table, *(wrap_text(f"Not shown in {limit} columns: {names}.", limit or 0) if dropped else [])])


@dataclass(frozen=True)
class _Column:
    head: str
    cells: Sequence[str]
    wraps: bool

    @property
    def width(self) -> int:
        return max(map(text_width, [self.head, *self.cells]))

    def pad(self, text: str, width: int) -> str:
        """Return a text with spaces on the left, if the column is of numbers, or on the right."""
        space = " " * (width - text_width(text))
        return space + text if self.cells and all(NUMBER.fullmatch(cell) for cell in self.cells) else text + space


def terminal_width() -> int | None:
    """Return the width of the terminal that stdout is, or None if it is a file, a pipe or a notebook."""
    try:
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    except ValueError:  # stdout is closed
        return None


def text_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide characters take two, combining ones none."""
    from rich.cells import cell_len

    return cell_len(text)


def wrap_text(text: str, width: int) -> list[str]:
    """Return a text as lines of at most a width, broken at spaces; a word that is longer is broken anywhere."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(joined) <= width:
            lines[-1] = joined
            continue
        lines += [""] if lines[-1] else []
        for character in word:
            lines += [""] if text_width(lines[-1] + character) > width else []
            lines[-1] += character
    return lines


def wrap_sentences(text: str, width: int) -> list[str]:
    """Return the lines of a text, those that are wider than a terminal broken at spaces, with their indentation.

    A word that is wider, such as a path, stays whole: a terminal breaks it so that it can be copied.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if text_width(line) <= width:
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(indent)
        for word in line.split():
            joined = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
            lines[-1:] = (
                [joined] if text_width(joined) <= width or not lines[-1].strip() else [lines[-1], indent + word]
            )
    return lines


def _one_line(cell: object) -> str:
    return " ".join(clean(cell).split())


def _least_width(columns: Sequence[_Column], dropped: Sequence[str]) -> int:
    widths = [min(c.width, LEAST_WRAP) if c.wraps else c.width for c in columns if c.head not in dropped]
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _draw(columns: Sequence[_Column], limit: int | None) -> str:
    widths = _shrink(columns, limit)
    heads = [column.pad(column.head, width) for column, width in zip(columns, widths, strict=True)]
    lines = [heads, ["-" * width for width in widths]]
    for row in zip(*(column.cells for column in columns), strict=True):
        parts = [wrap_text(cell, width) for cell, width in zip(row, widths, strict=True)]
        for n in range(max(map(len, parts))):
            cells = [part[n] if n < len(part) else "" for part in parts]
            lines.append([c.pad(cell, width) for c, cell, width in zip(columns, cells, widths, strict=True)])
    return "\n".join(GAP.join(line).rstrip() for line in lines)


def _shrink(columns: Sequence[_Column], limit: int | None) -> list[int]:
    """Return the widths of columns, those of texts that wrap made smaller, the widest first, until the table fits."""
    widths = [column.width for column in columns]
    while limit and sum(widths) + len(GAP) * (len(widths) - 1) > limit:
        widest = max((i for i, column in enumerate(columns) if column.wraps), key=lambda i: widths[i])
        widths[widest] -= 1
    return widths


def _blocks(columns: Sequence[_Column], limit: int) -> str:
    """Return a block of lines for each row: its first cell, and below it the others with their heads."""
    first, *others = columns
    width = max((text_width(column.head) for column in others), default=0)
    blocks = []
    for n, cell in enumerate(first.cells):
        lines = wrap_text(f"{first.head} {cell}".strip(), limit)
        for column in others:
            if column.cells[n]:
                start = f"  {column.head}{' ' * (width - text_width(column.head))}  "
                lines += wrap_after(start, column.cells[n], limit)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def wrap_after(start: str, text: str, width: int | None = AUTO) -> list[str]:
    """Return a text as lines of at most a width, the first after `start` and the others below it."""
    width = terminal_width() if width == AUTO else width
    if not width:
        return [start + text]
    indent = text_width(start)
    lines = wrap_text(text, max(8, width - indent))
    return [(start if n == 0 else " " * indent) + line for n, line in enumerate(lines)]
