"""Publishing: content becomes the next version of its name, in whatever registry, or nothing does."""

import hashlib
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.publishing.difference import compare, same_content
from builders.publishing.package import check_not_empty, environment, read_environment, smoke_test, write_metadata
from builders.publishing.registry import resolve_version
from builders.publishing.types import (
    ConflictError,
    Published,
    PublishOptions,
    Registry,
    RegistryState,
    Release,
    plan_upload,
)
from builders.publishing.versions import next_version
from builders.workspace.workspace import Work
from cards.dataset_card import render_card
from cards.human_written import written_by_hand
from cards.manifest import Manifest, canonical, identity, row_digests
from corpora.errors import InputError
from corpora.files import scratch

LEDGER = "ledger.parquet"
MAX_CONFLICTS = 40  # how often others may be first before a publisher gives up
MAX_FAILURES = 5  # how often a uri may fail


@dataclass(frozen=True)
class Draft:
    """What is to be published: the manifest but for its configs, and the function that writes them below a folder.

    `rows` are the rows' digests where they are known before they are written.
    """

    described: Manifest
    write: Callable[[Path], Manifest]
    rows: Mapping[str, Any] | None = None


def publish(registry: Registry, draft: Draft, work: Work, options: PublishOptions | None = None) -> Published:
    """Publish a draft as the next version of its name; nothing is visible before it is whole, and has been loaded back.

    The version follows from the difference to the newest one; if there is none, there is no new version. InputError
    if `options` names a smaller version than that.
    """
    options = options or PublishOptions()
    with registry.lock() as room, scratch(room or work.scratch) as folder:
        state = _read_state(registry, draft.described, options)
        if before := _known_unchanged(registry, draft, state):
            return _unchanged(before, options)
        content = draft.described | {"configs": draft.write(folder)}
        check_not_empty(content)
        here = Release(str(folder), content, lambda paths: folder)
        return _commit_with_retry(registry, here, folder, work, options)


def roll_back(registry: Registry, version: str, work: Work, options: PublishOptions | None = None) -> Published:
    """Publish what an earlier version holds as the next version; its data is not sent again, and no tag moves."""
    options = options or PublishOptions()
    with registry.lock() as room, scratch(room or work.scratch) as folder:
        there = _read_state(registry, {"name": registry.name}, options).versions
        old = registry.release(resolve_version(there, registry.yanked(), version, registry.uri))
        if any(entry["path"] == LEDGER for entry in old.manifest["beside"]):
            shutil.copyfile(
                old.fetch_files([LEDGER]) / LEDGER, folder / LEDGER
            )  # it shows rows that the manifest does not
        return _commit_with_retry(registry, old, folder, work, options, copied=True)


def _commit_with_retry(
    registry: Registry, source: Release, folder: Path, work: Work, options: PublishOptions, copied: bool = False
) -> Published:
    """Give content the version that follows the newest one and put it there; again if another publisher is first."""
    tried: list[str] = []  # identities: if one of them is there, an answer was lost
    failures = 0
    for pause in _pauses():
        state = _read_state(registry, source.manifest, options)
        if state.newest and state.newest.identity in tried:
            return _published(state.newest.uri, state.newest.manifest)
        if state.newest and _is_unchanged(state.newest, source.manifest, state.card, registry):
            return _unchanged(state.newest, options)
        manifest = _next_manifest(source, state, work, options)
        write_metadata(folder, manifest, registry.card_location(manifest["version"]), written_by_hand(state.card))
        if not tried and not copied:
            smoke_test(folder, manifest, work.scratch)
        if options.dry_run:
            changes = plan_upload(state.newest.manifest if state.newest else None, manifest)
            uri = state.newest.uri if state.newest else registry.uri
            return replace(_published(uri, manifest), upload_plan=changes, is_dry_run=True)
        tried.append(identity(manifest))
        try:
            return _published(registry.commit(folder, manifest, state, source if copied else None), manifest)
        except ConflictError as reason:
            options.log(f"{registry.uri}: {reason}. Looking again.")
            failures += reason.failed
            if failures > MAX_FAILURES:
                raise InputError(
                    f"{registry.uri} fails again and again: {reason}. Run the same command later."
                ) from None
            time.sleep(max(pause, reason.wait))
    raise InputError(f"Others published to {registry.uri} first, {MAX_CONFLICTS} times. Run the same command again.")


def _pauses() -> Iterator[float]:
    """Seconds to wait after each attempt: longer and longer, and never the same for two publishers."""
    return (random.uniform(0.05, min(8.0, 0.2 * 1.3**attempt)) for attempt in range(MAX_CONFLICTS))


def _read_state(registry: Registry, manifest: Mapping[str, Any], options: PublishOptions) -> RegistryState:
    """Read the state of the registry, after completing what a killed publisher left; InputError if the name differs."""
    state = registry.get_state(finish=not options.dry_run)
    name = state.newest.manifest["name"] if state.newest else manifest["name"]
    if manifest["name"] and name != manifest["name"]:
        raise InputError(f"{registry.uri} holds releases of {name}, not of {manifest['name']}. Name another registry.")
    return state


def _next_manifest(source: Release, state: RegistryState, work: Work, options: PublishOptions) -> Manifest:
    """The manifest of the version that follows; InputError if the wish is for a smaller one, or one that is taken."""
    before = state.newest
    if options.version and "v" + options.version.removeprefix("v") in state.versions:
        raise InputError(
            f"{options.version} of {source.manifest['name']} is published already, with other content; a version never "
            "changes. Ask for a later one, or for none: it follows from what changed."
        )
    difference = compare(before, source, work) if before else None
    version, why = next_version(before.version if before else None, difference, options.version)
    parent = {"version": before.version, "manifest_sha256": before.identity} if before else None
    if before and before.commit:
        parent = (parent or {}) | {"commit": before.commit}
    own = {key: value for key, value in source.manifest.items() if key != "beside"}
    return canonical(own | {"version": version, "parent": parent, "difference": why})


def _known_unchanged(registry: Registry, draft: Draft, state: RegistryState) -> Release | None:
    """The newest release, if it is plain before a byte is written that the draft would make it again."""
    before = state.newest
    if not before or draft.rows is None or draft.rows != row_digests(before.manifest):
        return None
    described = draft.described | {"configs": before.manifest["configs"]}
    if not _is_unchanged(before, described, state.card, registry) or read_environment(before) != environment():
        return None
    return before


def _is_unchanged(before: Release, manifest: Manifest, card: str, registry: Registry) -> bool:
    """Whether a release of this content would be the newest one again, card included."""
    if not same_content(before.manifest, manifest):
        return False
    again = render_card(before.manifest, registry.card_location(before.version), written_by_hand(card))
    published = {entry["path"]: entry["sha256"] for entry in before.manifest["beside"]}
    return bool(hashlib.sha256(again.encode()).hexdigest() == published["README.md"])


def _published(uri: str, manifest: Manifest) -> Published:
    return Published(uri, manifest, True, manifest["difference"])


def _unchanged(before: Release, options: PublishOptions) -> Published:
    why = f"nothing changed, but {before.version} is yanked: {before.yanked}" if before.yanked else "nothing changed"
    if options.version and "v" + options.version.removeprefix("v") != before.version:
        why += f", so {options.version} was not made"
    return Published(before.uri, before.manifest, False, why)
