"""The one exception that a user sees, the error for a mistyped name, and the first line of a library's error."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """An error that a user can fix: what is wrong, where, what was expected, what to do (exit code 2)."""


def first_line(error: BaseException) -> str:
    """Return the first line of a library's error message, with a full stop."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for an unknown name, with the nearest known names or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=2, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names) or 'none'}."
    return InputError(f"Unknown {kind} '{name}'. {hint}")
