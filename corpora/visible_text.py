"""Make a text from outside visible: escape sequences and control characters become escapes such as \\u001b."""

import re

# C0 without tab and newline, DEL, C1, line separators, overrides of direction, half characters, invisible tags.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: object) -> str:
    """Return a text without escape sequences and control characters; each becomes a visible escape."""
    return _CONTROL.sub(_escape, str(text))


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number <= 0xFFFF:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
