"""The lock file: what each URL held when it was first fetched, so that a later change does not go unseen."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from corpora.errors import InputError
from corpora.files import atomic_path

Entries = dict[str, dict[str, str | int]]


@dataclass(frozen=True)
class Expected:
    """A digest (and size) that a file must have, who says so, and what to do if the other file is wanted."""

    sha256: str
    size: int | None
    by: str
    way_out: str


def read_lock(lock: Path) -> Entries:
    """The entries `{"sha256": ..., "size": ...}` of a lock file by URL; none if there is no file yet."""
    try:
        entries = json.loads(lock.read_text(encoding="utf-8"))
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


def clean(lock: Path) -> None:
    """Remove what killed runs left half-written of a lock file, and nothing else: the folder is the user's."""
    left = rf"\.tmp-\d+-\d+-{re.escape(lock.name)}"
    if found := [path for path in lock.parent.glob(".tmp-*") if re.fullmatch(left, path.name)]:
        with FileLock(lock.with_name(f".{lock.name}.lock")):
            for path in found:
                path.unlink(missing_ok=True)


def record(lock: Path, url: str, sha256: str, size: int) -> None:
    """Add an entry to what the lock file holds by now, unless it has one for the URL; one writer at a time."""
    if url in read_lock(lock):
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock.with_name(f".{lock.name}.lock")):
        entries = read_lock(lock)
        text = json.dumps({url: {"sha256": sha256, "size": size}} | entries, indent=2, sort_keys=True)
        with atomic_path(lock) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def expected_by(lock: Path, entries: Entries, url: str) -> list[Expected]:
    """What the lock file expects of a URL: one digest or none."""
    if url not in entries:
        return []
    sha256, size = str(entries[url]["sha256"]), int(entries[url]["size"])
    return [Expected(sha256, size, f"the lock file {lock}", f"remove the entry of {url} from {lock}")]


def complaint(place: str, sha256: str, size: int, expected: Iterable[Expected]) -> str | None:
    """A sentence about the first expectation that a file does not meet, or None."""
    for want in expected:
        if want.sha256 != sha256 or want.size not in (None, size):
            wanted = f"sha256 {want.sha256}" + ("" if want.size is None else f" and {want.size} bytes")
            return (
                f"{place} is not the file that {want.by} names: expected {wanted}, "
                f"got sha256 {sha256} and {size} bytes. If the change is wanted, {want.way_out}, and pull again."
            )
    return None


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"sha256", "size"}
        and re.fullmatch(r"[0-9a-f]{64}", str(entry["sha256"])) is not None
        and type(entry["size"]) is int
    )
