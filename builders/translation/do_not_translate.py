"""Records that must not be translated as they are, and inputs that say that there is none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from builders.translation.placeholders import rows

FIELDS = ("instruction", "input", "output")
AROUND = " \t\r\n<>[](){}\"'`“”‘’.,;:!*\\"


@dataclass(frozen=True)
class Exemption:
    """A row of exempt.toml: the patterns that fields must hold, the fields that it keeps in English, and why."""

    name: str
    patterns: Mapping[str, re.Pattern[str]]
    keep: tuple[str, ...]
    why: str


@cache
def exemptions() -> tuple[Exemption, ...]:
    """The rows of exempt.toml, in file order."""
    return tuple(
        Exemption(
            name,
            {field: re.compile(row[field]) for field in FIELDS if field in row},
            tuple(row["keep"]),
            row["why"],
        )
        for name, row in rows("do_not_translate").items()
    )


def exemption(record: Mapping[str, str]) -> tuple[str, tuple[str, ...]] | None:
    """The name of the first row that a record falls under, and the fields that stay in English; None for most."""
    for row in exemptions():
        if all(pattern.search(record[field]) for field, pattern in row.patterns.items()):
            whole = "input" in row.keep and not record["input"]
            return row.name, FIELDS if whole else row.keep
    return None


@cache
def _no_input() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row['pattern']})" for row in rows("empty_input").values()))


def without_no_input(text: str) -> str:
    """The input of a record, empty if it only says that there is none."""
    if len(text) > 80:
        return text
    return "" if _no_input().fullmatch(" ".join(text.strip(AROUND).casefold().split())) else text
