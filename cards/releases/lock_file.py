"""datasets.lock: releases pinned by commit and digests; what is fetched by it is those bytes, or an error."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cards.manifest import FILE, release_files, to_text
from cards.manifest_types import Digest, FileEntry, Version
from cards.releases.files import find_file_problems, find_unexpected_files
from cards.releases.hub import HUB, hub_releases
from cards.releases.release import Release, open_folder
from cards.releases.versions import parse_version
from corpora.errors import InputError, unknown
from corpora.files import atomic_path, read_whole
from corpora.hub import COMMIT, remove_cached
from corpora.stores import store_uri
from corpora.strict_json import load_json
from corpora.tables import STRICT, parse_rows

LOCK_FILE = Path("datasets.lock")
LOCK_VERSION = 1


@dataclass(frozen=True, repr=False)
class LockEntry:
    """One pinned release: its version, its commit on the Hub, and every file with its digest."""

    __pydantic_config__ = STRICT
    name: str
    version: Version
    commit: Annotated[str, Field(pattern=f"^{COMMIT.pattern}$")] | None
    manifest_sha256: Digest
    files: tuple[FileEntry, ...]

    def __repr__(self) -> str:
        commit = f" at commit {self.commit[:12]}" if self.commit else ""
        return f"<LockEntry {self.name} {self.version}{commit}: {len(self.files)} files>"


def lock_releases(
    releases: Iterable[Release], path: Path = LOCK_FILE, fetch: bool = True, may_be_older: bool = True
) -> dict[str, LockEntry]:
    """Pin releases in a lock file beside those that it has, and return the new entries by name.

    Args:
        releases: The releases.
        path: The lock file.
        fetch: First fetch every file and check it.
        may_be_older: Accept a version before the pinned one.

    Raises:
        InputError: A release is not as published or not what was pinned as this version, or the lock file is damaged.
    """
    entries = read_lock(path) if path.exists() else {}
    added = {}
    for release in releases:
        if store_uri(release.uri):
            raise InputError(
                f"{release.uri} is in a store, which a lock file cannot pin. Name a folder or hf://ORG/NAME."
            )
        entry = _make_entry(release)
        if pinned := entries.get(entry.name):
            _check_follows(entry, pinned, path, may_be_older)
        if fetch:
            _fetch_checked(entry, release)
        added[entry.name] = entry
    _write_lock(entries | added, path)
    return added


def _check_follows(entry: LockEntry, pinned: LockEntry, path: Path, may_be_older: bool) -> None:
    """Raise InputError if a version is another than was pinned under its name, or one from before without leave."""
    if entry.version == pinned.version and entry.manifest_sha256 != pinned.manifest_sha256:
        raise InputError(
            f"{entry.name} {entry.version} has the identity {entry.manifest_sha256}, but {path} pins it with "
            f"{pinned.manifest_sha256}: a published version never changes. Find out who changed it, and remove its "
            "entry if the change is wanted."
        )
    if not may_be_older and parse_version(entry.version) < parse_version(pinned.version):
        raise InputError(
            f"The newest version of {entry.name} is {entry.version}, but {path} pins {pinned.version}: later versions "
            f"were removed, yanked or are hidden. To pin an older one, name it: {entry.name}@{entry.version}."
        )


def _make_entry(release: Release) -> LockEntry:
    text = to_text(release.manifest).encode()
    manifest: FileEntry = {"path": FILE, "size": len(text), "sha256": release.identity}
    files = (manifest, *release_files(release.manifest))
    return LockEntry(release.locked_name, release.version, release.commit, release.identity, files)


def _write_lock(entries: Mapping[str, LockEntry], path: Path) -> None:
    values = {name: {k: v for k, v in asdict(entry).items() if k != "name"} for name, entry in entries.items()}
    text = json.dumps({"lock_version": LOCK_VERSION, "releases": values}, indent=2, sort_keys=True)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_lock(path: Path = LOCK_FILE) -> dict[str, LockEntry]:
    """Return what a lock file pins, by name.

    Raises:
        InputError: There is no such file, or it is damaged.
    """
    try:
        content = load_json(read_whole(path).decode(), unique=True)
    except FileNotFoundError:
        raise InputError(f"There is no {path}. `builders lock RELEASE` writes one.") from None
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}. Restore it, or lock the releases again.") from None
    if not isinstance(content, dict) or content.get("lock_version") != LOCK_VERSION or "releases" not in content:
        raise InputError(
            f"{path} is not a lock file of version {LOCK_VERSION}. Restore it, or lock the releases again."
        )
    if not isinstance(content["releases"], dict):
        raise InputError(f"{path} is damaged: 'releases' must be an object. Restore it, or lock the releases again.")
    if unreadable := [name for name in content["releases"] if "\0" in name]:
        raise InputError(f"{path} is damaged: {unreadable[0][:200]!r} is not the name of a release. Lock it again.")
    try:
        return parse_rows(content["releases"], LockEntry, str(path))
    except InputError as error:
        raise InputError(f"{path} is damaged. {error} Restore it, or lock the releases again.") from None


def find_locked(path: Path, uri: str, version: str, offline: bool = False) -> Release | None:
    """Return the release of the Hub that a lock file pins, or None if it pins none of this name.

    Its manifest is the pinned one; its data files are checked against the manifest when they are read.

    Raises:
        InputError: The lock pins another version than `version`, or the commit holds another manifest.
    """
    entries = read_lock(path) if uri.startswith(HUB) and path.exists() else {}
    if uri not in entries and (others := [name for name in entries if name.casefold() == uri.casefold()]):
        raise InputError(f"{path} pins {others[0]}, which the Hub also finds as {uri}. Write it as the lock file does.")
    entry = entries.get(uri)
    if entry is None or entry.commit is None:
        return None
    if version and entry.version != "v" + version.removeprefix("v"):
        raise InputError(
            f"{path} pins {uri} at {entry.version}, not at {version}. Lock the version that you want "
            f"with `builders lock {uri}@{version}`, or name another lock file with --datasets-lock."
        )
    return _open_locked(entry, path, offline)


def check_pinned(release: Release, path: Path) -> None:
    """Raise InputError if a release is in a folder that a lock file pins, with another version or manifest."""
    if release.commit or not path.exists():
        return
    folder = Path(release.uri).resolve()
    for entry in (entry for entry in read_lock(path).values() if entry.commit is None):
        if Path(entry.name).resolve() == folder:
            _check_same(release, entry, path)


def fetch_locked(path: Path = LOCK_FILE, names: Iterable[str] = (), offline: bool = False) -> dict[str, Path]:
    """Return folders with exactly the bytes that a lock file pins, by name.

    Args:
        path: The lock file.
        names: Which of its releases; all by default.
        offline: Use only the files on this machine.

    Raises:
        InputError: A name is not in the lock file, or a byte is missing or differs.
    """
    entries = read_lock(path)
    names = list(names)
    for name in names:
        if name not in entries:
            raise unknown(f"release in {path}", name, entries)
    chosen = [entries[name] for name in names] or list(entries.values())
    return {entry.name: _fetch_checked(entry, _open_locked(entry, path, offline), offline) for entry in chosen}


def load_locked(
    name: str, config: str | None = None, path: Path = LOCK_FILE, offline: bool = False, **options: Any
) -> Any:
    """Return a config of a locked release as `datasets` has it, from exactly the pinned bytes.

    Args:
        name: The release, as the lock file names it.
        config: The config; it may be left out where there is only one.
        path: The lock file.
        offline: Use only the files on this machine.
        **options: Those of `datasets.load_dataset`.
    """
    entries = read_lock(path)
    if name not in entries:
        raise unknown(f"release in {path}", name, entries)
    release = _open_locked(entries[name], path, offline)
    _fetch_checked(entries[name], release, offline)
    return release.load(config, **options)


def _open_locked(entry: LockEntry, path: Path, offline: bool) -> Release:
    """Return the release that a lock file pins.

    Raises:
        InputError: Its manifest, or a file that it lists, is another than the pinned one.
    """
    if entry.commit is None:
        release = open_folder(Path(entry.name))
    else:
        release = hub_releases(entry.name, offline=offline).open_commit(entry.version, entry.commit)
    _check_same(release, entry, path)
    if _make_entry(release).files != entry.files:
        raise InputError(f"{path} pins other files of {entry.name} than its manifest lists. Lock it again.")
    return release


def _check_same(release: Release, entry: LockEntry, path: Path) -> None:
    if (release.version, release.identity) != (entry.version, entry.manifest_sha256):
        raise InputError(
            f"{release.uri} holds {release.version} with a manifest of the sha256 {release.identity}, but {path} pins "
            f"{entry.version} with {entry.manifest_sha256}. Nothing was read. Find out who changed what."
        )


def _fetch_checked(entry: LockEntry, release: Release, offline: bool = False) -> Path:
    """Return the folder of a release, every byte of which is as pinned; what is damaged is fetched once more."""
    paths = [file["path"] for file in entry.files]
    folder = release.fetch_files(paths)
    problems = find_file_problems(folder, entry.files)
    if problems and release.commit and not offline:
        _remove_cached(folder, problems)
        folder = release.fetch_files(paths)
        problems = find_file_problems(folder, entry.files)
        _remove_cached(folder, problems)
    if problems:
        raise InputError(
            f"{entry.name} {entry.version} is not what was locked: {next(iter(problems.values()))} "
            "Restore it, or run `builders fetch` again where the Hub can be reached."
        )
    if unexpected := find_unexpected_files(folder, release.manifest):
        raise InputError(f"{entry.name} {entry.version} is not what was locked: {unexpected[0]}")
    return folder


def _remove_cached(folder: Path, paths: Iterable[str]) -> None:
    for path in paths:
        remove_cached(folder, path)
