"""The verbs about published releases: each parses, calls one function of the Python API, and prints."""

from pathlib import Path
from typing import Any

import click

from corpora.cli import option, verb
from corpora.options import JSON, datasets_lock_option, registry_option
from corpora.printing import print_text

REGISTRY, DATASETS_LOCK = registry_option("Release"), datasets_lock_option("Release")
PREVIEW = option("--preview", is_flag=True, group="Release", help="Say what would be published, and publish nothing.")

REMOVE_UNEXPECTED = option(
    "--remove-unexpected",
    is_flag=True,
    group="Release",
    help="Delete files from the repository on the Hub that no manifest lists; they are refused otherwise.",
)


@verb("versions")
@click.argument("release", required=False)
@option("--search", default="", metavar="WORDS", help="Only releases with all words in names, languages or corpora.")
@REGISTRY
@JSON
def versions_verb(release: str | None, as_json: bool, **settings: Any) -> None:
    """List the versions of releases: rows, bytes, and what changed from each to the next.

    RELEASE is NAME or hf://ORG/NAME; all releases in the registry by default.
    """
    from builders.publishing import versions_json, versions_text
    from builders.releases import versions

    releases = versions(release, **settings)
    print_text(versions_json(releases) if as_json else versions_text(releases))


@verb("diff")
@click.argument("before")
@click.argument("after")
@option(
    "--examples", type=click.IntRange(0), default=3, show_default=True, metavar="N", help="Rows to show per config."
)
@option("--card", is_flag=True, help="Show the lines in which the cards differ.")
@REGISTRY
@JSON
def diff_verb(before: str, after: str, as_json: bool, **settings: Any) -> None:
    """Compare two releases: rows, columns, sizes, recipe, thresholds, and the bump that follows.

    BEFORE and AFTER are NAME[@VERSION], hf://ORG/NAME[@VERSION] or folders.
    """
    import json

    from builders.releases import diff

    difference = diff(before, after, **settings)
    print_text(json.dumps(difference.to_json(), indent=2) if as_json else repr(difference))


@verb("verify")
@click.argument("releases", nargs=-1, required=True, metavar="RELEASE...")
@REGISTRY
@JSON
def verify_verb(releases: tuple[str, ...], as_json: bool, **settings: Any) -> None:
    """Read every byte and row of releases and compare them with the manifest.

    RELEASE is NAME[@VERSION], hf://ORG/NAME[@VERSION] or a folder.
    """
    from builders.publishing import verified_json, verified_text
    from builders.releases import verify
    from corpora.errors import InputError

    damaged = []
    for release in releases:
        verification = verify(release, **settings)
        print_text(verified_json(verification) if as_json else verified_text(verification))
        damaged += [] if verification.is_intact else [verification.uri]
    if damaged:
        raise InputError(f"Do not use {', '.join(damaged)}: fetch it again, or restore it.")


@verb("lock")
@click.argument("releases", nargs=-1, required=True, metavar="RELEASE...")
@option("--pin-only", is_flag=True, group="Release", help="Write the lock file without fetching the files.")
@DATASETS_LOCK
@REGISTRY
def lock_verb(releases: tuple[str, ...], datasets_lock: Path, **settings: Any) -> None:
    """Pin releases by version, commit and SHA-256, and fetch exactly these bytes.

    RELEASE is NAME[@VERSION], hf://ORG/NAME[@VERSION] or a folder.
    """
    from builders.publishing import locked_text
    from builders.releases import lock

    print_text(locked_text(lock(releases, datasets_lock=datasets_lock, **settings), datasets_lock))


@verb("fetch")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@option(
    "--offline", is_flag=True, group="Release", help="Use only the files on this machine; a missing one is an error."
)
@DATASETS_LOCK
@JSON
def fetch_verb(names: tuple[str, ...], datasets_lock: Path, as_json: bool, **settings: Any) -> None:
    """Fetch exactly the bytes that the lock file pins.

    NAME is a release as the lock file names it; all by default.
    """
    import json

    from builders.publishing import fetched_text
    from builders.releases import fetch
    from cards.releases import read_lock

    folders = fetch(names, datasets_lock=datasets_lock, **settings)
    paths = {name: str(folder) for name, folder in folders.items()}
    print_text(json.dumps(paths, indent=2) if as_json else fetched_text(folders, read_lock(datasets_lock)))


@verb("yank")
@click.argument("release")
@option("--why", metavar="TEXT", group="Release", help="The reason, which everyone who uses the version reads.")
@option("--undo", is_flag=True, group="Release", help="Remove the mark.")
@REGISTRY
def yank_verb(release: str, **settings: Any) -> None:
    """Mark a version as one not to use; it stays in place for those who name it in full.

    RELEASE is NAME@VERSION or hf://ORG/NAME@VERSION.
    """
    from builders.publishing import yanked_text
    from builders.releases import yank

    print_text(yanked_text(yank(release, **settings)))


@verb("rollback")
@click.argument("release")
@option(
    "--bump",
    type=click.Choice(("major", "minor", "patch")),
    group="Release",
    help="Take a larger step than the difference requires.",
)
@option("--as-version", metavar="VERSION", group="Release", help="Publish as this version, such as v3.0.0.")
@PREVIEW
@REMOVE_UNEXPECTED
@REGISTRY
@JSON
def rollback_verb(release: str, as_json: bool, **settings: Any) -> None:
    """Publish what an older version holds as the next version; no data is sent again.

    RELEASE is NAME@VERSION or hf://ORG/NAME@VERSION.
    """
    from builders.format import published_json, published_text
    from builders.releases import rollback

    published = rollback(release, **settings)
    print_text(published_json([published]) if as_json else published_text(published))


VERBS = (versions_verb, diff_verb, verify_verb, lock_verb, fetch_verb, yank_verb, rollback_verb)
