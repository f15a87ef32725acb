"""Give memory that is free, but that allocators keep, back to the system."""

import ctypes
import sys
from collections.abc import Callable
from functools import cache

import pyarrow as pa


def release_unused_memory() -> None:
    """Let Arrow and the C library return what they keep of earlier tasks, which would count beside a later one's."""
    pa.default_memory_pool().release_unused()
    if trim := _malloc_trim():
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """Return glibc's function; other C libraries have none."""
    try:
        function: Callable[[int], int] | None = ctypes.CDLL(None).malloc_trim if sys.platform == "linux" else None
    except (AttributeError, OSError):
        return None
    return function
