"""Publish: content becomes the next version of its name, in any registry, or nothing does."""

import hashlib
import logging
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.publishing.comparison import compare, has_same_content
from builders.publishing.data_files import LEDGER
from builders.publishing.metadata_files import (
    check_not_empty,
    environment,
    read_environment,
    smoke_test,
    write_metadata,
)
from builders.publishing.statistics import get_measured, measure_rows
from builders.publishing.types import (
    ConflictError,
    Published,
    PublishOptions,
    Registry,
    RegistryState,
    fetch_published,
    plan_upload,
)
from builders.publishing.versions import next_version, validate_version
from builders.workspace import Workspace
from cards.dataset_card import render_card
from cards.human_written import read_human_written
from cards.manifest import UNPUBLISHED, VersionInfo, get_content, identity, make_manifest, row_digests
from cards.manifest_types import Config, Content, Description, Manifest, Measured, Parent
from cards.releases import Release, resolve_version
from corpora.errors import InputError
from corpora.files import temporary_folder

logger = logging.getLogger(__name__)
MAX_CONFLICTS = 40  # how often others may be first before a publisher gives up
MAX_FAILURES = 5  # how often a registry may fail


@dataclass(frozen=True)
class Draft:
    """What is to be published: what the build states, and the function that writes the configs below a folder.

    `row_digests` are the digests of the rows, where they are known before the rows are written.
    """

    description: Description
    write: Callable[[Path], dict[str, Config]]
    row_digests: Mapping[str, Any] | None = None

    def content(self, measured: Measured) -> Content:
        """Return what the release holds, once its rows are known."""
        return {**self.description, **measured}


def publish_draft(
    registry: Registry, draft: Draft, work: Workspace, options: PublishOptions | None = None
) -> Published:
    """Publish a draft as the next version of its name; nothing is visible before it is complete and loads.

    The version follows from the difference to the newest one; if there is none, there is no new version.

    Raises:
        InputError: The draft has no rows, or `options` ask for a smaller step than the difference requires.
    """
    options = options or PublishOptions()
    validate_version(options.bump, options.as_version)
    with registry.lock() as shared, temporary_folder(shared or work.scratch) as folder:
        state = _read_state(registry, draft.description["name"], options)
        if before := _known_unchanged(registry, draft, state):
            return _unchanged(before, options)
        content = draft.content(measure_rows(folder, draft.write(folder)))
        check_not_empty(content)
        source = Release(str(folder), make_manifest(content, UNPUBLISHED), lambda paths: folder)
        return _commit_with_retry(registry, source, folder, work, options)


def roll_back(registry: Registry, version: str, work: Workspace, options: PublishOptions | None = None) -> Published:
    """Publish what an earlier version holds as the next version; its data is not sent again, and no tag moves."""
    options = options or PublishOptions()
    validate_version(options.bump, options.as_version)
    with registry.lock() as shared, temporary_folder(shared or work.scratch) as folder:
        versions = _read_state(registry, registry.name, options).versions
        releases = registry.releases
        old = releases.open(resolve_version(versions, releases.yanked(), version, registry.uri))
        if any(entry["path"] == LEDGER for entry in old.manifest["metadata_files"]):
            shutil.copyfile(old.fetch_files([LEDGER]) / LEDGER, folder / LEDGER)  # it has rows that the manifest lacks
        return _commit_with_retry(registry, old, folder, work, options, is_copy=True)


def _commit_with_retry(
    registry: Registry, source: Release, folder: Path, work: Workspace, options: PublishOptions, is_copy: bool = False
) -> Published:
    """Commit content as the version that follows the newest one; again if another publisher was first."""
    tried: list[str] = []  # identities: if the registry has one of them, an answer was lost
    failures = 0
    content = get_content(source.manifest)
    for pause_s in _pauses():
        state = _read_state(registry, source.manifest["name"], options)
        if state.newest and state.newest.identity in tried:
            return _published(state.newest.uri, state.newest.manifest)
        if state.newest and _is_unchanged(state.newest, source.manifest, state.card, registry):
            return _unchanged(state.newest, options)
        version = _next_version(source, state, work, options)
        location = registry.card_location(version.version)
        manifest = write_metadata(folder, content, version, location, read_human_written(state.card))
        if not tried and not is_copy:
            smoke_test(folder, manifest, work.scratch)
        if options.preview:
            return _planned(registry, state, manifest)
        tried.append(identity(manifest))
        try:
            return _published(registry.commit(folder, manifest, state, source if is_copy else None), manifest)
        except ConflictError as conflict:
            logger.warning("%s: %s. Reading its state again.", registry.uri, conflict)
            failures += conflict.failed
            if failures > MAX_FAILURES:
                raise InputError(
                    f"{registry.uri} failed {failures} times: {conflict}. Run the same command later."
                ) from None
            time.sleep(max(pause_s, conflict.wait_s))
    raise InputError(f"Others published to {registry.uri} first, {MAX_CONFLICTS} times. Run the same command again.")


