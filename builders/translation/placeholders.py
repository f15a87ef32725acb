"""Placeholders: spans of a sentence that must survive translation; masked before it, restored and verified after."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from corpora.extensions import extension_versions, read_extended_rows
from corpora.tables import STRICT, Regex

FILE = Path(__file__).with_name("placeholders.toml")
MASK = re.compile(r"[\[【［]\s*(\d+)\s*[\]】］]")  # a mask as models write it; \d and int() know every script
TRANSLATABLE = re.compile(
    r"[^\W\d_][^\W\d_\u0900-\u0dff\u064b-\u065f]|[\u0900-\u0dff]{2}|[\u3040-\u9fff\uac00-\ud7af]"
)  # two letters in a row, or one of a script without spaces


@dataclass(frozen=True)
class Placeholder:
    """A row of placeholders.toml: a kind of span that must survive translation."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """What the spans are, and why they must survive."""
    pattern: Regex
    """Regular expression of a span. It must not match a plain word."""
    trigger: Regex
    """Regular expression that is found in every span of the row. A sentence without any trigger is not searched."""


@dataclass(frozen=True)
class MaskedText:
    """A sentence whose placeholders are replaced by the masks [1], [2], ..., and the placeholders in their order."""

    text: str
    placeholders: tuple[str, ...]


@dataclass(frozen=True)
class _Patterns:
    """All rows as one regular expression each for spans and triggers."""

    span: re.Pattern[str]
    trigger: re.Pattern[str]


def placeholder_rows() -> Mapping[str, Placeholder]:
    """Return the rows of placeholders.toml by name, the user's among them."""
    return read_extended_rows(FILE, Placeholder)


def find_placeholders(sentence: str) -> list[tuple[int, int]]:
    """Return the beginning and end of each placeholder of a sentence."""
    patterns = _compile(extension_versions(FILE.name))
    if not patterns.trigger.search(sentence):
        return []
    return [match.span() for match in patterns.span.finditer(sentence)]


@cache
def _compile(versions: tuple[Any, ...]) -> _Patterns:
    rows = placeholder_rows().values()
    return _Patterns(
        re.compile("|".join(f"(?:{row.pattern})" for row in rows)),
        re.compile("|".join(f"(?:{row.trigger})" for row in rows)),
    )


def split_at_placeholders(sentence: str) -> list[tuple[str, bool]]:
    """Return the parts of a sentence, each with whether it is a placeholder; joined they are the sentence."""
    parts, end = [], 0
    for begin, stop in find_placeholders(sentence):
        parts += [(sentence[end:begin], False), (sentence[begin:stop], True)]
        end = stop
    return [(text, is_placeholder) for text, is_placeholder in [*parts, (sentence[end:], False)] if text]


def mask_placeholders(sentence: str) -> MaskedText:
    """Return a sentence as a translator gets it. No text outside its masks looks like a mask."""
    return _mask(sentence, extension_versions(FILE.name))


@lru_cache(1 << 12)  # some batches: several checks mask the same texts
def _mask(sentence: str, versions: tuple[Any, ...]) -> MaskedText:
    parts = split_at_placeholders(sentence)
    numbers = count(1)
    text = "".join(f"[{next(numbers)}]" if is_placeholder else text for text, is_placeholder in parts)
    return MaskedText(text, tuple(text for text, is_placeholder in parts if is_placeholder))


def restore_placeholders(translation: str, placeholders: tuple[str, ...]) -> str | None:
    """Return a translation with its placeholders; None unless each mask appears once, in the order of the source."""
    masks = [int(number) for number in MASK.findall(translation)]
    if masks != list(range(1, len(placeholders) + 1)):
        return None
    return MASK.sub(lambda match: placeholders[int(match[1]) - 1], translation)


def has_translatable_text(sentence: str) -> bool:
    """Return whether a sentence has words outside its placeholders."""
    outside = " ".join(text for text, is_placeholder in split_at_placeholders(sentence) if not is_placeholder)
    return TRANSLATABLE.search(outside) is not None
