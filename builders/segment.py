"""Text -> translatable segments and the frame around them, and back."""

import re

FENCE = re.compile(r"^\s*(```|~~~)")
MARKER = re.compile(r"\s*(?:[-*•]\s+|\d+[.)]\s+)?")


def cut(text: str) -> tuple[list[str], list[str]]:
    """The segments of a text, and the frame that holds them: one more piece than there are segments.

    A segment is what a line says. Indentation, list markers, empty lines and fenced code belong to the frame,
    so `fill(frame, segments)` is the text again.
    """
    segments: list[str] = []
    frame = [""]
    in_code = False
    for number, line in enumerate(text.split("\n")):
        frame[-1] += "\n" if number else ""
        fence = FENCE.match(line) is not None
        lead, said, tail = ("", "", line) if fence or in_code else _parts(line)
        in_code ^= fence
        frame[-1] += lead
        if said:
            segments.append(said)
            frame.append("")
        frame[-1] += tail
    return segments, frame


def _parts(line: str) -> tuple[str, str, str]:
    """Indentation and list marker, what the line says, and the space after it."""
    match = MARKER.match(line)
    assert match, "the pattern matches any line"
    said = line[match.end() :].rstrip()
    return match[0], said, line[match.end() + len(said) :]


def fill(frame: list[str], segments: list[str]) -> str:
    """The text with these segments in this frame."""
    assert len(frame) == len(segments) + 1, "a frame has one more piece than there are segments"
    return "".join(piece + segment for piece, segment in zip(frame, [*segments, ""], strict=True))