def _pauses() -> Iterator[float]:
    """Yield the seconds to wait after each attempt: longer and longer, and never the same for two publishers."""
    return (random.uniform(0.05, min(8.0, 0.2 * 1.3**attempt)) for attempt in range(MAX_CONFLICTS))


def _read_state(registry: Registry, name: str, options: PublishOptions) -> RegistryState:
    """Return the state of the registry, after completing what a killed publisher left undone."""
    state = registry.get_state(not options.preview, options.remove_unexpected)
    published = state.newest.name if state.newest else name
    if name and published != name:
        raise InputError(f"{registry.uri} holds releases of {published}, not of {name}. Name another registry.")
    return state


def _next_version(source: Release, state: RegistryState, work: Workspace, options: PublishOptions) -> VersionInfo:
    """Return the version that follows."""
    before = state.newest
    if options.as_version and "v" + options.as_version.removeprefix("v") in state.versions:
        raise InputError(
            f"{options.as_version} of {source.name} is published already, with other content; a version never "
            "changes. Ask for a later one, or leave --as-version out: the version follows from what changed."
        )
    difference = compare(before, source, work) if before else None
    version, reason = next_version(before.version if before else None, difference, options.bump, options.as_version)
    return VersionInfo(version, _parent(before) if before else None, reason)


def _parent(release: Release) -> Parent:
    parent: Parent = {"version": release.version, "manifest_sha256": release.identity}
    if release.commit:
        parent["commit"] = release.commit
    return parent


def _known_unchanged(registry: Registry, draft: Draft, state: RegistryState) -> Release | None:
    """Return the newest release if it is known, before a byte is written, that the draft would make it again."""
    before = state.newest
    if not before or draft.row_digests is None or draft.row_digests != row_digests(before.manifest["configs"]):
        return None
    again = make_manifest(draft.content(get_measured(before.manifest)), UNPUBLISHED)
    if not _is_unchanged(before, again, state.card, registry) or read_environment(before) != environment():
        return None
    return before


def _is_unchanged(before: Release, manifest: Manifest, card: str, registry: Registry) -> bool:
    """Return whether a release of this content would be the newest one again, card included."""
    if not has_same_content(before.manifest, manifest):
        return False
    again = render_card(before.manifest, registry.card_location(before.version), read_human_written(card))
    published = {entry["path"]: entry["sha256"] for entry in before.manifest["metadata_files"]}
    return bool(hashlib.sha256(again.encode()).hexdigest() == published["README.md"])


def _planned(registry: Registry, state: RegistryState, manifest: Manifest) -> Published:
    """Return what a preview found."""
    changes = plan_upload(state.newest.manifest if state.newest else None, manifest)
    uri = state.newest.uri if state.newest else registry.uri
    return replace(_published(uri, manifest), upload_plan=changes, is_preview=True)


def _published(uri: str, manifest: Manifest) -> Published:
    return Published(uri, manifest, fetch_published(uri), reason=manifest["difference"])


def _unchanged(before: Release, options: PublishOptions) -> Published:
    reason = "nothing changed"
    if before.yanked:
        reason += f", but {before.version} is yanked: {before.yanked}"
    requested = options.as_version
    if requested and "v" + requested.removeprefix("v") != before.version:
        reason += f", so {requested} was not made"
    return Published(
        before.uri, before.manifest, before.fetch_files, before.commit, before.yanked, is_new=False, reason=reason
    )
