"""Parse JSON strictly; an error has file, line and column."""

import json
import re
from collections import Counter
from typing import Any

from corpora.errors import InputError

SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: JSON can write it, text cannot hold it


def load_json(text: str | bytes, unique: bool = False) -> Any:
    """Return the value of a JSON text as `json.loads` does; ValueError also if it is nested too deeply.

    Args:
        text: The text.
        unique: Whether a key that an object has twice is a ValueError; otherwise the last one counts.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique if unique else None)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key[:80]!r} is there twice")
    return made


def parse_json(data: bytes, where: object) -> object:
    """Return the value of a JSON text, a byte order mark allowed; `where` names it in the InputError."""
    text = decode_text(data, where)
    try:
        return load_json(text)
    except json.JSONDecodeError as error:
        position = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{where} is not valid JSON at {position}: {error.msg}.") from None
    except ValueError as error:
        raise InputError(f"{where} is not JSON that can be read: {error}.") from None


def decode_text(data: bytes, where: object) -> str:
    """Return the text of a data file; InputError if it is not UTF-8 or is an HTML page."""
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise InputError(f"{where} is an HTML page, not JSON: the address is wrong or asks for a login.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where} is not valid UTF-8 at line {line}, byte {error.start + 1}.") from None
