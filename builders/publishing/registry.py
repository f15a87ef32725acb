"""Where releases are published, and what is done to a version in place: yanking."""

from pathlib import Path

from builders.publishing.local_registry import LocalRegistry
from builders.publishing.store_registry import StoreRegistry
from builders.publishing.types import Registry
from cards.releases import HUB, Release, StoreReleases, find_releases, registry_folder
from corpora.errors import InputError
from corpora.stores import Store, store_uri


def open_registry(uri: str, name: str, private: bool = False) -> Registry:
    """Return where the releases of a name are published.

    Args:
        uri: A registry folder, the address of a store (s3://BUCKET/PATH), hf://ORG (a repository for each name), or
            hf://ORG/NAME.
        name: The name of the releases.
        private: Make a new repository on the Hub private.

    Raises:
        InputError: `uri` is not a registry, or `private` is asked of a folder.
    """
    if uri.startswith(HUB):
        from builders.publishing.hub_registry import open_hub_registry

        return open_hub_registry(uri, name, private)
    if private:
        raise InputError("--private is for the Hub (--registry hf://ORG); a folder is as private as you make it.")
    if address := store_uri(uri):
        return StoreRegistry(Store(address).below(name), name)
    return LocalRegistry(registry_folder(uri), name)


def existing_registry(name: str, registry: str | Path = "registry") -> Registry:
    """Return the registry of a name that has releases: NAME in the registry, or hf://ORG/NAME."""
    uri = find_releases(name, registry).uri
    if uri.startswith(HUB):
        return open_registry(uri, "")
    if address := store_uri(uri):
        releases = StoreReleases(Store(address))
        return StoreRegistry(releases.store, releases.name)
    return LocalRegistry(Path(uri).parent, Path(uri).name)


def yank_version(release: str, reason: str | None, registry: str | Path = "registry") -> Release:
    """Yank a version, or with None take that back, and return the release as it is now.

    The version stays in place for those who name it in full, who are warned; it is no longer chosen for anyone else.

    Args:
        release: NAME@VERSION or hf://ORG/NAME@VERSION.
        reason: Why, as its users will read it.
        registry: Where NAME is.

    Raises:
        InputError: There is no such version, the reason is empty, or a version that is not yanked is to be restored.
    """
    name, _, version = release.partition("@")
    if not version:
        raise InputError(f"{release} names no version. Name one in full, such as {name}@v1.0.0.")
    version = "v" + version.removeprefix("v")
    existing = existing_registry(name, registry)
    if version not in existing.releases.versions():
        raise InputError(
            f"{existing.uri} has no version '{version.removeprefix('v')}'. Name one in full, such as {name}@v1.0.0."
        )
    if reason is not None and not reason.strip():
        raise InputError("Give the reason with --why TEXT: those who use the version will read it.")
    if reason is None and version not in existing.releases.yanked():
        raise InputError(f"{release} is not yanked, so there is nothing to undo.")
    existing.yank(version, reason)
    return existing.releases.open(version)
