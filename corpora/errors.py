"""The one exception meant for people, and the nearest known name for a mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """A sentence for a person: what is wrong, where, what was expected, what to do (exit code 2)."""


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not known, with the nearest known names or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=2, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names) or 'none'}."
    return InputError(f"Unknown {kind} '{name}'. {hint}")
