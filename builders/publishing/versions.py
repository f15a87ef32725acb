"""Versions: which step of major, minor and patch a difference requires, and the version that follows."""

from builders.publishing.difference import Difference
from cards.releases import format_version, parse_version
from corpora.errors import InputError

BUMPS = ("patch", "minor", "major")
FIRST_VERSION = "v1.0.0"


def required_bump(difference: Difference) -> tuple[str, str]:
    """Return the smallest bump that a difference allows, and the difference in words.

    Rows changed, moved or removed, a config removed, or other columns: major. Rows or configs added: minor. Other bytes
    or other metadata: patch.
    """
    if removed_configs := difference.removed_configs():
        return "major", f"configs removed: {', '.join(removed_configs)}"
    if difference.has_other_columns:
        return "major", "the columns changed"
    both = [change for change in difference.configs if None not in change.num_rows]
    added, removed, changed = (
        sum(getattr(change, kind) for change in both) for kind in ("added", "removed", "changed")
    )
    reason = f"{added:,} rows added, {removed:,} removed, {changed:,} changed"
    if removed or changed:
        return "major", reason
    if new := difference.added_configs():
        return "minor", f"{reason}; configs added: {', '.join(new)}"
    return ("minor", reason) if added else ("patch", "the same rows, with other bytes or metadata")


def bump_version(version: str, bump: str) -> str:
    """Return the version that follows by a `major`, `minor` or `patch` bump."""
    major, minor, patch = parse_version(version)
    following = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}
    return format_version(following[bump])


def validate_version(bump: str | None, as_version: str | None) -> None:
    """Raise InputError unless at most one is given, and each is what it should be."""
    if bump and as_version:
        raise InputError(f"--bump {bump} and --as-version {as_version} exclude each other. Give one of them.")
    if bump and bump not in BUMPS:
        raise InputError(f"--bump takes {', '.join(BUMPS)}, not '{bump}'.")
    if as_version:
        parse_version(as_version)


def next_version(
    latest: str | None, difference: Difference | None, bump: str | None = None, as_version: str | None = None
) -> tuple[str, str]:
    """Return the version that follows the latest one, and the reason.

    Args:
        latest: The latest version; None if there is none.
        difference: How the new content differs from it.
        bump: The bump that a user asks for.
        as_version: The version that a user asks for.

    Raises:
        InputError: What the user asks for is a smaller step than the difference requires.
    """
    requested = format_version(parse_version(as_version)) if as_version else None
    if latest is None or difference is None:
        return requested or FIRST_VERSION, "the first release"
    required, reason = required_bump(difference)
    least = bump_version(latest, required)
    version = requested or bump_version(latest, bump or required)
    if parse_version(version) < parse_version(least):
        raise InputError(f"{version} is too small a step from {latest}: {reason}. Ask for {least} or a later version.")
    return version, reason
