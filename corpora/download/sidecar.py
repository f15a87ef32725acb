"""Sidecars: where a file came from, and its digest as long as its size and time of change stay the same."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from corpora.files import atomic_path, sha256_of
from corpora.strict_json import load_json


@dataclass(frozen=True)
class Sidecar:
    """What is known of a file; `url` and `downloaded_from` hold no user and no query."""

    url: str
    downloaded_from: str
    sha256: str
    size: int
    mtime_ns: int
    etag: str | None


def sidecar_path(path: Path) -> Path:
    """Return the path of a file's sidecar."""
    return path.with_name(path.name + ".json")


def read_sidecar(path: Path) -> Sidecar | None:
    """Return the sidecar in a file, or None if there is none that can be read."""
    try:
        return Sidecar(**load_json(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_sidecar(path: Path, sidecar: Sidecar) -> None:
    """Write a sidecar to a file, completely or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(asdict(sidecar), indent=2) + "\n", encoding="utf-8")


def update_sidecar(
    path: Path, saved: Sidecar | None, url: str, downloaded_from: str, etag: str | None = None
) -> Sidecar:
    """Return the sidecar of the file as it is now; its digest is computed again only if size or time changed."""
    stat = path.stat()
    if saved and (saved.size, saved.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return saved
    return Sidecar(url, downloaded_from, sha256_of(path), stat.st_size, stat.st_mtime_ns, etag)
