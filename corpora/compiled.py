"""Compile functions over NumPy arrays with Numba: they do not hold the interpreter lock, and the result is kept."""

from pathlib import Path
from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compile a function, and keep the result for later runs where there is a folder for it."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the folder of the source nor the user's cache can be written
        return njit(nogil=True)(function)


def cache_folder(function: Any) -> Path | None:
    """Return the folder that keeps the result of a compiled function; None if there is none."""
    path = function.stats.cache_path
    return Path(path) if path else None


def inlined(function: Any) -> Any:
    """Compile a function into those that call it, so that a loop over it can become vector instructions."""
    return njit(nogil=True, forceinline=True)(function)
