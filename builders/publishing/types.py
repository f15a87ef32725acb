"""Releases at rest, in a folder or on the Hub, and what a uri must be able to do to hold them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cards.manifest import FILE, Manifest, data_files, identity, read_manifest, release_files


@dataclass(frozen=True)
class Release:
    """One version at rest. `fetch_files` makes the named files readable below the folder that it returns."""

    uri: str  # as a person names it: a folder, or hf://ORG/NAME@VERSION
    manifest: Manifest
    fetch_files: Callable[[Sequence[str]], Path]
    commit: str | None = None  # on the Hub
    yanked: str | None = None  # why, if it is
    listed: Callable[[], Sequence[str]] = tuple  # faults in what the uri itself says that it holds

    @property
    def version(self) -> str:
        """Its version, as tags and folders spell it."""
        return str(self.manifest["version"])

    @property
    def identity(self) -> str:
        """The SHA-256 of its manifest."""
        return identity(self.manifest)

    def folder(self) -> Path:
        """A folder with all its files, which `datasets.load_dataset` reads; fetched first if it lies on the Hub."""
        return self.fetch_files([FILE, *(entry["path"] for entry in release_files(self.manifest))])


@dataclass(frozen=True)
class UploadPlan:
    """The files that a publish adds, changes and deletes, against the latest version, and the bytes of the new ones."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    num_bytes: int


@dataclass(frozen=True)
class Published:
    """What publishing did: the release, whether it is new, why it has its version; or, in a dry run, what it would."""

    uri: str
    manifest: Manifest
    is_new: bool
    reason: str
    upload_plan: UploadPlan | None = None
    is_dry_run: bool = False

    @property
    def where(self) -> str:
        """What `load_dataset` is told: a folder, or hf://ORG/NAME."""
        return self.uri.rpartition("@")[0] if self.uri.startswith("hf://") else self.uri

    @property
    def folder(self) -> Path:
        """Where a release of a local registry lies."""
        return Path(self.uri)


@dataclass(frozen=True)
class RegistryState:
    """What a registry held when it was looked at."""

    newest: Release | None = None
    versions: tuple[str, ...] = ()  # oldest first
    card: str = ""  # the card that people may have written into
    head: str | None = None  # the commit that `main` stood at


class ConflictError(Exception):
    """Another publisher was first, or the uri failed and may have done its work or not: look again."""

    def __init__(self, reason: str, failed: bool = False, wait: float = 0) -> None:
        super().__init__(reason)
        self.failed, self.wait = failed, wait  # seconds


class Registry(Protocol):
    """The uri of the releases of one name: a folder of a registry, or a repository on the Hub."""

    @property
    def name(self) -> str:
        """The name of its releases; empty if it is not known before one is read."""

    @property
    def uri(self) -> str:
        """How a person names it."""

    def check_writable(self) -> None:
        """InputError if it is plain already that nothing can be published here."""

    def lock(self) -> AbstractContextManager[Path | None]:
        """Keep others out where that can be done; a folder to write a release in, or None for any."""

    def get_state(self, finish: bool = False) -> RegistryState:
        """What it holds; with `finish`, what a killed publisher left undone is done first."""

    def release(self, version: str) -> Release:
        """One of its versions."""

    def yanked(self) -> Mapping[str, str]:
        """The versions that are yanked, and why."""

    def card_location(self, version: str) -> str:
        """What the card tells to load: hf://ORG/NAME, or a folder as it is called on every machine."""

    def commit(self, folder: Path, manifest: Manifest, state: RegistryState, copied_from: Release | None = None) -> str:
        """Make a written release visible, all at once; where it is. ConflictError if `state` is not what it holds now.

        The data of `copied_from` is there already, and lies in its uri in `folder` only if the registry is a folder.
        """

    def yank(self, version: str, why: str | None) -> None:
        """Yank a version, or with None take that back."""


@dataclass(frozen=True)
class PublishOptions:
    """What a user asks of a publish beside its content."""

    version: str | None = None  # a bump or a version, at least as large as the difference needs
    dry_run: bool = False
    log: Callable[[str], None] = field(default=lambda sentence: None)


def open_folder(folder: Path, yanked: str | None = None) -> Release:
    """The release that lies in a folder; InputError if there is none."""
    return Release(str(folder), read_manifest(folder), lambda paths: folder, yanked=yanked)


def plan_upload(before: Manifest | None, manifest: Manifest) -> UploadPlan:
    """What a new release adds, changes and deletes."""
    old, new = _digests(before), _digests(manifest)
    added = tuple(path for path in new if path not in old)
    changed = tuple(path for path in new if path in old and new[path] != old[path])
    sizes = {entry["path"]: entry["size"] for entry in release_files(manifest)}
    deleted = tuple(path for path in old if path not in new)
    return UploadPlan(added, changed, deleted, sum(sizes.get(path, 0) for path in (*added, *changed)))


def _digests(manifest: Manifest | None) -> Mapping[str, str]:
    """The files of a release with what tells one content from another; the manifest changes with every version."""
    if manifest is None:
        return {}
    return {entry["path"]: entry["sha256"] for entry in release_files(manifest)} | {FILE: identity(manifest)}


def paths_of(manifest: Manifest, config: str) -> list[str]:
    """The Parquet files of one config."""
    return [entry["path"] for entry in data_files({config: manifest["configs"][config]})]
