"""Files that are whole or absent: atomic writes, digests and seals, and the lock on a folder."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import get_native_id

from filelock import FileLock, Timeout

from corpora.errors import InputError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` for the block to write a file to; it becomes `path` if the block ends well.

    What is left of a failed block is removed; what a kill leaves behind begins with `.tmp-` and is removed by
    `remove_leftovers`.
    """
    if not path.name or path.is_dir():
        raise InputError(f"{path} is a folder; the name of a file was expected.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{os.getpid()}-{get_native_id()}-{path.name}")
    try:
        yield temporary
        settle(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def sealed(path: Path) -> Iterator[Path]:
    """`atomic_path`, with a seal: the digest of what is written stands beside it, and is there before it."""
    with atomic_path(path) as temporary:
        yield temporary
        with atomic_path(_seal(path)) as seal:
            seal.write_text(sha256_of(temporary))


def is_whole(path: Path) -> bool:
    """Whether a sealed file is there, byte for byte as it was written."""
    try:
        return sha256_of(path) == _seal(path).read_text()
    except (OSError, ValueError):
        return False


def remove_sealed(path: Path) -> None:
    """Remove a sealed file and its seal."""
    path.unlink(missing_ok=True)
    _seal(path).unlink(missing_ok=True)


def _seal(path: Path) -> Path:
    return path.with_suffix(".sha256")


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a new folder inside `folder`; unless the block has moved it to its place by `settle`, it is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(prefix=".tmp-", dir=folder))
    temporary.chmod(0o755)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def settle(temporary: Path, path: Path) -> None:
    """Flush a file, or a folder and all in it, to the disk and give it its final name, in one step."""
    for below in [*(temporary.rglob("*") if temporary.is_dir() else ()), temporary]:
        _sync(below)
    os.replace(temporary, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk, so that a name never points at bytes that are not there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left half-written in `folder` itself; call it only under the lock of whoever owns it."""
    for path in folder.glob(".tmp-*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(folder: Path, what: str, patience: float = 0) -> Iterator[None]:
    """Hold `folder` for this process alone; InputError if another run still holds it after `patience` seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=patience):
            yield
    except Timeout:
        raise InputError(
            f"Another run is using the {what} {folder}. Wait until it has ended, or name another folder."
        ) from None
