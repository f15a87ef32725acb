"""The files of a release, checked against its manifest."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cards.manifest import data_files
from cards.manifest_types import Manifest
from corpora.errors import InputError
from corpora.files import sha256_of


def find_file_problem(folder: Path, entry: Mapping[str, Any]) -> str:
    """Return a sentence on how a file differs from its entry in the manifest; nothing if it is as published."""
    path = folder / entry["path"]
    if not path.is_file():
        return f"{path} is missing."
    if (size := path.stat().st_size) != entry["size"]:
        return f"{path} has been changed: it has {size:,} bytes, published were {entry['size']:,}."
    if (digest := sha256_of(path)) != entry["sha256"]:
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
            raise InputError(f"{problem} Restore it, or fetch the release again; `builders verify` checks all files.")
    return [folder / entry["path"] for entry in entries]


def find_unexpected_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield a sentence for each file among the data that the manifest does not list: `load_dataset` might read it."""
    known = {entry["path"] for entry in data_files(manifest["configs"])}
    for path in sorted(folder.glob("data/**/*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in known:
            yield f"{path} is among the data, but not in the manifest. Remove it."
