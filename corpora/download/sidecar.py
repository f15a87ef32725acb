"""Sidecars: whence a file came, and its digest as long as its size and time stay as they are."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from corpora.files import atomic_path, sha256_of


@dataclass(frozen=True)
class Sidecar:
    """What is written down of a file; `url` and `fetched_from` hold no user and no query."""

    url: str
    fetched_from: str
    sha256: str
    size: int
    mtime_ns: int
    etag: str | None


def beside(path: Path) -> Path:
    """The sidecar's path."""
    return path.with_name(path.name + ".json")


def read_sidecar(note: Path) -> Sidecar | None:
    """The sidecar in the file `note`, or None if there is none that can be read."""
    try:
        return Sidecar(**json.loads(note.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_sidecar(note: Path, sidecar: Sidecar) -> None:
    """Write a sidecar to the file `note`, whole or not at all."""
    with atomic_path(note) as temporary:
        temporary.write_text(json.dumps(asdict(sidecar), indent=2) + "\n", encoding="utf-8")


def current(path: Path, saved: Sidecar | None, url: str, fetched_from: str, etag: str | None = None) -> Sidecar:
    """The sidecar of the file as it is now; its digest is computed again only if size or time changed."""
    stat = path.stat()
    if saved and (saved.size, saved.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return saved
    return Sidecar(url, fetched_from, sha256_of(path), stat.st_size, stat.st_mtime_ns, etag)
