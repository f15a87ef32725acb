"""The files of a release, checked against its manifest: missing, changed, and those that it does not list."""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from cards.manifest import FILE, release_files
from cards.manifest_types import Manifest
from cards.releases.yanked import STATUS_FILE
from corpora.errors import InputError
from corpora.files import open_file, sha256_of

UNLISTED = {FILE, "build.json", STATUS_FILE, ".gitattributes"}  # that a release may hold beside the manifest's files
TOOL_FOLDERS = (PurePosixPath(".git"), PurePosixPath(".cache/huggingface"))  # of Git and `hf download`
MAX_UNEXPECTED = 100  # sentences
CHUNK_BYTES = 1 << 20
HINT = "Restore it, or fetch the release again; `builders verify` checks all files."


def find_file_problem(folder: Path, entry: Mapping[str, Any]) -> str:
    """Return a sentence on how a file differs from its entry in the manifest; nothing if it is as published."""
    path = folder / entry["path"]
    if not path.is_file():
        return f"{path} is missing."
    size = path.stat().st_size
    return _difference(path, entry, size, sha256_of(path) if size == entry["size"] else "")


def _difference(path: Path, entry: Mapping[str, Any], size: int, digest: str) -> str:
    if size != entry["size"]:
        return f"{path} has been changed: it has {size:,} bytes, published were {entry['size']:,}."
    if digest != entry["sha256"]:
        return f"{path} has been changed: its sha256 is {digest}, published was {entry['sha256']}."
    return ""


def find_file_problems(folder: Path, entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return a sentence for each file that is not as published, by path."""
    return {entry["path"]: problem for entry in entries if (problem := find_file_problem(folder, entry))}


def check_files(folder: Path, entries: Iterable[Mapping[str, Any]]) -> list[Path]:
    """Return the paths of files that are as published.

    Raises:
        InputError: One of them is not.
    """
    entries = list(entries)
    for entry in entries:
        if problem := find_file_problem(folder, entry):
            raise InputError(f"{problem} {HINT}")
    return [folder / entry["path"] for entry in entries]


def copy_verified(folder: Path, entry: Mapping[str, Any], copy: BinaryIO) -> None:
    """Copy a file, and check the bytes that are copied: what happens to the file later changes nothing.

    Raises:
        InputError: The file is not as published.
    """
    path, digest, size = folder / entry["path"], hashlib.sha256(), 0
    if not path.is_file():
        raise InputError(f"{path} is missing. {HINT}")
    with open_file(path) as file:
        while size <= entry["size"] and (chunk := file.read(CHUNK_BYTES)):
            digest.update(chunk)
            size += len(chunk)
            copy.write(chunk)
        size = max(size, os.fstat(file.fileno()).st_size)
    if problem := _difference(path, entry, size, digest.hexdigest()):
        raise InputError(f"{problem} {HINT}")


def find_unexpected_files(folder: Path, manifest: Manifest) -> list[str]:
    """Return a sentence for each file of a folder that the manifest does not list: `datasets` might read it."""
    paths = list(islice(_walk_unexpected(folder, manifest), MAX_UNEXPECTED + 1))
    sentences = [f"{folder / path} is not in the manifest. Remove it." for path in paths[:MAX_UNEXPECTED]]
    return sentences + (
        [f"{folder} holds more files that the manifest does not list."] if paths[MAX_UNEXPECTED:] else []
    )


def _walk_unexpected(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the paths of files that the manifest does not list, and of folders that are links."""
    for current, names, files in os.walk(folder, onerror=_refuse):
        below = PurePosixPath(Path(current).relative_to(folder).as_posix())
        links = [name for name in names if Path(current, name).is_symlink()]
        names[:] = sorted(name for name in names if name not in links and below / name not in TOOL_FOLDERS)
        yield from unexpected_paths((str(below / name) for name in sorted([*files, *links])), manifest)


def _refuse(error: OSError) -> None:
    raise InputError(
        f"{error.filename} cannot be listed ({error.strerror}), so it may hold anything. Allow it to be read."
    )


def unexpected_paths(paths: Iterable[str], manifest: Manifest) -> list[str]:
    """Return those of some paths within a release that its manifest does not list, and no tool of ours writes."""
    known: Collection[str] = {entry["path"] for entry in release_files(manifest)} | UNLISTED
    return [path for path in paths if path not in known]
