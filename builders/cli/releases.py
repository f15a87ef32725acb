"""The verbs about releases that are there: a skin; each parses, makes one call, and prints."""

from pathlib import Path
from typing import Any

import click

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
REGISTRY = click.option(
    "--registry", default="registry", show_default=True, metavar="PLACE", help="The registry: a folder, or hf://ORG."
)
LOCKFILE = click.option(
    "--lock",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default="datasets.lock",
    show_default=True,
    help="The lock file.",
)


@click.command("versions")
@click.argument("release", required=False)
@click.option("--search", default="", metavar="WORDS", help="Only what says all of them: names, languages, corpora.")
@REGISTRY
@JSON
def versions_verb(release: str | None, search: str, registry: str, as_json: bool) -> None:
    """The versions of a RELEASE (NAME or hf://ORG/NAME), or of all in the registry: rows, and why each came to be."""
    from builders.publishing.format import versions_json, versions_text
    from builders.publishing.registry import list_releases

    place = release if release and release.startswith("hf://") else f"{registry}/{release}" if release else registry
    found = list_releases(place, search)
    _warn_of_nothing(release, found)
    click.echo(versions_json(found) if as_json else versions_text(found))


def _warn_of_nothing(release: str | None, found: list[Any]) -> None:
    from corpora.errors import InputError

    if release and not found:
        raise InputError(f"There is no release {release}, or it says none of the words. `builders versions` lists all.")


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--examples", "num", type=click.IntRange(0), default=3, show_default=True, help="Rows to show a config.")
@click.option("--card", is_flag=True, help="Show the lines in which the cards differ, too.")
@REGISTRY
@JSON
def diff_verb(before: str, after: str, num: int, card: bool, registry: str, as_json: bool) -> None:
    """What differs from BEFORE to AFTER: rows by key, columns, sizes, words; and which bump that asks for."""
    from builders.publishing.difference import diff
    from builders.publishing.format import difference_json, difference_text
    from builders.publishing.registry import open_release

    first, second = (open_release(name, registry) for name in (before, after))
    found = diff(first, second, num, card)
    click.echo((difference_json if as_json else difference_text)(first, second, *found))


@click.command("verify")
@click.argument("releases", nargs=-1, required=True)
@REGISTRY
@JSON
def verify_verb(releases: tuple[str, ...], registry: str, as_json: bool) -> None:
    """Read every byte and row of RELEASES, here or on the Hub, and compare them with the manifest."""
    from builders.publishing.format import verified_json, verified_text
    from builders.publishing.registry import open_release
    from builders.publishing.verify import verify
    from corpora.errors import InputError

    whole = True
    for release in [open_release(name, registry) for name in releases]:
        _warn(release)
        found = verify(release)
        click.echo(verified_json(found) if as_json else verified_text(found))
        whole = whole and not found.faults
    if not whole:
        raise InputError("What is not as it was published must not be used: fetch it again, or restore it.")


@click.command("lock")
@click.argument("releases", nargs=-1, required=True)
@click.option("--pin-only", is_flag=True, help="Write the pins, and leave fetching the bytes to `builders fetch`.")
@LOCKFILE
@REGISTRY
def lock_verb(releases: tuple[str, ...], pin_only: bool, path: Path, registry: str) -> None:
    """Pin RELEASES by version, commit and sha256, and fetch exactly these bytes."""
    from builders.publishing.lock_file import lock, read_lock
    from builders.publishing.registry import open_release

    for name in releases:
        _warn(open_release(name, registry))
    for name in lock(releases, path, registry, fetch=not pin_only):
        entry = read_lock(path)[name]
        click.echo(f"{name} {entry['version']} is locked in {path}: {len(entry['files'])} files")
        click.echo(f"  commit  {entry['commit'] or '-'}\n  sha256  {entry['manifest_sha256']}")


@click.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--offline", is_flag=True, help="Ask no server: what is not here is an error.")
@LOCKFILE
@JSON
def fetch_verb(names: tuple[str, ...], offline: bool, path: Path, as_json: bool) -> None:
    """Bring what the lock file pins (all, or NAMES): exactly those bytes, or an error."""
    import json

    from builders.publishing.format import fetched_text
    from builders.publishing.lock_file import fetch, read_lock

    folders = fetch(path, names, offline)
    told = json.dumps({name: str(folder) for name, folder in folders.items()}, indent=2)
    click.echo(told if as_json else fetched_text(folders, read_lock(path)))


@click.command("yank")
@click.argument("release")
@click.option("--why", help="The reason, which everyone who uses it is told.")
@click.option("--undo", is_flag=True, help="Take it back.")
@REGISTRY
def yank_verb(release: str, why: str | None, undo: bool, registry: str) -> None:
    """Warn of a RELEASE (NAME@VERSION): it stays for those who name it whole, and is skipped otherwise."""
    from builders.publishing.registry import yank
    from corpora.errors import InputError

    if undo == (why is not None):
        raise InputError("Say why (--why TEXT), or take it back (--undo).")
    found = yank(release, why, registry)
    click.echo(f"{found.uri} is yanked: {found.yanked}" if found.yanked else f"{found.uri} is yanked no longer.")
    if found.yanked and found.commit:
        _hint("Those who load the Hub's main may still get it: `builders rollback` publishes an older one anew.")


@click.command("rollback")
@click.argument("release")
@click.option("--version", metavar="BUMP|VERSION", help="A larger step than the difference needs.")
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
@REGISTRY
@JSON
def rollback_verb(release: str, version: str | None, dry_run: bool, registry: str, as_json: bool) -> None:
    """Publish what an older RELEASE (NAME@VERSION) holds as the next version; no data is sent again, no tag moves."""
    from builders.format import published_json, published_text
    from builders.publishing.publish import roll_back
    from builders.publishing.registry import registry_and_version
    from builders.publishing.types import PublishOptions
    from builders.workspace.workspace import bench

    found, wanted = registry_and_version(release, registry)
    with bench() as work:
        made = roll_back(found, wanted, work, PublishOptions(version, dry_run, _hint))
    click.echo(published_json([made]) if as_json else published_text(made))


def _warn(release: Any) -> None:
    """Warn of a yanked release that somebody names all the same."""
    from builders.publishing.format import shown

    if release.yanked:
        _hint(f"Warning: {release.uri} is yanked: {shown(release.yanked)}")


def _hint(sentence: str) -> None:
    click.echo(sentence, err=True)


VERBS = (versions_verb, diff_verb, verify_verb, lock_verb, fetch_verb, yank_verb, rollback_verb)
