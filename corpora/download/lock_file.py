"""The lock file: the digest and size of each URL's file at its first download, so that a later change is noticed."""

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.strict_json import load_json

Entries = dict[str, dict[str, str | int]]


@dataclass(frozen=True)
class Expected:
    """A digest (and size) that a file must have, who expects it, and what to do if the other file is wanted."""

    sha256: str
    size: int | None
    by: str
    hint: str


def read_lock(lock: Path) -> Entries:
    """Return the entries `{"sha256": ..., "size": ...}` of a lock file by URL; none if there is no file yet."""
    try:
        entries = load_json(lock.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"The lock file {lock} is not valid JSON: {error}. Restore it, or remove it.") from None
    if not isinstance(entries, dict):
        raise InputError(f"The lock file {lock} must hold one JSON object. Restore it, or remove it.")
    for url, entry in entries.items():
        if not _is_entry(entry):
            raise InputError(f"{lock}: the entry for {url} must hold a sha256 and a size only, not {entry!r}.")
    return entries


def remove_parts(lock: Path) -> None:
    """Remove the partial copies of a lock file that killed runs left, and nothing else in the user's folder."""
    pattern = rf"\.tmp-[0-9a-f]{{16}}-{re.escape(lock.name)}"
    if parts := [path for path in lock.parent.glob(".tmp-*") if re.fullmatch(pattern, path.name)]:
        with FileLock(lock.with_name(f".{lock.name}.lock")):
            for path in parts:
                shutil.rmtree(path, ignore_errors=True)


def add_entry(lock: Path, url: str, sha256: str, size: int) -> None:
    """Add an entry to the lock file, unless it has one for the URL; one writer at a time."""
    if url in read_lock(lock):
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock.with_name(f".{lock.name}.lock")):
        entries = read_lock(lock)
        text = json.dumps({url: {"sha256": sha256, "size": size}} | entries, indent=2, sort_keys=True)
        with atomic_path(lock) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def expected_by(lock: Path, entries: Entries, url: str) -> list[Expected]:
    """Return what the lock file expects of a URL: one digest or none."""
    if url not in entries:
        return []
    sha256, size = str(entries[url]["sha256"]), int(entries[url]["size"])
    return [Expected(sha256, size, f"the lock file {lock}", f"remove the entry of {url} from {lock}")]


def find_mismatch(name: str, sha256: str, size: int, expected: Iterable[Expected]) -> str | None:
    """Return a sentence about the first expectation that a file does not meet, or None."""
    for one in expected:
        if one.sha256 != sha256 or one.size not in (None, size):
            values = f"sha256 {one.sha256}" + ("" if one.size is None else f" and {one.size} bytes")
            return (
                f"{name} is not the file that {one.by} names: expected {values}, "
                f"got sha256 {sha256} and {size} bytes. If the change is wanted, {one.hint}, and pull again."
            )
    return None


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"sha256", "size"}
        and re.fullmatch(r"[0-9a-f]{64}", str(entry["sha256"])) is not None
        and type(entry["size"]) is int
    )
