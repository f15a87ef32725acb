"""The Python API of published releases: versions, diff, verify, lock, fetch, load, yank, rollback."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from builders.publishing import (
    Published,
    PublishOptions,
    ReleaseDiff,
    Verification,
    compare_releases,
    existing_registry,
    roll_back,
    verify_release,
    yank_version,
)
from builders.workspace import temporary_workspace
from cards.releases import (
    HUB,
    LOCK_FILE,
    LockEntry,
    Release,
    ReleaseLike,
    fetch_locked,
    list_releases,
    load_locked,
    lock_releases,
    open_release,
)
from corpora.arguments import checked, overload
from corpora.errors import InputError
from corpora.stores import store_uri

if TYPE_CHECKING:
    import datasets

REGISTRY = "registry"


@checked
def versions(release: ReleaseLike | None = None, *, search: str = "", registry: str | Path = REGISTRY) -> list[Release]:
    """Return the versions of a release, oldest first, or of all releases in a registry.

    Args:
        release: NAME, hf://ORG/NAME or s3://BUCKET/PATH/NAME; all by default.
        search: Words that must all be in a release's names, summary, languages, corpora or licences.
        registry: A folder, or hf://ORG.

    Raises:
        InputError: There is no such release.
    """
    name = _spelling(release).partition("@")[0] if release else ""
    uri = name if name.startswith(HUB) or store_uri(name) else f"{registry}/{name}" if name else registry
    releases = list_releases(uri, search)
    if name and not releases:
        words = f" with the words '{search}'" if search else ""
        raise InputError(f"There is no release {name}{words} in {registry}. `builders versions` lists all.")
    return releases


@checked
def diff(
    before: ReleaseLike, after: ReleaseLike, *, examples: int = 3, card: bool = False, registry: str | Path = REGISTRY
) -> ReleaseDiff:
    """Return the differences between two releases.

    Args:
        before: The earlier release: NAME[@VERSION], hf://ORG/NAME[@VERSION], a folder, or an opened one.
        after: The later one.
        examples: How many differing rows of each config to return.
        card: Whether to return the lines in which the cards differ.
        registry: Where NAME is.
    """
    return compare_releases(open_release(before, registry), open_release(after, registry), examples, card)


@checked
def verify(release: ReleaseLike, *, registry: str | Path = REGISTRY) -> Verification:
    """Read every byte and row of a release and compare them with its manifest.

    Args:
        release: NAME[@VERSION], hf://ORG/NAME[@VERSION], a folder, or an opened one.
        registry: Where NAME is.
    """
    return verify_release(open_release(release, registry))


@checked
def lock(
    releases: ReleaseLike | Sequence[ReleaseLike],
    *,
    pin_only: bool = False,
    datasets_lock: str | Path = LOCK_FILE,
    registry: str | Path = REGISTRY,
) -> dict[str, LockEntry]:
    """Pin releases by version, commit and SHA-256 in a lock file, and return the new entries by name.

    Args:
        releases: NAME[@VERSION], hf://ORG/NAME[@VERSION], a folder, or an opened one; one or several.
        pin_only: Do not fetch and check the files.
        datasets_lock: The lock file.
        registry: Where NAME is.
    """
    entries: dict[str, LockEntry] = {}
    for name in [releases] if isinstance(releases, ReleaseLike) else releases:
        may_be_older = isinstance(name, Release) or "@" in str(name)
        release = open_release(name, registry)
        entries |= lock_releases([release], Path(datasets_lock), not pin_only, may_be_older)
    return entries


@checked
def fetch(
    names: str | Sequence[str] = (), *, offline: bool = False, datasets_lock: str | Path = LOCK_FILE
) -> dict[str, Path]:
    """Return folders with exactly the bytes that a lock file pins, by name.

    Args:
        names: The releases, as the lock file names them; all by default.
        offline: Use only the files on this machine.
        datasets_lock: The lock file.
    """
    return fetch_locked(Path(datasets_lock), [names] if isinstance(names, str) else names, offline)


@overload
def load(
    release: str | Release,
    config: str | None = None,
    *,
    offline: bool = False,
    datasets_lock: str | Path = LOCK_FILE,
    split: None = None,
    **options: Any,
) -> "datasets.DatasetDict": ...
@overload
def load(
    release: str | Release,
    config: str | None = None,
    *,
    offline: bool = False,
    datasets_lock: str | Path = LOCK_FILE,
    split: str,
    **options: Any,
) -> "datasets.Dataset": ...
@checked
def load(
    release: str | Release,
    config: str | None = None,
    *,
    offline: bool = False,
    datasets_lock: str | Path = LOCK_FILE,
    **options: Any,
) -> Any:
    """Return a config of a locked release as a `datasets.DatasetDict`, from exactly the pinned bytes.

    Args:
        release: The release, as the lock file names it, or an opened one.
        config: The config; it may be left out where there is only one.
        offline: Use only the files on this machine.
        datasets_lock: The lock file.
        **options: Those of `datasets.load_dataset`, such as split="train".
    """
    name = release.locked_name if isinstance(release, Release) else release
    return load_locked(name, config, Path(datasets_lock), offline, **options)


@checked
def yank(
    release: str | Release, *, why: str | None = None, undo: bool = False, registry: str | Path = REGISTRY
) -> Release:
    """Mark a version as one not to use, and return it; it stays in place for those who name it in full.

    Args:
        release: NAME@VERSION or hf://ORG/NAME@VERSION, or an opened one.
        why: The reason, which everyone who uses the version reads.
        undo: Remove the mark.
        registry: Where NAME is.

    Raises:
        InputError: There is no such version, or not exactly one of `why` and `undo` is given.
    """
    if undo == (why is not None):
        raise InputError("Give the reason with --why TEXT, or take it back with --undo.")
    return yank_version(_spelling(release), why, registry)


@checked
def rollback(
    release: str | Release,
    *,
    bump: Literal["major", "minor", "patch"] | None = None,
    as_version: str | None = None,
    preview: bool = False,
    remove_unexpected: bool = False,
    registry: str | Path = REGISTRY,
) -> Published:
    """Publish what an older version holds as the next version; no data is sent again, and no tag moves.

    Args:
        release: NAME@VERSION or hf://ORG/NAME@VERSION, or an opened one.
        bump: A larger step than the difference requires: major, minor or patch.
        as_version: The version itself, such as v3.0.0; no smaller than the difference requires.
        preview: Return what would be published, and publish nothing.
        remove_unexpected: Delete files on the Hub that no manifest lists; they are refused otherwise.
        registry: Where NAME is.
    """
    name, _, version = _spelling(release).partition("@")
    if not version:
        raise InputError(f"Name the version to go back to, such as {name}@v1.0.0.")
    with temporary_workspace() as work:
        options = PublishOptions(bump, as_version, preview, remove_unexpected)
        return roll_back(existing_registry(name, registry), version, work, options)


def _spelling(release: ReleaseLike) -> str:
    """Return how a user writes a release."""
    return release.spelling if isinstance(release, Release) else str(release)
