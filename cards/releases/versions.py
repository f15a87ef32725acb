"""Versions of a release: three numbers, their order, and which one a user means."""

import re
from collections.abc import Container, Iterable, Sequence

from cards.manifest_types import VERSION
from corpora.errors import InputError, unknown

Version = tuple[int, int, int]


def parse_version(name: str) -> Version:
    """Return the numbers of `v1.2.3` or `1.2.3`, whose order is that of versions.

    Raises:
        InputError: `name` is not a version.
    """
    match = re.fullmatch(VERSION, "v" + name.removeprefix("v"))
    if not match:
        raise InputError(f"'{name}' is not a version; one looks like v1.2.0.")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def format_version(version: Version) -> str:
    """Return a version as tags and folders spell it, such as v1.2.0."""
    return "v" + ".".join(map(str, version))


def sort_versions(names: Iterable[str]) -> list[str]:
    """Return those of the names that are versions, oldest first."""
    return sorted((name for name in names if re.fullmatch(VERSION, name)), key=parse_version)


def resolve_version(versions: Sequence[str], yanked: Container[str], requested: str, uri: str) -> str:
    """Return the version that is meant by a version, by the beginning of one (v1, v1.2), or by nothing (the newest).

    Args:
        versions: The versions that exist, oldest first.
        yanked: Those of them that are found by their whole name only.
        requested: What the user wrote after the @, or nothing.
        uri: Where the versions are, for errors.

    Raises:
        InputError: No such version exists, or all that fit are yanked.
    """
    version = "v" + requested.removeprefix("v") if requested else ""
    if version in versions:
        return version
    matching = [name for name in versions if not version or name.startswith(f"{version}.")]
    if offered := [name for name in matching if name not in yanked]:
        return offered[-1]
    if matching:
        raise InputError(
            f"Every version of {uri} that fits is yanked: {', '.join(matching)}. "
            f"To use one all the same, write it in full: {uri}@{matching[-1]}."
        )
    raise unknown(f"version of {uri.rstrip('/').rpartition('/')[2]}", version, versions)
