"""A registry: releases by name and version, in a folder or on the Hub, which never change once they are published."""

import hashlib
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.at_rest import Home, Overtaken, Published, Release, Seen, Wish, in_folder, plan
from builders.difference import compare, same_content
from builders.folder import FolderHome
from builders.release import check_rows, finish, load_back, made_with, read_made_with
from builders.versions import next_version
from builders.work import Work
from cards.card import render_card
from cards.manifest import FILE, Manifest, canonical, identity, row_digests
from cards.notes import written_by_hand
from corpora.catalog import language
from corpora.errors import InputError, unknown
from corpora.files import scratch

HUB = "hf://"
LEDGER = "ledger.parquet"
ATTEMPTS = 40  # how often others may be first before a publisher gives up
FAILURES = 5  # how often a place may fail


@dataclass(frozen=True)
class Draft:
    """What is to be published: the manifest but for its configs, and the function that writes them below a folder.

    `rows` are the rows' digests where they are known before they are written.
    """

    described: Manifest
    write: Callable[[Path], Manifest]
    rows: Mapping[str, Any] | None = None


def home_of(to: str, name: str, private: bool = False) -> Home:
    """Where the releases of a name live: in a registry folder, in an organisation on the Hub, or in one repository."""
    if to.startswith(HUB):
        from builders.hub import hub_home

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
        raise InputError(f"{place} holds no release yet. Publish one, or name another.")
    raise unknown(f"version of {Path(place).name}", version, there)


def publish(home: Home, draft: Draft, work: Work, wish: Wish | None = None) -> Published:
    """Publish a draft as the next version of its name; nothing is visible before it is whole, and has been loaded back.

    The version follows from the difference to the newest one; if there is none, there is no new version. InputError
    if `wish` names a smaller version than that.
    """
    wish = wish or Wish()
    with home.held() as room, scratch(room or work.scratch) as folder:
        seen = _look(home, draft.described, wish)
        if before := _known_unchanged(home, draft, seen):
            return _unchanged(before)
        content = draft.described | {"configs": draft.write(folder)}
        check_rows(content)
        here = Release(str(folder), content, lambda paths: folder)
        return _settle(home, here, folder, work, wish)


def roll_back(home: Home, version: str, work: Work, wish: Wish | None = None) -> Published:
    """Publish what an earlier version holds as the next version; its data is not sent again, and no tag moves."""
    wish = wish or Wish()
    with home.held() as room, scratch(room or work.scratch) as folder:
        there = _look(home, {"name": home.name}, wish).versions
        old = home.release(choose(there, home.yanked(), version, home.place))
        if any(entry["path"] == LEDGER for entry in old.manifest["beside"]):
            shutil.copyfile(old.bring([LEDGER]) / LEDGER, folder / LEDGER)  # it shows rows that the manifest does not
        return _settle(home, old, folder, work, wish, copied=True)


def _settle(home: Home, source: Release, folder: Path, work: Work, wish: Wish, copied: bool = False) -> Published:
    """Give content the version that follows the newest one and put it there; again if another publisher is first."""
    tried: list[str] = []  # identities: if one of them is there, an answer was lost
    failures = 0
    for pause in _pauses():
        seen = _look(home, source.manifest, wish)
        if seen.newest and seen.newest.identity in tried:
            return _published(seen.newest.place, seen.newest.manifest)
        if seen.newest and _same(seen.newest, source.manifest, seen.card, home):
            return _unchanged(seen.newest)
        manifest = _next(source, seen, work, wish)
        finish(folder, manifest, home.told(manifest["version"]), written_by_hand(seen.card))
        if not tried and not copied:
            load_back(folder, manifest, work.scratch)
        if wish.dry:
            changes = plan(seen.newest.manifest if seen.newest else None, manifest)
            place = seen.newest.place if seen.newest else home.place
            return replace(_published(place, manifest), plan=changes, dry=True)
        tried.append(identity(manifest))
        try:
            return _published(home.put(folder, manifest, seen, source if copied else None), manifest)
        except Overtaken as reason:
            wish.tell(f"{home.place}: {reason}. Looking again.")
            failures += reason.failed
            if failures > FAILURES:
                raise InputError(f"{home.place} fails again and again: {reason}. Run the same command later.") from None
            time.sleep(max(pause, reason.wait))
    raise InputError(f"Others published to {home.place} first, {ATTEMPTS} times. Run the same command again.")


def _pauses() -> Iterator[float]:
    """Seconds to wait after each attempt: longer and longer, and never the same for two publishers."""
    return (random.uniform(0.05, min(8.0, 0.2 * 1.3**attempt)) for attempt in range(ATTEMPTS))


def _look(home: Home, manifest: Mapping[str, Any], wish: Wish) -> Seen:
    """What the home holds, after what a killed publisher left undone is done; InputError if it holds something else."""
    seen = home.look(finish=not wish.dry)
    name = seen.newest.manifest["name"] if seen.newest else manifest["name"]
    if manifest["name"] and name != manifest["name"]:
        raise InputError(f"{home.place} holds releases of {name}, not of {manifest['name']}. Name another place.")
    return seen


def _next(source: Release, seen: Seen, work: Work, wish: Wish) -> Manifest:
    """The manifest of the version that follows; InputError if the wish is for a smaller one, or one that is taken."""
    before = seen.newest
    if wish.version and "v" + wish.version.removeprefix("v") in seen.versions:
        raise InputError(
            f"{wish.version} of {source.manifest['name']} is published already, with other content; a version never "
            "changes. Ask for a later one, or for none: it follows from what changed."
        )
    difference = compare(before, source, work) if before else None
    version, why = next_version(before.version if before else None, difference, wish.version)
    parent = {"version": before.version, "manifest_sha256": before.identity} if before else None
    if before and before.commit:
        parent = (parent or {}) | {"commit": before.commit}
    own = {key: value for key, value in source.manifest.items() if key != "beside"}
    return canonical(own | {"version": version, "parent": parent, "difference": why})


def _known_unchanged(home: Home, draft: Draft, seen: Seen) -> Release | None:
    """The newest release, if it is plain before a byte is written that the draft would make it again."""
    before = seen.newest
    if not before or draft.rows is None or draft.rows != row_digests(before.manifest):
        return None
    described = draft.described | {"configs": before.manifest["configs"]}
    if not _same(before, described, seen.card, home) or read_made_with(before) != made_with():
        return None
    return before


def _same(before: Release, manifest: Manifest, card: str, home: Home) -> bool:
    """Whether a release of this content would be the newest one again, card included."""
    if not same_content(before.manifest, manifest):
        return False
    again = render_card(before.manifest, home.told(before.version), written_by_hand(card))
    published = {entry["path"]: entry["sha256"] for entry in before.manifest["beside"]}
    return bool(hashlib.sha256(again.encode()).hexdigest() == published["README.md"])


def _published(place: str, manifest: Manifest) -> Published:
    return Published(place, manifest, True, manifest["difference"])


def _unchanged(before: Release) -> Published:
    why = f"nothing changed, but {before.version} is yanked: {before.yanked}" if before.yanked else "nothing changed"
    return Published(before.place, before.manifest, False, why)


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
    from builders.hub import hub_homes

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
    home.yank(version, why)
    return home.release(version)
