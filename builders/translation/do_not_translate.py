"""Do-not-translate rules for instructions, and inputs that only say that there is no input."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from corpora.errors import InputError
from corpora.extensions import extension_versions, read_extended_rows, row_file
from corpora.tables import STRICT, Regex

FIELDS = ("instruction", "input", "output")
FILE = Path(__file__).with_name("do_not_translate.toml")
EMPTY_INPUT_FILE = Path(__file__).with_name("empty_input.toml")
STRIP_CHARS = " \t\r\n<>[](){}\"'`“”‘’.,;:!*\\"
MAX_EMPTY_INPUT_CHARS = 80  # longer inputs are never searched


@dataclass(frozen=True)
class DoNotTranslate:
    """A row of do_not_translate.toml: instructions that stay in English, in whole or in part."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """Why these instructions must not be translated."""
    keep: tuple[Literal["instruction", "input", "output"], ...]
    """The fields that stay in English. The others are translated."""
    instruction: Regex = ""
    """Regular expression that must be found in the instruction."""
    input: Regex = ""
    """Regular expression that must be found in the input."""
    output: Regex = ""
    """Regular expression that must be found in the output."""


@dataclass(frozen=True)
class EmptyInput:
    """A row of empty_input.toml: inputs that only say that the task has no input."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """What the inputs look like."""
    pattern: Regex
    """Regular expression of the whole input in lower case, without punctuation and spaces around it."""


def do_not_translate_rows() -> Mapping[str, DoNotTranslate]:
    """Return the rows of do_not_translate.toml by name, the user's among them.

    Raises:
        InputError: A rule keeps no field, or has no pattern: it would apply to every instruction.
    """
    rows = read_extended_rows(FILE, DoNotTranslate)
    for row in rows.values():
        where = f"{row_file(FILE, row.name)}, table [{row.name}]"
        if not row.keep:
            raise InputError(f"{where}: 'keep' must name at least one of {', '.join(FIELDS)}.")
        if not (row.instruction or row.input or row.output):
            raise InputError(f"{where}: one of the keys {', '.join(FIELDS)} is needed.")
    return rows


def empty_input_rows() -> Mapping[str, EmptyInput]:
    """Return the rows of empty_input.toml by name, the user's among them."""
    return read_extended_rows(EMPTY_INPUT_FILE, EmptyInput)


def find_do_not_translate(record: Mapping[str, str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the name of the first rule that applies and the fields that stay in English; None for most records."""
    for name, keep, patterns in _compile_rules(extension_versions(FILE.name)):
        if all(pattern.search(record[field]) for field, pattern in patterns.items()):
            return name, FIELDS if "input" in keep and not record["input"] else keep
    return None


@cache
def _compile_rules(
    versions: tuple[Any, ...],
) -> tuple[tuple[str, tuple[str, ...], Mapping[str, re.Pattern[str]]], ...]:
    return tuple(
        (row.name, row.keep, {field: re.compile(text) for field in FIELDS if (text := getattr(row, field))})
        for row in do_not_translate_rows().values()
    )


def normalize_input(text: str) -> str:
    """Return the input of an instruction, empty if it only says that there is none."""
    if len(text) > MAX_EMPTY_INPUT_CHARS:
        return text
    words = " ".join(text.strip(STRIP_CHARS).casefold().split())
    return "" if _compile_empty_inputs(extension_versions(EMPTY_INPUT_FILE.name)).fullmatch(words) else text


@cache
def _compile_empty_inputs(versions: tuple[Any, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row.pattern})" for row in empty_input_rows().values()))
