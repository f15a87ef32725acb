"""Find releases by how users write them: a folder, NAME[@VERSION] of a registry, or hf://ORG/NAME[@VERSION]."""

import logging
import re
from pathlib import Path
from typing import Protocol

from cards.manifest import FILE, is_version
from cards.manifest_types import Manifest
from cards.releases.folder import FolderReleases, release_names
from cards.releases.hub import HUB, PART, hub_releases, list_hub_releases
from cards.releases.lock_file import check_pinned, find_locked
from cards.releases.release import Release, open_folder
from cards.releases.store import StoreReleases, list_store_releases
from cards.releases.versions import resolve_version
from corpora.arguments import checked
from corpora.catalog import language
from corpora.errors import InputError, unknown
from corpora.stores import Store, store_uri

REGISTRY = "registry"
ReleaseLike = str | Path | Release
logger = logging.getLogger(__name__)


class Releases(Protocol):
    """The versions of one name, in a folder or on the Hub."""

    @property
    def uri(self) -> str:
        """Where they are: a folder, or hf://ORG/NAME."""

    def versions(self) -> list[str]:
        """Return the versions, oldest first."""

    def yanked(self) -> dict[str, str]:
        """Return the reasons of the yanked versions, by version."""

    def open(self, version: str) -> Release:
        """Return one of the versions."""


@checked
def open_release(
    release: ReleaseLike,
    registry: str | Path = REGISTRY,
    datasets_lock: str | Path | None = None,
    offline: bool = False,
) -> Release:
    """Return a release.

    Args:
        release: A folder, NAME[@VERSION] of the registry, or hf://ORG/NAME[@VERSION]. VERSION may be the beginning of
            one (v1, v1.2); without one, the newest is opened. A yanked version is opened only by its full name. A
            release that is open already is returned as it is.
        registry: The registry: a folder, or hf://ORG.
        datasets_lock: A lock file; a release of the Hub that it pins is opened at the pinned commit, and
            one in a folder that it pins must have the pinned manifest.
        offline: Use no network: the release must be in a folder, or pinned by the lock and in the Hub's cache.

    Raises:
        InputError: There is no such release, or it differs from what the lock file pins.
    """
    if isinstance(release, Release):
        return release
    if isinstance(release, str):
        _check_means_one(release, str(registry))
    opened = _open(str(release), str(registry), Path(datasets_lock) if datasets_lock else None, offline)
    if datasets_lock:
        check_pinned(opened, Path(datasets_lock))
    if opened.yanked:
        logger.warning("Warning: %s is yanked: %s", opened.uri, opened.yanked)
    return opened


def _check_means_one(release: str, registry: str) -> None:
    """Raise InputError if a name of the registry is a folder here too: whoever writes to it would choose the rows."""
    if "/" in release or not (Path(release) / FILE).exists():
        return
    name = release.partition("@")[0]
    if registry.startswith(HUB) or name in release_names(Path(registry)):
        raise InputError(
            f"{release} is a release in a folder here, and may be one of the registry {registry}. Write ./{release} "
            f"for the folder, or {registry.rstrip('/')}/{release} for the other."
        )


def _open(release: str, registry: str, datasets_lock: Path | None, offline: bool) -> Release:
    if not release.startswith(HUB) and (Path(release) / FILE).exists():
        return _open_folder(Path(release))
    name, _, requested = release.partition("@")
    releases = find_releases(name, registry, offline)
    if datasets_lock and (locked := find_locked(datasets_lock, releases.uri, requested, offline)):
        return locked
    if offline and releases.uri.startswith(HUB):
        raise InputError(
            f"The commit of {releases.uri}@{requested or 'main'} cannot be known offline. "
            f"Lock it online with `builders lock {releases.uri}`, or name a folder."
        )
    if offline and isinstance(releases, StoreReleases):
        raise InputError(f"{releases.uri} is a store, which is not read offline. Name a folder.")
    return open_version(releases, requested)


def _open_folder(path: Path) -> Release:
    """Return the release in a folder; InputError if the folder is named after another version."""
    opened, name = open_folder(path, _find_yanked(path)), path.absolute().name
    if is_version(name) and opened.version != name:
        raise InputError(
            f"{path} holds {opened.version}: the folder was renamed or replaced. Restore it, or move it away."
        )
    return opened


