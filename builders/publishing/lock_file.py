"""datasets.lock: releases pinned by commit and digests; what is fetched by it is those bytes, or an error."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from builders.publishing.registry import HUB, open_release
from builders.publishing.types import Release
from builders.publishing.verify import file_fault
from cards.manifest import FILE, PATH, VERSION, release_files, to_text
from corpora.errors import InputError, unknown
from corpora.files import atomic_path

LOCK = Path("datasets.lock")
LOCK_VERSION = 1
Entry = dict[str, Any]


def lock(
    releases: Iterable[str], path: Path = LOCK, registry: str | Path = "registry", fetch: bool = True
) -> list[str]:
    """Pin releases in a lock file beside those that it has; with `fetch`, their bytes are brought and checked first.

    The names that they are locked under. InputError if one is not there or not what it should be.
    """
    entries = read_lock(path) if path.exists() else {}
    names = []
    for release in (open_release(name, registry) for name in releases):
        name = release.uri.rpartition("@")[0] if release.commit else release.uri
        entries[name] = _entry(release)
        if fetch:
            _checked(name, entries[name], release)
        names.append(name)
    with atomic_path(path) as temporary:
        text = json.dumps({"lock_version": LOCK_VERSION, "releases": entries}, indent=2, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")
    return names


def _entry(release: Release) -> Entry:
    text = to_text(release.manifest).encode()
    files = [{"path": FILE, "size": len(text), "sha256": release.identity}, *release_files(release.manifest)]
    return {"version": release.version, "commit": release.commit, "manifest_sha256": release.identity, "files": files}


def read_lock(path: Path = LOCK) -> dict[str, Entry]:
    """What a lock file pins, by name; InputError if there is none or it is damaged."""
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no {path}. `builders lock RELEASE` writes one.") from None
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}. Restore it.") from None
    if not isinstance(text, dict) or text.get("lock_version") != LOCK_VERSION or not _sound(text.get("releases")):
        raise InputError(f"{path} is no lock file of version {LOCK_VERSION}, or is damaged. Restore it, or lock again.")
    return dict(text["releases"])


def _sound(entries: Any) -> bool:
    """Whether what stands in a lock file can be trusted to name files and commits."""
    try:
        return all(
            VERSION.fullmatch(entry["version"])
            and (entry["commit"] is None or (len(entry["commit"]) == 40 and int(entry["commit"], 16) >= 0))
            and all(PATH.fullmatch(file["path"]) and len(file["sha256"]) == 64 for file in entry["files"])
            for entry in entries.values()
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        return False


def fetch(path: Path = LOCK, names: Iterable[str] = (), offline: bool = False) -> dict[str, Path]:
    """The folders with exactly the bytes that a lock file pins, by name; all that it has, or those named.

    What the cache has is checked, not fetched again; with `offline` no server is asked. InputError if any byte is
    missing or another.
    """
    entries = read_lock(path)
    for name in names:
        if name not in entries:
            raise unknown(f"release in {path}", name, entries)
    chosen = {name: entries[name] for name in names or entries}
    return {name: _checked(name, entry, _pinned(name, entry, offline), offline) for name, entry in chosen.items()}


def load(name: str, config: str | None = None, path: Path = LOCK, offline: bool = False, **options: Any) -> Any:
    """A locked release as `datasets.load_dataset` gives it (`options` are its own), from exactly the pinned bytes."""
    import datasets

    return datasets.load_dataset(str(fetch(path, [name], offline)[name]), config, **options)


def _pinned(name: str, entry: Entry, offline: bool) -> Release:
    if not name.startswith(HUB):
        return open_release(name)
    from builders.publishing.hub_registry import open_hub_registry

    return open_hub_registry(name, "", offline=offline).at_commit(entry["version"], entry["commit"])


def _checked(name: str, entry: Entry, release: Release, offline: bool = False) -> Path:
    """The folder of a release, every byte of which is as pinned; what was damaged on the way is fetched once more."""
    paths = [file["path"] for file in entry["files"]]
    folder = release.fetch_files(paths)
    if (faults := _faults(folder, entry)) and release.commit and not offline:
        from builders.publishing.hub_repository import forget_cached

        for path in faults:
            forget_cached(folder, path)
        folder = release.fetch_files(paths)
        faults = _faults(folder, entry)
        for path in faults:
            forget_cached(folder, path)
    if faults:
        raise InputError(
            f"{name} {entry['version']} is not what was locked: {next(iter(faults.values()))} "
            "Restore it, or run `builders fetch` again where the Hub can be reached."
        )
    return folder


def _faults(folder: Path, entry: Mapping[str, Any]) -> dict[str, str]:
    return {file["path"]: fault for file in entry["files"] if (fault := file_fault(folder, file))}
