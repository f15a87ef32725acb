"""Publishing: content becomes the next version of its name, in whatever home, or nothing does."""

import hashlib
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.publishing.difference import compare, same_content
from builders.publishing.package import check_rows, finish, load_back, made_with, read_made_with
from builders.publishing.registry import choose
from builders.publishing.types import Home, Overtaken, Published, Release, Seen, Wish, plan
from builders.publishing.versions import next_version
from builders.workspace.workspace import Work
from cards.dataset_card import render_card
from cards.human_written import written_by_hand
from cards.manifest import Manifest, canonical, identity, row_digests
from corpora.errors import InputError
from corpora.files import scratch

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


def publish(home: Home, draft: Draft, work: Work, wish: Wish | None = None) -> Published:
    """Publish a draft as the next version of its name; nothing is visible before it is whole, and has been loaded back.

    The version follows from the difference to the newest one; if there is none, there is no new version. InputError
    if `wish` names a smaller version than that.
    """
    wish = wish or Wish()
    with home.held() as room, scratch(room or work.scratch) as folder:
        seen = _look(home, draft.described, wish)
        if before := _known_unchanged(home, draft, seen):
            return _unchanged(before, wish)
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
            return _unchanged(seen.newest, wish)
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


def _unchanged(before: Release, wish: Wish) -> Published:
    why = f"nothing changed, but {before.version} is yanked: {before.yanked}" if before.yanked else "nothing changed"
    if wish.version and "v" + wish.version.removeprefix("v") != before.version:
        why += f", so {wish.version} was not made"
    return Published(before.place, before.manifest, False, why)
