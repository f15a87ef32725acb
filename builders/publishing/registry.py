"""A registry: releases by name and version, in a folder or on the Hub, which never change once they are published."""

from collections.abc import Mapping
from pathlib import Path

from builders.publishing.local_registry import LocalRegistry
from builders.publishing.types import Registry, Release, open_folder
from cards.manifest import FILE, Manifest
from corpora.catalog import language
from corpora.errors import InputError, unknown

HUB = "hf://"


def open_registry(to: str, name: str, private: bool = False) -> Registry:
    """Where the releases of a name live: in a registry folder, in an organisation on the Hub, or in one repository."""
    if to.startswith(HUB):
        from builders.publishing.hub_registry import open_hub_registry

        return open_hub_registry(to, name, private)
    if private:
        raise InputError("--private is for the Hub (--to hf://ORG); a folder is as private as you make it.")
    return LocalRegistry(_folder(to), name)


def _folder(to: str) -> Path:
    if "://" in to:
        raise InputError(f"{to.partition('://')[0]}:// is not a registry. Name a folder, hf://ORG or hf://ORG/NAME.")
    return Path(to)


def names(registry: Path) -> list[str]:
    """The names of the releases in a registry folder."""
    return sorted(p.name for p in registry.glob("*") if p.is_dir() and LocalRegistry(registry, p.name).versions())


def versions(registry: Path, name: str) -> list[str]:
    """The versions of a release in a registry folder, oldest first."""
    return LocalRegistry(registry, name).versions()


def open_release(release: str, registry: str | Path = "registry") -> Release:
    """A release given as NAME or NAME@VERSION in a registry, hf://ORG/NAME@VERSION, or its folder.

    VERSION may be the beginning of one (v1, v1.2); without one it is the newest. Yanked versions are only found by
    their whole version. InputError with what there is if it is not there.
    """
    if not release.startswith(HUB) and (Path(release) / FILE).exists():
        return open_folder(Path(release), _yanked(Path(release)))
    uri, _, wanted = release.rpartition("@") if "@" in release else (release, "", "")
    there = _existing_registry(uri, str(registry))
    return there.release(resolve_version(there.get_state().versions, there.yanked(), wanted, there.uri))


def _yanked(folder: Path) -> str | None:
    """Why the release in a folder is yanked, if the registry around it says so."""
    return LocalRegistry(folder.parent.parent, folder.parent.name).yanked().get(folder.name)


def _existing_registry(name: str, registry: str) -> Registry:
    """The registry of a release that is there already."""
    if name.startswith(HUB):
        return open_registry(name, "")
    if registry.startswith(HUB):
        return open_registry(f"{registry.rstrip('/')}/{name}", name)
    there = names(_folder(registry))
    if name not in there:
        if not there:
            raise InputError(f"The registry {registry} holds no release yet. Publish one, or name its folder.")
        raise unknown("release", name, there)
    return LocalRegistry(Path(registry), name)


def resolve_version(there: tuple[str, ...], yanked: Mapping[str, str], wanted: str, uri: str) -> str:
    """The version of those that are there that is meant by a version, the beginning of one, or nothing."""
    version = "v" + wanted.removeprefix("v") if wanted else ""
    if version in there:
        return version
    fit = [name for name in there if not version or name.startswith(f"{version}.")]
    if left := [name for name in fit if name not in yanked]:
        return left[-1]
    if fit:
        raise InputError(f"Every such version of {uri} is yanked: {', '.join(fit)}. Name one whole to use it anyway.")
    if not there:
        unseen = ", or it is not for you to see (`hf auth whoami` says who you are)" if uri.startswith(HUB) else ""
        raise InputError(f"{uri} holds no release yet{unseen}. Publish one, or name another.")
    raise unknown(f"version of {Path(uri).name}", version, there)


def registries(registry: str | Path = "registry") -> list[Registry]:
    """Return a registry for each name in a folder or in hf://ORG; or the one of hf://ORG/NAME or FOLDER/NAME."""
    uri = str(registry).rstrip("/")
    if not uri.startswith(HUB):
        folder = _folder(uri)
        if versions(folder.parent, folder.name):
            return [LocalRegistry(folder.parent, folder.name)]
        return [LocalRegistry(folder, name) for name in names(folder)]
    if "/" in uri.removeprefix(HUB).removeprefix("datasets/"):
        return [open_registry(uri, "")]
    from builders.publishing.hub_registry import list_hub_registries

    return list(list_hub_registries(uri.removeprefix(HUB)))


def list_releases(registry: str | Path = "registry", search: str = "") -> list[Release]:
    """Every version of every release in a registry, oldest first; only those that say all words of `search`."""
    found = [
        registry.release(version) for registry in registries(registry) for version in registry.get_state().versions
    ]
    words = search.lower().split()
    return [release for release in found if all(word in _searched(release.manifest) for word in words)]


def _searched(manifest: Manifest) -> str:
    """What a search looks through: name, words, configs, languages by code and name, corpora, licences."""
    said = [manifest[key] for key in ("name", "version", "title", "summary", "format")]
    said += [*manifest["configs"], *manifest["langs"], *(language(lang).name for lang in manifest["langs"])]
    said += [source[key] for source in manifest["sources"] for key in ("corpus", "title", "licence")]
    return " ".join(map(str, said)).lower()


def registry_and_version(release: str, registry: str | Path = "registry") -> tuple[Registry, str]:
    """The registry of NAME@VERSION or hf://ORG/NAME@VERSION, and the version."""
    uri, _, version = release.rpartition("@")
    if not uri:
        raise InputError(f"Name the version to go back to, such as {release}@v1.0.0.")
    return _existing_registry(uri, str(registry)), version


def yank(release: str, why: str | None, registry: str | Path = "registry") -> Release:
    """Yank a version (NAME@VERSION, hf://ORG/NAME@VERSION), or with None take that back; the release as it is now.

    It stays where it is for those who name it whole, who are warned; nobody else is given it.
    """
    uri, _, version = release.rpartition("@")
    there = _existing_registry(uri, str(registry)) if uri else None
    version = "v" + version.removeprefix("v")
    if there is None or version not in there.get_state().versions:
        raise InputError(f"Name the whole version to yank, such as {uri or release}@v1.0.0; there is no {release}.")
    if why is not None and not why.strip():
        raise InputError("Say why it is yanked (--why TEXT): those who use it will be told.")
    if why is None and version not in there.yanked():
        raise InputError(f"{release} is not yanked, so there is nothing to take back.")
    there.yank(version, why)
    return there.release(version)
