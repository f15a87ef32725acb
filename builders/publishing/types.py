"""What publishing works with: registries, their state, and what a publish is asked for and did."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cards.manifest import FILE, identity, release_files
from cards.manifest_types import Manifest
from cards.releases import HUB, Release, Releases, open_release
from corpora.stores import store_uri


@dataclass(frozen=True)
class UploadPlan:
    """The files that a publish adds, changes and deletes against the latest version, and the bytes of the new ones."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    num_bytes: int


@dataclass(frozen=True, repr=False)
class Published(Release):
    """A release with what publishing did, or in a preview would do: whether it is new, and why it has its version."""

    is_new: bool = True
    reason: str = ""
    upload_plan: UploadPlan | None = None
    is_preview: bool = False

    @property
    def load_path(self) -> str:
        """What `load_dataset` takes: a folder, or hf://ORG/NAME."""
        return self.uri.rpartition("@")[0] if self.uri.startswith(HUB) else self.uri

    @property
    def is_folder(self) -> bool:
        """Whether it is in a folder of this machine."""
        return not self.uri.startswith(HUB) and not store_uri(self.uri)

    def __repr__(self) -> str:
        verb = "would publish" if self.is_preview else "published" if self.is_new else "unchanged"
        return f"<Published {self.uri}: {verb} {self.manifest['name']} {self.manifest['version']}, {self.reason}>"


def fetch_published(uri: str) -> Callable[[Sequence[str]], Path]:
    """Return what makes the files of a release at an address readable: the release on the Hub is opened when needed."""
    if not uri.startswith(HUB) and not store_uri(uri):
        return lambda paths: Path(uri)
    return lambda paths: open_release(uri).fetch_files(paths)


@dataclass(frozen=True)
class RegistryState:
    """What a registry holds of a name at one moment."""

    newest: Release | None = None
    versions: tuple[str, ...] = ()  # oldest first
    card: str = ""  # README.md of the newest version, in which people may have written
    head: str | None = None  # the commit of `main` on the Hub


class ConflictError(Exception):
    """A commit conflicts with another one, or its outcome is unknown: read the registry's state again and retry.

    `failed` says that the registry answered with an error; `wait_s` is how many seconds it asks to wait.
    """

    def __init__(self, reason: str, failed: bool = False, wait_s: float = 0) -> None:
        super().__init__(reason)
        self.failed, self.wait_s = failed, wait_s


class Registry(Protocol):
    """Where releases of one name are published: a folder NAME of a registry, or a repository on the Hub."""

    @property
    def name(self) -> str:
        """The name of its releases; empty if it is not known before one is read."""

    @property
    def uri(self) -> str:
        """Where it is, as a person writes it."""

    @property
    def releases(self) -> Releases:
        """Its versions, to read."""

    def check_writable(self, remove_unexpected: bool = False) -> None:
        """Raise InputError if it is known already that nothing can be published here."""

    def lock(self) -> AbstractContextManager[Path | None]:
        """Keep other publishers out where that can be done; yield a folder to write a release in, or None for any."""

    def get_state(self, finish: bool = False, remove_unexpected: bool = False) -> RegistryState:
        """Return what it holds; with `finish`, what a killed publisher left undone is completed first.

        Args:
            finish: Prepare it for the next version.
            remove_unexpected: Then delete, on the Hub, files that no manifest lists; without it they are refused.
        """

    def card_location(self, version: str) -> str:
        """Return what the card tells to load: hf://ORG/NAME, or a folder as it is called on every machine."""

    def commit(self, folder: Path, manifest: Manifest, state: RegistryState, copied_from: Release | None = None) -> str:
        """Make a written release visible at once, and return its URI.

        Args:
            folder: Where the release is written.
            manifest: Its manifest.
            state: What the registry held when the version was chosen.
            copied_from: The release whose data it has, if that data is here already.

        Raises:
            ConflictError: The registry's state is another by now, or the outcome is unknown.
        """

    def yank(self, version: str, reason: str | None) -> None:
        """Yank a version; with None, take that back."""


@dataclass(frozen=True)
class PublishOptions:
    """What a user asks of a publish beside its content: at most one of `bump` and `as_version`."""

    bump: str | None = None  # major, minor or patch, at least what the difference requires
    as_version: str | None = None  # such as v3.0.0, at least what the difference requires
    preview: bool = False
    remove_unexpected: bool = False  # delete files on the Hub that no manifest lists


def plan_upload(before: Manifest | None, manifest: Manifest) -> UploadPlan:
    """Return the files that a new release adds, changes and deletes."""
    old, new = _digests(before), _digests(manifest)
    added = tuple(path for path in new if path not in old)
    changed = tuple(path for path in new if path in old and new[path] != old[path])
    sizes = {entry["path"]: entry["size"] for entry in release_files(manifest)}
    deleted = tuple(path for path in old if path not in new)
    return UploadPlan(added, changed, deleted, sum(sizes.get(path, 0) for path in (*added, *changed)))


def _digests(manifest: Manifest | None) -> Mapping[str, str]:
    """Return the digest of each file of a release; the manifest changes with every version."""
    if manifest is None:
        return {}
    return {entry["path"]: entry["sha256"] for entry in release_files(manifest)} | {FILE: identity(manifest)}