def open_version(releases: Releases, requested: str) -> Release:
    """Return the version that is meant by a version, by the beginning of one, or by nothing (the newest)."""
    versions = releases.versions()
    if not versions:
        hint = ", or you may not see it (`hf auth whoami` shows who you are)" if releases.uri.startswith(HUB) else ""
        raise InputError(f"{releases.uri} holds no release{hint}. Publish one, or name another.")
    return releases.open(resolve_version(versions, releases.yanked(), requested, releases.uri))


def find_releases(name: str, registry: str | Path = REGISTRY, offline: bool = False) -> Releases:
    """Return the versions of a name: of NAME in the registry, of hf://ORG/NAME, or of s3://BUCKET/PATH/NAME.

    Raises:
        InputError: There is no such name.
    """
    registry = str(registry)
    if name.startswith(HUB):
        return hub_releases(name, offline=offline)
    if uri := store_uri(name):
        return StoreReleases(Store(uri))
    if "/" in name:
        raise _not_a_release(name)
    if registry.startswith(HUB):
        return hub_releases(f"{registry.rstrip('/')}/{name}", offline=offline)
    if uri := store_uri(registry):
        return StoreReleases(Store(uri).below(name))
    names = release_names(registry_folder(registry))
    if not names:
        raise InputError(
            f"There is no release '{name}': the registry {registry} is empty. Publish one, or name its folder."
        )
    if name not in names:
        raise unknown("release", name, names)
    return FolderReleases(Path(registry) / name)


def _not_a_release(name: str) -> InputError:
    if Path(name).is_dir():
        return InputError(f"The folder {name} holds no {FILE}, so it is not a release. Name the folder of a version.")
    if re.fullmatch(rf"({PART})/({PART})", name):
        return InputError(f"There is no folder {name}. A release of the Hub is written {HUB}{name}.")
    if wrong := re.match(r"hf:/*", name):
        return InputError(f"There is no folder {name}. A release of the Hub is written {HUB}{name[wrong.end() :]}.")
    return InputError(f"There is no folder {name}. Name one that holds a {FILE}.")


def registry_folder(registry: str) -> Path:
    """Return the folder of a registry.

    Raises:
        InputError: It is a URL of another kind, or a file.
    """
    if url := re.match(r"\w+://|hf:/", registry):
        raise InputError(f"{url[0]} is not a registry. Name a folder, hf://ORG or hf://ORG/NAME.")
    if Path(registry).is_file():
        raise InputError(f"{registry} is a file, not a registry. Name a folder, hf://ORG or hf://ORG/NAME.")
    return Path(registry)


def _find_yanked(folder: Path) -> str | None:
    """Return why the release in a folder is yanked, if the registry around it says so."""
    folder = folder.absolute()
    return FolderReleases(folder.parent).yanked().get(folder.name)


def list_releases(registry: str | Path = REGISTRY, search: str = "") -> list[Release]:
    """Return every version of every release in a registry, oldest first.

    Args:
        registry: A folder, hf://ORG, or one name in it: FOLDER/NAME, hf://ORG/NAME.
        search: Words that must all be in a release's names, summary, languages, corpora or licences.
    """
    every_version = [
        releases.open(version) for releases in list_names(str(registry)) for version in releases.versions()
    ]
    words = search.lower().split()
    return [release for release in every_version if all(word in _searched(release.manifest) for word in words)]


def list_names(registry: str) -> list[Releases]:
    """Return the releases of a registry by name: of a folder, of hf://ORG, or one of FOLDER/NAME or hf://ORG/NAME."""
    uri = registry.rstrip("/")
    if address := store_uri(uri):
        inside = StoreReleases(Store(address))
        return [inside] if inside.versions() else [*list_store_releases(inside.store)]
    if not uri.startswith(HUB):
        folder = registry_folder(uri)
        alone = FolderReleases(folder)
        return [alone] if alone.versions() else [FolderReleases(folder / name) for name in release_names(folder)]
    if "/" in uri.removeprefix(HUB).removeprefix("datasets/"):
        return [hub_releases(uri)]
    return list(list_hub_releases(uri.removeprefix(HUB)))


def _searched(manifest: Manifest) -> str:
    """Return the text that a search looks through: names, languages by code and name, corpora, licences."""
    texts = [manifest["name"], manifest["version"], manifest["title"], manifest["summary"], manifest["output_format"]]
    texts += [*manifest["configs"], *manifest["langs"], *(language(lang).name for lang in manifest["langs"])]
    texts += [text for s in manifest["sources"] for text in (s["corpus"], s["title"], s["licence"])]
    return " ".join(texts).lower()
