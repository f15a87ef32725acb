"""Paths that are too long for the file system, found before anything is written."""

import os
from pathlib import Path

from corpora.errors import InputError

ROOM_BYTES = 512  # for the longest path of a file inside a folder that a command writes
MAX_NAME_BYTES, MAX_PATH_BYTES = 255, 4096  # where the system does not say, as on Linux


def check_path_length(folder: Path, room: int = ROOM_BYTES) -> None:
    """Raise InputError if a folder, or a path of `room` bytes inside it, is too long for the file system."""
    if sentence := describe_length(folder, room):
        raise InputError(sentence)


def describe_length(path: Path, room: int = 0) -> str | None:
    """Return a sentence that says why a path is too long, with all of it; None if it is not."""
    absolute = path.absolute()
    max_name, max_path = _limits(absolute)
    name = max(absolute.parts, key=lambda part: len(os.fsencode(part)))
    if (size := len(os.fsencode(name))) > max_name:
        return (
            f"{absolute} is too long: its part {name} has {size:,} bytes, and a name can have {max_name:,}. Shorten it."
        )
    size = len(os.fsencode(absolute))
    if size + room >= max_path:
        inside = f", and files inside need up to {room:,}" if room else ""
        return (
            f"{absolute} is too long: it has {size:,} bytes{inside}, and a path can have {max_path - 1:,}. Shorten it."
        )
    return None


def _limits(path: Path) -> tuple[int, int]:
    """Return the most bytes of a name and of a path where it is, or will be."""
    for folder in path.parents:
        try:
            return os.pathconf(folder, "PC_NAME_MAX"), os.pathconf(folder, "PC_PATH_MAX")
        except (OSError, ValueError, AttributeError):
            continue
    return MAX_NAME_BYTES, MAX_PATH_BYTES
