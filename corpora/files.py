"""Write files completely or not at all, seal them by their digest, and lock folders."""

import errno
import hashlib
import io
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from filelock import BaseFileLock, FileLock, Timeout

from corpora.errors import InputError

MAX_SMALL_BYTES = 256 << 20  # of a manifest, a lock file or a status file


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` for the block to write a file to; it becomes `path` if the block ends well.

    The temporary file is in a folder of this user alone, so that nobody can put a link in its place. That of a block
    that fails is removed; that of a killed process is in a folder `.tmp-...`, which `remove_leftovers` removes.
    """
    if not path.name or path.is_dir():
        raise InputError(f"{path} is a folder; the name of a file was expected.")
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.with_name(f".tmp-{token_hex(8)}-{path.name}")
    folder.mkdir(0o700)
    try:
        yield folder / path.name
        move_into_place(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sealed_path(path: Path) -> Iterator[Path]:
    """Yield a path as `atomic_path` does; digest, size and time of the file are written beside it first: its seal."""
    with atomic_path(path) as temporary:
        yield temporary
        _write_seal(path, temporary)


def is_intact(path: Path, rehash: bool = False) -> bool:
    """Return whether a sealed file exists and has the bytes that were written.

    Size and modification time tell, as they do for make and git. The file is read only if its time differs, as after a
    copy, or to `rehash`, which also finds a bit that changed on the disk.
    """
    try:
        digest, size, time = seal_path(path).read_text().split()
        stat = path.stat()
        if stat.st_size != int(size):
            return False
        if stat.st_mtime_ns == int(time) and not rehash:
            return True
        if sha256_of(path) != digest:
            return False
        if stat.st_mtime_ns != int(time):
            _write_seal(path, path)
    except (OSError, ValueError):
        return False
    return True


def _write_seal(path: Path, content: Path) -> None:
    with atomic_path(seal_path(path)) as seal:
        stat = content.stat()
        seal.write_text(f"{sha256_of(content)} {stat.st_size} {stat.st_mtime_ns}")


def remove_sealed(path: Path) -> None:
    """Remove a sealed file and its seal."""
    path.unlink(missing_ok=True)
    seal_path(path).unlink(missing_ok=True)


def seal_path(path: Path) -> Path:
    """Return the path of a file's seal."""
    return path.with_suffix(".sha256")


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder inside `folder`, which is removed afterwards unless `move_into_place` has moved it."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".tmp-{token_hex(8)}"
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def move_into_place(temporary: Path, path: Path) -> None:
    """Flush a file, or a folder with its content, to the disk and rename it to its final path in one step."""
    for below in [*(temporary.rglob("*") if temporary.is_dir() else ()), temporary]:
        _sync(below)
    os.replace(temporary, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk, so that a name never points at missing bytes."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path, pattern: str = r"\.tmp-.*") -> None:
    """Remove the incomplete files of killed runs in `folder` itself; call it only while its lock is held."""
    for path in [path for path in folder.glob(".tmp-*") if re.fullmatch(pattern, path.name, re.DOTALL)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def open_file(path: Path) -> io.BufferedReader:
    """Open a file to read; InputError if it is a device or a pipe, which may never end."""
    file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise InputError(f"{path} is not a file. Name one.")
    return file


def read_whole(path: Path) -> bytes:
    """Return the bytes of a small file.

    Raises:
        InputError: It is a device or a pipe, or larger than `MAX_SMALL_BYTES`.
    """
    with open_file(path) as file:
        data = file.read(MAX_SMALL_BYTES + 1)
    if len(data) > MAX_SMALL_BYTES:
        raise InputError(f"{path} is larger than {MAX_SMALL_BYTES:,} bytes, which no such file is. Restore it.")
    return data


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def lock_folder(folder: Path, name: str, timeout: float = 0) -> Iterator[None]:
    """Lock `folder` for this process; InputError, with its `name`, if another run has it after `timeout` seconds."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"The {name} {folder} cannot be made: there is a file of this name. Name another.") from None
    lock = FileLock(folder / ".lock", timeout=timeout)
    _acquire(lock, f"The {name} {folder}")
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock, label: str) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"Another run is using {label[0].lower()}{label[1:]}. Wait until it has ended, or name another folder."
        ) from None
    except PermissionError:
        raise InputError(
            f"{label} cannot be locked: {lock.lock_file} belongs to another user. Name another folder."
        ) from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise InputError(f"{label} cannot be locked: {lock.lock_file} is a link. Remove it.") from None
