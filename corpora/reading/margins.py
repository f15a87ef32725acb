"""Margins written as text."""

import re

NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$"
MAX_DIGITS = 40  # so that every number is finite and every parser rounds it alike


def parse_margin(text: str) -> float | None:
    """Return the number that a text is, or None if it is none."""
    return float(text) if len(text) <= MAX_DIGITS and re.search(NUMBER, text) else None
