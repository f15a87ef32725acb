"""Versions: three numbers that say what a difference means, and the smallest step that a difference asks for."""

from collections.abc import Iterable
from dataclasses import dataclass

from cards.manifest import VERSION
from corpora.errors import InputError

Version = tuple[int, int, int]
BUMPS = ("patch", "minor", "major")


@dataclass(frozen=True)
class Change:
    """What became of one config: rows by key, rows and bytes in both releases (None where a release lacks it)."""

    config: str
    rows: tuple[int | None, int | None]
    num_bytes: tuple[int | None, int | None]
    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Difference:
    """What differs between two releases: configs and their rows, columns, and the parts of the manifest."""

    configs: tuple[Change, ...]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_changed: tuple[str, ...] = ()
    said: tuple[str, ...] = ()  # what else the manifests say differently: sources, recipe, the card ...

    @property
    def columns(self) -> bool:
        """Whether the releases have different columns, or the same in another order."""
        return bool(self.columns_added or self.columns_removed or self.columns_changed)

    def new(self) -> list[str]:
        """The configs that only the later release has."""
        return [change.config for change in self.configs if change.rows[0] is None]

    def gone(self) -> list[str]:
        """The configs that only the earlier release has."""
        return [change.config for change in self.configs if change.rows[1] is None]


def parse_version(name: str) -> Version:
    """`v1.2.3` as numbers, which is the order of versions; InputError for anything else."""
    match = VERSION.fullmatch("v" + name.removeprefix("v"))
    if not match:
        raise InputError(f"'{name}' is no version; one looks like v1.2.0.")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def in_order(names: Iterable[str]) -> list[str]:
    """Those of the names that are versions, oldest first."""
    return sorted((name for name in names if VERSION.fullmatch(name)), key=parse_version)


def required_bump(difference: Difference) -> tuple[str, str]:
    """The smallest bump that a difference allows, and the difference in words.

    Rows changed, moved or removed, or another schema: major; rows added: minor; other bytes or words: patch.
    """
    if gone := difference.gone():
        return "major", f"configs removed: {', '.join(gone)}"
    if difference.columns:
        return "major", "the columns changed"
    added, removed, changed = (
        sum(getattr(c, kind) for c in difference.configs if None not in c.rows) for kind in ROW_KINDS
    )
    why = f"{added:,} rows added, {removed:,} removed, {changed:,} changed"
    if removed or changed:
        return "major", why
    if new := difference.new():
        return "minor", f"{why}; configs added: {', '.join(new)}"
    return ("minor", why) if added else ("patch", "the same rows, in other bytes or with other words about them")


ROW_KINDS = ("added", "removed", "changed")


def bump_version(version: str, bump: str) -> str:
    """The version that follows by a `major`, `minor` or `patch` bump."""
    major, minor, patch = parse_version(version)
    following = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}[bump]
    return "v" + ".".join(map(str, following))


def validate_version(asked: str) -> None:
    """InputError unless a user asked for a bump or a version."""
    if asked not in BUMPS:
        try:
            parse_version(asked)
        except InputError as error:
            raise InputError(f"{error} Or ask for {', '.join(BUMPS)}.") from None


def next_version(latest: str | None, difference: Difference | None, asked: str | None) -> tuple[str, str]:
    """The version of a release that differs so from the latest, and why.

    `asked` may be a bump or a version, and larger than what is needed; InputError if it is smaller.
    """
    if latest is None or difference is None:
        return ("v1.0.0" if asked in (None, *BUMPS) else _spelled(str(asked))), "the first release"
    bump, why = required_bump(difference)
    least = bump_version(latest, bump)
    wanted = least if asked is None else bump_version(latest, asked) if asked in BUMPS else _spelled(asked)
    if parse_version(wanted) < parse_version(least):
        raise InputError(f"{wanted} is too small a step from {latest}: {why}. Ask for {least} or a later version.")
    return wanted, why


def _spelled(version: str) -> str:
    """A version as tags and folders spell it."""
    return "v" + ".".join(map(str, parse_version(version)))
