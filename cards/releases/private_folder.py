"""Folders that only this user can read and write, for as long as this process lives."""

import atexit
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

PREFIX = "coit-builders-"


@contextmanager
def private_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder that is removed when this process ends, or at once if the block fails.

    Args:
        parent: Where to make it, unless others may rename it or what is there: then it is made in the temporary folder.
    """
    parent.mkdir(parents=True, exist_ok=True)
    parent = parent.resolve()
    if any(map(_is_open_to_others, (parent, *parent.parents))):
        parent = Path(gettempdir())
    host = socket.gethostname()
    _remove_abandoned(parent, host)
    folder = Path(mkdtemp(prefix=f"{PREFIX}{host}-{os.getpid()}-", dir=parent))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    atexit.register(_remove_own, folder, os.getpid())


def _is_open_to_others(folder: Path) -> bool:
    """Return whether other users may rename what this user has in a folder: its owner may, the sticky bit or not."""
    status = folder.stat()
    is_shared = bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) and not status.st_mode & stat.S_ISVTX
    return is_shared or status.st_uid not in (0, os.getuid())


def _remove_own(folder: Path, process: int) -> None:
    """Remove a folder at the end of the process that made it, but not of one that was forked from it."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path, host: str) -> None:
    """Remove the folders of this user's processes of this machine that were killed."""
    for folder in parent.glob(f"{PREFIX}{host}-*-*"):
        process = folder.name.removeprefix(f"{PREFIX}{host}-").split("-")[0]
        is_own = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
        if is_own and process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
