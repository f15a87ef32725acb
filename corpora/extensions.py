"""The user's own tables: folders whose `corpora.toml`, `languages.csv`, `filters.toml` ... extend the project's.

Folders come from `--with`, from the environment variable `COIT_WITH`, or from the key `with` of a `builders.toml`.
Every table of the project is read through `extension_files`, so a user's row is as good as one of ours. Only a folder
that is named on the command line, or by a caller of the Python API, may also hold Python code.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import InputError

VARIABLE = "COIT_WITH"  # folders, separated as in PATH


@dataclass(frozen=True)
class Extensions:
    """The folders in use: all of them may hold tables, those of `code` Python functions too."""

    folders: tuple[Path, ...] = ()
    code: tuple[Path, ...] = ()


_active: ContextVar[Extensions | None] = ContextVar("extensions", default=None)


def current_extensions() -> Extensions:
    """Return the extensions in use: those of the innermost `use_extensions`, else those of the environment."""
    active = _active.get()
    return active if active is not None else Extensions(environment_folders())


def environment_folders() -> tuple[Path, ...]:
    """Return the folders that the environment variable names."""
    return check_folders([part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part], VARIABLE)


@contextmanager
def use_extensions(extensions: Extensions) -> Iterator[None]:
    """Use these extensions, and no others, within the block."""
    token = _active.set(extensions)
    try:
        yield
    finally:
        _active.reset(token)


def check_folders(folders: Sequence[str | Path], source: str) -> tuple[Path, ...]:
    """Return absolute paths of folders.

    Raises:
        InputError: One of them is not a folder; `source` says who named it.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            raise InputError(f"{source} names {folder}, which is not a folder. Name a folder with your own tables.")
    return tuple(dict.fromkeys(Path(folder).resolve() for folder in folders))


def extension_files(name: str) -> tuple[Path, ...]:
    """Return the files of this name in the folders in use, in the order in which they extend the project's table."""
    return tuple(path for folder in current_extensions().folders if (path := folder / name).exists())
