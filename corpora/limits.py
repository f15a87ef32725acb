"""Limits on what comes from outside, so that a small input makes small work; a user may raise each of them."""

import os
import tomllib
from functools import cache
from pathlib import Path

from corpora.errors import InputError, unknown

VARIABLE = "COIT_LIMITS"
FILE = Path(__file__).with_name("limits.toml")


def limit(name: str) -> int:
    """Return a limit of limits.toml, or what COIT_LIMITS has in its place.

    Raises:
        InputError: COIT_LIMITS names an unknown limit, or no number.
    """
    return _limits(os.environ.get(VARIABLE, ""))[name]


def hint(name: str) -> str:
    """Return the sentence that says how a user raises a limit."""
    return f"If you trust it, raise the limit: {VARIABLE}={name}=NUMBER (now {limit(name)})."


@cache
def _limits(changes: str) -> dict[str, int]:
    limits = {name: int(row["default"]) for name, row in tomllib.loads(FILE.read_text(encoding="utf-8")).items()}
    for change in filter(None, map(str.strip, changes.split(","))):
        name, _, value = change.partition("=")
        if name not in limits:
            raise InputError(f"{VARIABLE}: {unknown('limit', name, limits)}")
        if not value.isascii() or not value.isdecimal() or not 0 < len(value) <= 18:
            raise InputError(f"{VARIABLE}: '{name}' needs a whole number, not '{value[:40]}'.")
        limits[name] = int(value)
    return limits
