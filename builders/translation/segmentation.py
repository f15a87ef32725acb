"""Segmentation: a text becomes translatable segments and the skeleton around them, and is merged again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from builders.translation.placeholders import has_translatable_text
from corpora.extensions import extension_versions, read_extended_rows
from corpora.tables import STRICT, Regex

FILE = Path(__file__).with_name("lines.toml")
FENCE = re.compile(r"\s*(```|~~~)")
MARKER = re.compile(r"\s*(?:(?:[-*•–+>]|#{1,6}|\d+[.)]|\(?[a-zA-Z\d]{1,2}\)|[A-Za-z]\.|\[[ xX]?\]|[A-Z]\d?:)\s+)*")
MIN_WRAPPED, MIN_WIDTH, MAX_WIDTH = 2, 40, 130  # lines of a wrapped paragraph, and characters of its longest line
TABLE = re.compile(r"\s*\|.*\||[^|\n]+(?:\s\|\s[^|\n]*)+")
CELL = re.compile(r"\|\s*|(?<!\s)\s+\|\s*")


@dataclass(frozen=True)
class CodeLine:
    """A row of lines.toml: a kind of line that is code."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """What the lines are."""
    pattern: Regex
    """Regular expression that matches at the first character of the line that is not a space."""


class Fragment(NamedTuple):
    """A part of a text: a segment to be translated, or a part of the skeleton."""

    text: str
    is_segment: bool


def code_line_rows() -> Mapping[str, CodeLine]:
    """Return the rows of lines.toml by name, the user's among them."""
    return read_extended_rows(FILE, CodeLine)


def segment(text: str, lang: str = "en") -> tuple[list[str], list[str]]:
    """Return the segments of a text and its skeleton.

    A segment is a sentence, or a cell of a table. Line breaks, indentation, list markers, code, and sentences without
    words (numbers, formulas, addresses) belong to the skeleton.

    Returns:
        n segments and n + 1 parts of the skeleton, such that `merge(skeleton, segments)` is the text.
    """
    segments: list[str] = []
    skeleton: list[list[str]] = [[]]
    for fragment in _fragments(text, lang):
        if fragment.is_segment:
            segments.append(fragment.text)
            skeleton.append([])
        else:
            skeleton[-1].append(fragment.text)
    return segments, ["".join(parts) for parts in skeleton]


def join_wrapped_lines(text: str) -> str:
    """Return a text in which the lines of each paragraph that was wrapped at a width are one line.

    A paragraph is wrapped if it has at least MIN_WRAPPED lines, all but the last of about one length, and sentences run
    from line to line. Lists, poems, tables, code, and lines that end where sentences end stay lines.
    """
    lines = text.split("\n")
    is_code = _find_code(lines)
    joined: list[str] = []
    begin = 0
    while begin < len(lines):
        end = begin
        while end < len(lines) and lines[end].strip() and not is_code[end]:
            end += 1
        paragraph = lines[begin:end]
        joined += [_join(paragraph)] if _is_wrapped(paragraph) else paragraph
        joined += lines[end : end + 1]
        begin = end + 1
    return "\n".join(joined)


def _is_wrapped(lines: Sequence[str]) -> bool:
    """Return whether lines are a paragraph that was wrapped: no line could have had the next one's first word."""
    if len(lines) < MIN_WRAPPED or any(TABLE.fullmatch(line) or line.startswith((" ", "\t", ">")) for line in lines):
        return False
    markers = [MARKER.match(line) for line in lines[1:]]
    if any(marker and marker.end() for marker in markers) or "\r" in "".join(lines):
        return False
    width = max(len(line.rstrip()) for line in lines)
    pairs = list(pairwise(lines))
    is_full = all(len(line.rstrip()) + 1 + len(after.split()[0]) > width for line, after in pairs)
    runs_on = sum(line.rstrip()[-1] not in ".!?:;…" and after[0].islower() for line, after in pairs)
    return MIN_WIDTH <= width <= MAX_WIDTH and is_full and 2 * runs_on >= len(pairs)


