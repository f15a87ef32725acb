"""Compile functions over NumPy arrays with Numba: they do not hold the interpreter lock, and the result is kept."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compile a function, and keep the result for later runs where there is a folder for it.

    Numba compiles again when the function's own file changes. A function holds what it took from other files, such as
    constants and the functions that it calls, so all files of its folder count here.
    """
    try:
        kept = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the folder of the source nor the user's cache can be written
        return njit(nogil=True)(function)
    kept._cache._cache_file._source_stamp = _digest_sources(  # type: ignore[attr-defined]
        Path(function.__code__.co_filename).parent
    )
    return kept


@cache
def _digest_sources(folder: Path) -> bytes:
    """Return a digest of all code in a folder and below it."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def cache_folder(function: Any) -> Path | None:
    """Return the folder that keeps the result of a compiled function; None if there is none."""
    path = function.stats.cache_path
    return Path(path) if path else None


def inlined(function: Any) -> Any:
    """Compile a function into those that call it, so that a loop over it can become vector instructions."""
    return njit(nogil=True, forceinline=True)(function)
