"""Compare two releases: rows by key, columns, sizes and metadata; and examples of the rows that differ."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from builders.publishing.difference import ConfigChange, Difference
from builders.publishing.format import difference_text
from builders.publishing.metadata_changes import metadata_changes
from builders.publishing.versions import required_bump
from builders.workspace import Workspace, sql, temporary_workspace
from cards.front_matter import read_card
from cards.manifest import data_files, get_content
from cards.manifest_types import Config, Manifest
from cards.releases import Release, check_files
from corpora.notebook import TextInNotebook
from corpora.strict_json import load_json

CARD = "README.md"
Row = Mapping[str, Any]
Examples = dict[str, list[Row]]
Names = tuple[str, ...]


def compare(before: Release, after: Release, work: Workspace) -> Difference:
    """Return how `after` differs from `before`; rows are read only of configs whose digests differ."""
    old, new = before.manifest, after.manifest
    configs = sorted(old["configs"].keys() | new["configs"].keys())
    return Difference(
        tuple(_compare_config(config, before, after, work) for config in configs),
        *_compare_columns(_columns(old), _columns(new)),
        metadata_changed=metadata_changes(old, new),
    )


def find_examples(before: Release, after: Release, config: str, work: Workspace, limit: int) -> list[Row]:
    """Return rows of a config that differ: `before` and `after`, None where a release lacks the row."""
    if not _has_other_rows(config, before, after):
        return []
    tables = {name: _checked_files(release, config) for name, release in (("before", before), ("after", after))}
    with work.connect(tables) as connection:
        rows = connection.execute(sql("changes"), {"limit": limit}).fetchall()
    return [
        {name: load_json(text) if text else None for name, text in zip(tables, row[4:], strict=True)} for row in rows
    ]


@dataclass(frozen=True, repr=False)
class ReleaseDiff(TextInNotebook):
    """Two releases, how they differ, rows that differ by config, and the lines in which their cards differ."""

    before: Release
    after: Release
    difference: Difference
    examples: Examples
    card_lines: str = ""

    @property
    def is_same(self) -> bool:
        """Whether both are the same release, byte by byte."""
        return self.before.identity == self.after.identity

    def to_json(self) -> dict[str, Any]:
        """Return the difference, the bump that follows and the examples as JSON values."""
        bump, reason = required_bump(self.difference)
        releases = {"before": self.before.uri, "after": self.after.uri, "same": self.is_same}
        rows = {"examples": self.examples, "card_lines": self.card_lines}
        return releases | {"bump": bump, "reason": reason} | asdict(self.difference) | rows

    def __repr__(self) -> str:
        title = f"{self.before.uri} -> {self.after.uri}"
        return difference_text(title, self.difference, self.is_same, self.examples, self.card_lines)


def compare_releases(before: Release, after: Release, num_examples: int = 3, card: bool = False) -> ReleaseDiff:
    """Return the differences between two releases.

    Args:
        before: The earlier release.
        after: The later one.
        num_examples: How many differing rows of each config to return.
        card: Whether to return the lines in which the cards differ.
    """
    with temporary_workspace() as work:
        difference = compare(before, after, work)
        configs = [change.config for change in difference.configs] if num_examples else []
        examples = {config: find_examples(before, after, config, work, num_examples) for config in configs}
    return ReleaseDiff(before, after, difference, examples, _card_lines(before, after) if card else "")


def _card_lines(before: Release, after: Release) -> str:
    old, new = (read_card(r.fetch_files([CARD])).split("\n") for r in (before, after))
    return "\n".join(unified_diff(old, new, before.uri, after.uri, lineterm="", n=0))


def has_same_content(before: Manifest, after: Manifest) -> bool:
    """Return whether two manifests differ only in version, parent, and what is drawn from the rest."""
    return get_content(before) == get_content(after)


def _compare_config(config: str, before: Release, after: Release, work: Workspace) -> ConfigChange:
    old, new = (release.manifest["configs"].get(config) for release in (before, after))
    num_rows, num_bytes = (_num_rows(old), _num_rows(new)), (_num_bytes(old), _num_bytes(new))
    if old is None or new is None:
        return ConfigChange(config, num_rows, num_bytes, added=num_rows[1] or 0, removed=num_rows[0] or 0)
    if _has_other_rows(config, before, after):
        tables = {name: _checked_files(release, config) for name, release in (("before", before), ("after", after))}
        with work.connect(tables) as connection:
            return ConfigChange(config, num_rows, num_bytes, *connection.sql(sql("difference")).fetchall()[0])
    return ConfigChange(config, num_rows, num_bytes)


def _has_other_rows(config: str, before: Release, after: Release) -> bool:
    """Return whether both releases have the config, with different rows."""
    entries = [release.manifest["configs"].get(config) for release in (before, after)]
    digests = [{k: v["content_sha256"] for k, v in entry["splits"].items()} for entry in entries if entry]
    return len(digests) == 2 and digests[0] != digests[1]


def _num_rows(config: Config | None) -> int | None:
    return None if config is None else sum(split["num_rows"] for split in config["splits"].values())


def _num_bytes(config: Config | None) -> int | None:
    return None if config is None else sum(file["size"] for file in data_files({"": config}))


def _checked_files(release: Release, config: str) -> Sequence[Path]:
    """Return the data files of a config; InputError unless each is as published."""
    entries = release.files_of(config)
    return check_files(release.fetch_files([entry["path"] for entry in entries]), entries)


def _compare_columns(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Names, Names, Names]:
    """Return the columns that were added, removed, and changed in type or order."""
    shared, order = [name for name in old if name in new], [name for name in new if name in old]
    changed = [name for name in shared if old[name] != new[name]]
    moved = [name for name, other in zip(shared, order, strict=True) if name != other]
    added, removed = [name for name in new if name not in old], [name for name in old if name not in new]
    return tuple(added), tuple(removed), tuple(changed or moved)


def _columns(manifest: Manifest) -> dict[str, str]:
    """Return the columns of a release, in order, with their types."""
    return {feature["name"]: json.dumps(feature, sort_keys=True) for feature in manifest["features"]}