def _join(lines: Sequence[str]) -> str:
    return " ".join([*(line.rstrip() for line in lines[:-1]), lines[-1]])


def merge(skeleton: Sequence[str], segments: Sequence[str], spaced: bool = True) -> str:
    """Return the text with these segments in this skeleton.

    Args:
        skeleton: n + 1 parts.
        segments: n segments.
        spaced: Whether a single space between two segments stays.
    """
    assert len(skeleton) == len(segments) + 1, "a skeleton has one more part than there are segments"
    dropped = {number for number, part in enumerate(skeleton[1:-1], 1) if part == " " and not spaced}
    parts = ("" if number in dropped else part for number, part in enumerate(skeleton))
    return "".join(part + text for part, text in zip(parts, [*segments, ""], strict=True))


def _fragments(text: str, lang: str) -> Iterator[Fragment]:
    lines = text.split("\n")
    for number, (line, is_code) in enumerate(zip(lines, _find_code(lines), strict=True)):
        if number:
            yield Fragment("\n", False)
        if is_code:
            yield Fragment(line, False)
        elif TABLE.fullmatch(line):
            yield from _cells(line, lang)
        else:
            yield from _sentences(line, lang)


def _find_code(lines: Sequence[str]) -> list[bool]:
    """Return for each line whether it is code: between fences, or because it looks like code."""
    fenced, in_code = [], False
    for line in lines:
        is_fence = FENCE.match(line) is not None
        fenced.append(is_fence or in_code)
        in_code ^= is_fence
    return [inside or looks for inside, looks in zip(fenced, _find_code_without_fences(lines), strict=True)]


def _find_code_without_fences(lines: Sequence[str]) -> list[bool]:
    """Return for each line whether it looks like code; if half of the lines of a paragraph do, all of them are code.

    The exception is a first line that announces the code with a colon.
    """
    pattern = _compile_lines(extension_versions(FILE.name))
    is_code: list[bool] = []
    for line in [*lines, None]:
        is_code.append(line is not None and pattern.match(line.strip()) is not None)
        if line is None or not line.strip():
            _spread(is_code, lines)
    return is_code[:-1]


def _spread(is_code: list[bool], lines: Sequence[str]) -> None:
    """Set all lines of the paragraph that has just ended to code if half of them are."""
    end = len(is_code) - 1
    begin = end
    while begin and lines[begin - 1].strip():
        begin -= 1
    begin += begin < end and not is_code[begin] and lines[begin].rstrip().endswith(":")
    if 2 * sum(is_code[begin:end]) >= end - begin:
        is_code[begin:end] = [True] * (end - begin)


@cache
def _compile_lines(versions: tuple[Any, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row.pattern})" for row in code_line_rows().values()))


def _cells(line: str, lang: str) -> Iterator[Fragment]:
    """Yield the cells of a row of a table; bars and rows of dashes belong to the skeleton."""
    end = 0
    for bar in CELL.finditer(line):
        yield from _sentences(line[end : bar.start()], lang)
        yield Fragment(bar[0], False)
        end = bar.end()
    yield from _sentences(line[end:], lang)


def _sentences(line: str, lang: str) -> Iterator[Fragment]:
    """Yield indentation and list markers, then the sentences with the space around them."""
    from sentencex import segment as split_sentences

    marker = MARKER.match(line)
    assert marker, "the pattern matches any line"
    yield Fragment(marker[0], False)
    rest = line[marker.end() :]
    for sentence in split_sentences(lang, rest) if rest.strip() else [rest]:
        text = sentence.strip()
        before, _, after = sentence.partition(text) if text else (sentence, "", "")
        yield Fragment(before, False)
        yield Fragment(text, bool(text) and has_translatable_text(text))
        yield Fragment(after, False)
