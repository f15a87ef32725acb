"""Text -> translatable segments and the frame around them, and back."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from sentencex import segment as split_sentences

from builders.translation.placeholders import rows, says_something
from corpora.catalog import languages

FENCE = re.compile(r"\s*(```|~~~)")
MARKER = re.compile(r"\s*(?:(?:[-*•–+>]|#{1,6}|\d+[.)]|\(?[a-zA-Z\d]{1,2}\)|[A-Za-z]\.|\[[ xX]?\]|[A-Z]\d?:)\s+)*")
TABLE = re.compile(r"\s*\|.*\||[^|\n]+(?:\s\|\s[^|\n]*)+")
CELL = re.compile(r"\s*\|\s*")
Pieces = Iterator[tuple[str, bool]]  # a text, and whether it is a segment


def cut(text: str, lang: str = "en") -> tuple[list[str], list[str]]:
    """The segments of a text in `lang`, and the frame that holds them: one more piece than there are segments.

    A segment is a sentence, or a cell of a table. Line breaks, indentation, list markers, code, and sentences in which
    nothing is said (numbers, formulas, addresses) belong to the frame, so `fill(frame, segments)` is the text again.
    """
    segments: list[str] = []
    frame = [""]
    for piece, is_segment in _pieces(text, lang):
        if is_segment:
            segments.append(piece)
            frame.append("")
        else:
            frame[-1] += piece
    return segments, frame


def is_spaced(lang: str) -> bool:
    """Whether a space stands between two sentences of the language."""
    return "Han" not in languages()[lang].script


def fill(frame: Sequence[str], segments: Sequence[str], spaced: bool = True) -> str:
    """The text with these segments in this frame; in a script that is not `spaced`, none between two sentences."""
    assert len(frame) == len(segments) + 1, "a frame has one more piece than there are segments"
    inner = {number for number, piece in enumerate(frame[1:-1], 1) if piece == " " and not spaced}
    kept = ("" if number in inner else piece for number, piece in enumerate(frame))
    return "".join(piece + segment for piece, segment in zip(kept, [*segments, ""], strict=True))


def _pieces(text: str, lang: str) -> Pieces:
    lines = text.split("\n")
    for number, (line, is_code) in enumerate(zip(lines, _code(lines), strict=True)):
        if number:
            yield "\n", False
        if is_code:
            yield line, False
        elif TABLE.fullmatch(line):
            yield from _cells(line, lang)
        else:
            yield from _sentences(line, lang)


def _code(lines: Sequence[str]) -> list[bool]:
    """Of each line whether it is code: between fences, or by what it looks like."""
    fenced, in_code = [], False
    for line in lines:
        fence = FENCE.match(line) is not None
        fenced.append(fence or in_code)
        in_code ^= fence
    return [inside or looks for inside, looks in zip(fenced, _looks_like_code(lines), strict=True)]


def _looks_like_code(lines: Sequence[str]) -> list[bool]:
    """Of each line whether it looks like code; in a paragraph of which half the lines do, all are code.

    But for a first line that announces the rest with a colon.
    """
    found: list[bool] = []
    for line in [*lines, None]:
        looks = line is not None and _line().match(line.strip()) is not None
        found.append(looks)
        if line is None or not line.strip():
            _spread(found, lines)
    return found[:-1]


def _spread(found: list[bool], lines: Sequence[str]) -> None:
    """Make all lines of the paragraph that has just ended code if half of them are."""
    end = len(found) - 1
    begin = end
    while begin and lines[begin - 1].strip():
        begin -= 1
    begin += begin < end and not found[begin] and lines[begin].rstrip().endswith(":")
    if 2 * sum(found[begin:end]) >= end - begin:
        found[begin:end] = [True] * (end - begin)


@cache
def _line() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row['pattern']})" for row in rows("lines").values()))


def _cells(line: str, lang: str) -> Pieces:
    """The cells of a row of a table; their bars, and a row of dashes, belong to the frame."""
    end = 0
    for bar in CELL.finditer(line):
        yield from _sentences(line[end : bar.start()], lang)
        yield bar[0], False
        end = bar.end()
    yield from _sentences(line[end:], lang)


def _sentences(line: str, lang: str) -> Pieces:
    """Indentation and list markers, then the sentences with the space around them."""
    lead = MARKER.match(line)
    assert lead, "the pattern matches any line"
    yield lead[0], False
    rest = line[lead.end() :]
    for sentence in split_sentences(lang, rest) if rest.strip() else [rest]:
        said = sentence.strip()
        before, _, after = sentence.partition(said) if said else (sentence, "", "")
        yield before, False
        yield said, bool(said) and says_something(said)
        yield after, False
