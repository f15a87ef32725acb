"""Spans inside a sentence that must survive translation: masked, restored, verified."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from corpora.catalog import read_toml

MASK = re.compile(r"[\[【［]\s*(\d+)\s*[\]】］]")  # as a model may write [1] again; \d and int() know every script


@dataclass(frozen=True)
class Masked:
    """A sentence with its spans replaced by [1], [2], ... in their order, and the spans."""

    text: str
    spans: tuple[str, ...]


def rows(name: str) -> dict[str, Any]:
    """The rows of one of this room's own TOML files, by name."""
    return read_toml(Path(__file__).parent / f"{name}.toml")


@cache
def _span() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row['pattern']})" for row in rows("spans").values()))


def mask(sentence: str) -> Masked:
    """The sentence as the engine gets it: no text outside the masks looks like one."""
    spans: list[str] = []

    def replace(match: re.Match[str]) -> str:
        spans.append(match[0])
        return f"[{len(spans)}]"

    return Masked(_span().sub(replace, sentence), tuple(spans))


def unmask(translation: str, spans: tuple[str, ...]) -> str | None:
    """The translation with its spans put back; None unless every mask is there once, in the order of the source."""
    found = [int(number) for number in MASK.findall(translation)]
    if found != list(range(1, len(spans) + 1)):
        return None
    return MASK.sub(lambda match: spans[int(match[1]) - 1], translation)


def span_places(sentence: str) -> list[tuple[int, int]]:
    """Where each span of the sentence begins and ends."""
    return [match.span() for match in _span().finditer(sentence)]


def parts(sentence: str) -> list[tuple[str, bool]]:
    """The sentence cut at its spans: (text, whether it is a span), which joined are the sentence again."""
    cut, end = [], 0
    for begin, stop in span_places(sentence):
        cut += [(sentence[end:begin], False), (sentence[begin:stop], True)]
        end = stop
    return [(text, is_span) for text, is_span in [*cut, (sentence[end:], False)] if text]


def says_something(sentence: str) -> bool:
    """Whether there is language outside the spans: two letters in a row, or a letter of a script without spaces."""
    return (
        re.search(
            r"[^\W\d_][^\W\d_\u0900-\u0dff\u064b-\u065f]|[\u0900-\u0dff]{2}|[\u3040-\u9fff\uac00-\ud7af]",
            _span().sub(" ", sentence),
        )
        is not None
    )
