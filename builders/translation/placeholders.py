"""Spans inside a sentence that must survive translation: masked, restored, verified."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from corpora.tables import read_toml

MASK = re.compile(r"[\[【［]\s*(\d+)\s*[\]】］]")  # as a model may write [1] again; \d and int() know every script
SAID = re.compile(r"[^\W\d_][^\W\d_\u0900-\u0dff\u064b-\u065f]|[\u0900-\u0dff]{2}|[\u3040-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Masked:
    """A sentence with its spans replaced by [1], [2], ... in their order, and the spans."""

    text: str
    spans: tuple[str, ...]


def rows(name: str) -> dict[str, Any]:
    """The rows of one of this room's own TOML files, by name."""
    return read_toml(Path(__file__).parent / f"{name}.toml")


@cache
def _any(key: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row[key]})" for row in rows("placeholders").values()))


def span_places(sentence: str) -> list[tuple[int, int]]:
    """Where each span of the sentence begins and ends."""
    if not _any("sign").search(sentence):
        return []
    return [match.span() for match in _any("pattern").finditer(sentence)]


def mask(sentence: str) -> Masked:
    """The sentence as the engine gets it: no text outside the masks looks like one."""
    pieces = parts(sentence)
    spans = [text for text, is_span in pieces if is_span]
    numbers = count(1)
    text = "".join(f"[{next(numbers)}]" if is_span else text for text, is_span in pieces)
    return Masked(text, tuple(spans))


def unmask(translation: str, spans: tuple[str, ...]) -> str | None:
    """The translation with its spans put back; None unless every mask is there once, in the order of the source."""
    found = [int(number) for number in MASK.findall(translation)]
    if found != list(range(1, len(spans) + 1)):
        return None
    return MASK.sub(lambda match: spans[int(match[1]) - 1], translation)


def parts(sentence: str) -> list[tuple[str, bool]]:
    """The sentence cut at its spans: (text, whether it is a span), which joined are the sentence again."""
    cut, end = [], 0
    for begin, stop in span_places(sentence):
        cut += [(sentence[end:begin], False), (sentence[begin:stop], True)]
        end = stop
    return [(text, is_span) for text, is_span in [*cut, (sentence[end:], False)] if text]


def says_something(sentence: str) -> bool:
    """Whether there is language outside the spans: two letters in a row, or a letter of a script without spaces."""
    outside = " ".join(text for text, is_span in parts(sentence) if not is_span)
    return SAID.search(outside) is not None
