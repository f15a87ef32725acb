"""Find files in a folder as upstream's archives unpack, compressed or not, without what file systems add."""

from collections.abc import Iterator
from pathlib import Path

from corpora.reading import is_content

ENDINGS = ("", ".gz", ".bz2", ".xz", ".zst")
MAX_DEPTH = 5


def nearest_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a pattern in the folder, or else in the nearest level of folders in it that has some.

    A name may end in `.gz`, `.bz2`, `.xz` or `.zst` too; at one level, the first ending that is there counts.
    """
    for depth in range(MAX_DEPTH + 1):
        for ending in ENDINGS:
            if files := sorted(_files(folder, "*/" * depth + pattern + ending), key=lambda path: (path.name, path)):
                return files
    return []


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    for path in folder.glob(pattern):
        if path.is_file() and is_content(path.relative_to(folder).as_posix()):
            yield path


def plain_name(path: Path) -> str:
    """Return the name of a file without the ending of its compression."""
    return path.name.removesuffix(path.suffix) if path.suffix in ENDINGS[1:] else path.name
