"""A registry: releases by name and version, in a folder or on the Hub, which never change once they are published."""

from collections.abc import Mapping
from pathlib import Path

from builders.publishing.local_registry import FolderHome
from builders.publishing.types import Home, Release, in_folder
from cards.manifest import FILE, Manifest
from corpora.catalog import language
from corpora.errors import InputError, unknown

HUB = "hf://"


def home_of(to: str, name: str, private: bool = False) -> Home:
    """Where the releases of a name live: in a registry folder, in an organisation on the Hub, or in one repository."""
    if to.startswith(HUB):
        from builders.publishing.hub_registry import hub_home

        return hub_home(to, name, private)
    if private:
        raise InputError("--private is for the Hub (--to hf://ORG); a folder is as private as you make it.")
    return FolderHome(_folder(to), name)


def _folder(to: str) -> Path:
    if "://" in to:
        raise InputError(
            f"{to.partition('://')[0]}:// is no place for releases. Name a folder, hf://ORG or hf://ORG/NAME."
        )
    return Path(to)


def names(registry: Path) -> list[str]:
    """The names of the releases in a registry folder."""
    return sorted(p.name for p in registry.glob("*") if p.is_dir() and FolderHome(registry, p.name).versions())


def versions(registry: Path, name: str) -> list[str]:
    """The versions of a release in a registry folder, oldest first."""
    return FolderHome(registry, name).versions()


def open_release(release: str, registry: str | Path = "registry") -> Release:
    """A release given as NAME or NAME@VERSION in a registry, hf://ORG/NAME@VERSION, or its folder.

    VERSION may be the beginning of one (v1, v1.2); without one it is the newest. Yanked versions are only found by
    their whole version. InputError with what there is if it is not there.
    """
    if not release.startswith(HUB) and (Path(release) / FILE).exists():
        return in_folder(Path(release), _yanked(Path(release)))
    place, _, wanted = release.rpartition("@") if "@" in release else (release, "", "")
    home = _known_home(place, str(registry))
    return home.release(choose(home.look().versions, home.yanked(), wanted, home.place))


def _yanked(folder: Path) -> str | None:
    """Why the release in a folder is yanked, if the registry around it says so."""
    return FolderHome(folder.parent.parent, folder.parent.name).yanked().get(folder.name)


def _known_home(name: str, registry: str) -> Home:
    """The home of a release that is there already."""
    if name.startswith(HUB):
        return home_of(name, "")
    if registry.startswith(HUB):
        return home_of(f"{registry.rstrip('/')}/{name}", name)
    there = names(_folder(registry))
    if name not in there:
        if not there:
            raise InputError(f"The registry {registry} holds no release yet. Publish one, or name its folder.")
        raise unknown("release", name, there)
    return FolderHome(Path(registry), name)


def choose(there: tuple[str, ...], yanked: Mapping[str, str], wanted: str, place: str) -> str:
    """The version of those that are there that is meant by a version, the beginning of one, or nothing."""
    version = "v" + wanted.removeprefix("v") if wanted else ""
    if version in there:
        return version
    fit = [name for name in there if not version or name.startswith(f"{version}.")]
    if left := [name for name in fit if name not in yanked]:
        return left[-1]
    if fit:
        raise InputError(f"Every such version of {place} is yanked: {', '.join(fit)}. Name one whole to use it anyway.")
    if not there:
        unseen = ", or it is not for you to see (`hf auth whoami` says who you are)" if place.startswith(HUB) else ""
        raise InputError(f"{place} holds no release yet{unseen}. Publish one, or name another.")
    raise unknown(f"version of {Path(place).name}", version, there)


def homes(registry: str | Path = "registry") -> list[Home]:
    """The homes of all releases in a registry: a folder, hf://ORG, or one of them as hf://ORG/NAME or FOLDER/NAME."""
    place = str(registry).rstrip("/")
    if not place.startswith(HUB):
        folder = _folder(place)
        if versions(folder.parent, folder.name):
            return [FolderHome(folder.parent, folder.name)]
        return [FolderHome(folder, name) for name in names(folder)]
    if "/" in place.removeprefix(HUB).removeprefix("datasets/"):
        return [home_of(place, "")]
    from builders.publishing.hub_registry import hub_homes

    return list(hub_homes(place.removeprefix(HUB)))


def list_releases(registry: str | Path = "registry", search: str = "") -> list[Release]:
    """Every version of every release in a registry, oldest first; only those that say all words of `search`."""
    found = [home.release(version) for home in homes(registry) for version in home.look().versions]
    words = search.lower().split()
    return [release for release in found if all(word in _searched(release.manifest) for word in words)]


def _searched(manifest: Manifest) -> str:
    """What a search looks through: name, words, configs, languages by code and name, corpora, licences."""
    said = [manifest[key] for key in ("name", "version", "title", "summary", "format")]
    said += [*manifest["configs"], *manifest["langs"], *(language(lang).name for lang in manifest["langs"])]
    said += [source[key] for source in manifest["sources"] for key in ("corpus", "title", "licence")]
    return " ".join(map(str, said)).lower()


def home_to_roll_back(release: str, registry: str | Path = "registry") -> tuple[Home, str]:
    """The home of NAME@VERSION or hf://ORG/NAME@VERSION, and the version."""
    place, _, version = release.rpartition("@")
    if not place:
        raise InputError(f"Name the version to go back to, such as {release}@v1.0.0.")
    return _known_home(place, str(registry)), version


def yank(release: str, why: str | None, registry: str | Path = "registry") -> Release:
    """Yank a version (NAME@VERSION, hf://ORG/NAME@VERSION), or with None take that back; the release as it is now.

    It stays where it is for those who name it whole, who are warned; nobody else is given it.
    """
    place, _, version = release.rpartition("@")
    home = _known_home(place, str(registry)) if place else None
    version = "v" + version.removeprefix("v")
    if home is None or version not in home.look().versions:
        raise InputError(f"Name the whole version to yank, such as {place or release}@v1.0.0; there is no {release}.")
    if why is not None and not why.strip():
        raise InputError("Say why it is yanked (--why TEXT): those who use it will be told.")
    if why is None and version not in home.yanked():
        raise InputError(f"{release} is not yanked, so there is nothing to take back.")
    home.yank(version, why)
    return home.release(version)
