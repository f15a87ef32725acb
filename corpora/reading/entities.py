"""Entities of HTML in plain text: named, decimal and hexadecimal, escaped twice, taken apart, or without their end."""

import re
from html import unescape as html_unescape
from html.entities import html5

COMMON = "quot|apos|amp|lt|gt|nbsp"
WHOLE = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
APART = re.compile(rf"(?i)& ?(#) ?(\d{{2,5}}) ?;|& ?()({COMMON}) ?;")  # as tokenizers leave them
UNENDED = re.compile(rf"(?i)&({COMMON}|#39|#34)(?![A-Za-z0-9=;])")
MAX_TIMES = 3  # that a text was escaped


def unescape(text: str) -> str:
    """Return a text with entities as their characters; a line break becomes a space."""
    if "&" not in text:
        return text
    for _ in range(MAX_TIMES):
        before = text
        text = WHOLE.sub(_character, text)
        text = APART.sub(lambda match: _entity((match[1] or "") + (match[2] or match[4]), match[0]), text)
        text = UNENDED.sub(lambda match: _entity(match[1], match[0]), text)
        if text == before:
            break
    return text


def _character(match: re.Match[str]) -> str:
    return _entity(match[1], match[0])


def _entity(name: str, whole: str) -> str:
    """Return the character of an entity; the same text if HTML has none of this name."""
    if not name.startswith("#") and f"{name};" not in html5:
        name = name.lower()
        if f"{name};" not in html5:
            return whole
    character = html_unescape(f"&{name};")
    return " " if character in "\r\n\t\v\f" else character
