"""Write a picture in one step."""

from collections.abc import Callable
from pathlib import Path

from corpora.files import atomic_path


def draw(path: Path, write: Callable[[Path], None]) -> None:
    """Write a picture, which is whole or absent.

    Args:
        path: The file.
        write: Writes the picture to the path that it is given.
    """
    with atomic_path(path) as temporary:
        write(temporary)
