"""A store: files by name below an address, in any filesystem that pyarrow or fsspec opens."""

import random
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from corpora.errors import InputError

T = TypeVar("T")
ATTEMPTS = 7  # of an operation, whose single requests the filesystem's own client repeats too
PAUSE_S = 0.05  # before the second attempt; twice as long before each further one
CHUNK_BYTES = 8 << 20  # that are copied at once


def store_uri(address: str | Path) -> str | None:
    """Return the address of a store, such as s3://BUCKET/PATH; None for a folder.

    A `Path` has lost one of the two slashes; hf:// is the Hub, which is no store.
    """
    match = re.match(r"([a-z][a-z0-9+.-]+):(/+)(.*)", str(address), re.DOTALL)
    if not match or match[1] == "hf":
        return None
    return f"{match[1]}://{'/' if match[1] == 'file' else ''}{match[3].rstrip('/')}"


@dataclass(frozen=True)
class Store:
    """Files by name below an address. A file is put whole; it appears when all of its bytes are there."""

    uri: str

    def below(self, name: str) -> "Store":
        """Return the store of the files below a folder of this one."""
        address, mark, options = self.uri.partition("?")
        return Store(f"{address}/{name}{mark}{options}")

    def check(self) -> None:
        """Raise InputError if no filesystem for the address is installed."""
        _open(self.uri)

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return the bytes of all files below a folder of the store, by name."""
        from pyarrow.fs import FileSelector, FileType

        filesystem, root = _open(self.uri)
        selector = FileSelector(f"{root}/{folder}".rstrip("/"), recursive=True, allow_not_found=True)
        infos = self._retry("to list its files", lambda: filesystem.get_file_info(selector))
        start = len(root.strip("/")) + 1
        return {info.path.strip("/")[start:]: info.size for info in infos if info.type == FileType.File}

    def put(self, file: Path, name: str) -> None:
        """Write a local file to the store."""
        filesystem, path = self._locate(name)
        size = file.stat().st_size

        def copy() -> None:
            with file.open("rb") as source, _create(filesystem, path) as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
            if filesystem.get_file_info(path).size != size:
                raise OSError(f"{name} has not arrived whole")

        self._retry(f"to write {name}", copy)

    def get(self, name: str, file: Path) -> None:
        """Write a file of the store to a local one; FileNotFoundError if it is not there."""
        filesystem, path = self._locate(name)

        def copy() -> None:
            with filesystem.open_input_stream(path) as source, file.open("wb") as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)

        self._retry(f"to read {name}", copy)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a small file; None if it is not there."""
        filesystem, path = self._locate(name)

        def read() -> bytes:
            with filesystem.open_input_stream(path) as source:
                return bytes(source.read())

        try:
            return self._retry(f"to read {name}", read)
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, in the place of an earlier one."""
        filesystem, path = self._locate(name)

        def write() -> None:
            with _create(filesystem, path) as target:
                target.write(data)

        self._retry(f"to write {name}", write)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        filesystem, path = self._locate(name)
        with suppress(FileNotFoundError):
            self._retry(f"to remove {name}", lambda: filesystem.delete_file(path))

    def _locate(self, name: str) -> tuple[Any, str]:
        filesystem, root = _open(self.uri)
        return filesystem, f"{root}/{name}"

    def _retry(self, what: str, action: Callable[[], T]) -> T:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_S * 2**attempt * random.uniform(0.5, 1))
            try:
                return action()
            except FileNotFoundError:
                raise
            except OSError as failed:
                error = failed
        raise InputError(
            f"{self.uri} failed {ATTEMPTS} times {what}: {str(error).splitlines()[0]}. "
            "Finished work is kept: check the address and your access, and run the same command again."
        )


def _create(filesystem: Any, path: str) -> Any:
    """Open a file to write; folders are made where a filesystem has them."""
    try:
        return filesystem.open_output_stream(path)
    except FileNotFoundError:
        filesystem.create_dir(path.rpartition("/")[0], recursive=True)
        return filesystem.open_output_stream(path)


@cache
def _open(uri: str) -> tuple[Any, str]:
    """Return the filesystem of an address and the path in it: pyarrow's own where it has one, else fsspec's."""
    import pyarrow as pa
    from pyarrow.fs import FileSystem

    try:
        filesystem, root = FileSystem.from_uri(uri)
    except pa.ArrowInvalid as error:
        if "Unrecognized filesystem type" not in str(error):
            raise InputError(f"{uri} is not the address of a store: {error}. Write s3://BUCKET/PATH.") from None
        filesystem, root = _open_fsspec(uri)
    except OSError as error:
        raise InputError(f"{uri} cannot be opened: {str(error).splitlines()[0]}.") from None
    return filesystem, root.rstrip("/")


def _open_fsspec(uri: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    try:
        filesystem, root = url_to_fs(uri)
    except (ValueError, ImportError) as error:
        raise InputError(f"{uri} cannot be opened: {error}. Name a folder, or s3://BUCKET/PATH.") from None
    return PyFileSystem(FSSpecHandler(filesystem)), root
