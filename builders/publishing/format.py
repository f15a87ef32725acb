"""Text and JSON of releases: versions, differences, verification, and what was locked and fetched."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from builders.publishing.difference import Difference
from builders.publishing.metadata_changes import metadata_changes
from builders.publishing.versions import required_bump
from cards.manifest import count_rows, data_files
from cards.releases import LockEntry, Release
from corpora.terminal_tables import format_table

KEY = ("id", "lang", "task", "direction")
MISSING = object()  # the value of a column that a release does not have
MAX_CHARS = 300  # of a text from outside


def versions_text(releases: Sequence[Release]) -> str:
    """Return a row a version: what it holds and why it exists; then what its metadata changed, and what is yanked."""
    if not releases:
        return "No release."
    head = ["release", "version", "rows", "bytes", "configs", "identity", "change"]
    rows = [
        (
            r.name,
            r.version + (" yanked" if r.yanked else ""),
            f"{count_rows(r.manifest):,}",
            f"{_num_bytes(r):,}",
            ", ".join(r.manifest["configs"]),
            r.identity[:12],
            one_line(r.manifest["difference"]),
        )
        for r in releases
    ]
    table = format_table(head, rows, drop=["identity", "bytes", "configs"], wrap=["configs", "change"])
    changes = [
        f"{after.name} {after.version}  {one_line(change)}"
        for before, after in pairwise(releases)
        if before.name == after.name
        for change in metadata_changes(before.manifest, after.manifest)
    ]
    yanked = [f"{r.uri} is yanked: {one_line(r.yanked)}" for r in releases if r.yanked]
    return "\n".join([table, *(["", *changes] if changes else []), *yanked])


def versions_json(releases: Sequence[Release]) -> str:
    """Return the same for a machine."""
    before: dict[str, Release] = {}
    entries = []
    for r in releases:
        changes = metadata_changes(before[r.name].manifest, r.manifest) if r.name in before else ()
        entries.append(
            {"name": r.name, "version": r.version, "uri": r.uri, "commit": r.commit}
            | {"manifest_sha256": r.identity, "num_rows": count_rows(r.manifest), "num_bytes": _num_bytes(r)}
            | {"configs": list(r.manifest["configs"]), "difference": r.manifest["difference"], "yanked": r.yanked}
            | {"metadata_changed": [asdict(change) for change in changes]}
        )
        before[r.name] = r
    return _json(entries)


def _num_bytes(release: Release) -> int:
    return sum(file["size"] for file in data_files(release.manifest["configs"]))


def difference_text(
    title: str,
    difference: Difference,
    is_same: bool,
    examples: Mapping[str, Sequence[Mapping[str, Any]]],
    card_lines: str,
) -> str:
    """Return rows by config, columns, metadata, the bump that follows, examples, and the lines of the card."""
    bump, reason = required_bump(difference)
    rows = [
        (c.config, *(_number(n) for n in (*c.num_rows, c.added, c.removed, c.changed, *c.num_bytes)))
        for c in difference.configs
    ]
    head = ["config", "rows before", "after", "added", "removed", "changed", "bytes before", "bytes after"]
    parts = [title, format_table(head, rows, drop=["bytes before", "bytes after"])]
    parts += [f"{title}: {', '.join(names)}" for title, names in _columns(difference).items() if names]
    if difference.metadata_changed:
        parts.append("\n".join(["metadata changed:", *(f"  {one_line(c)}" for c in difference.metadata_changed)]))
    parts.append("They are the same." if is_same else f"A {bump} version: {reason}.")
    parts += [_example(config, row) for config, rows in examples.items() for row in rows]
    return "\n\n".join([*parts, *([card_lines] if card_lines else [])])


def _columns(difference: Difference) -> dict[str, Sequence[str]]:
    return {
        "columns added": difference.columns_added,
        "columns removed": difference.columns_removed,
        "columns changed": difference.columns_changed,
    }


def _example(config: str, row: Mapping[str, Any]) -> str:
    """Return a row that differs: the values of both releases, and if both have it, only those that differ."""
    before, after = row["before"], row["after"]
    known = before or after
    kind = "changed" if before and after else "added" if after else "removed"
    lines = [f"{config} {kind}: {known['id']} {known['lang']} {known['task']} {known['direction']}".rstrip()]
    for sign, side in (("-", before), ("+", after)):
        for key, value in (side or {}).items():
            if key not in KEY and not (before and after and before.get(key, MISSING) == after.get(key, MISSING)):
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                lines.append(f"  {sign} {key}: {one_line(text)}")
    return "\n".join(lines)


def locked_text(entries: Mapping[str, LockEntry], path: Path) -> str:
    """Return what was pinned in a lock file."""
    return "\n".join(
        f"{entry.name} {entry.version} is locked in {path}: {len(entry.files)} files\n"
        f"  commit  {entry.commit or '-'}\n  sha256  {entry.manifest_sha256}"
        for entry in entries.values()
    )


def yanked_text(release: Release) -> str:
    """Return whether a version is yanked, and for the Hub what else helps."""
    if not release.yanked:
        return f"{release.uri} is no longer yanked."
    text = f"{release.uri} is yanked: {one_line(release.yanked)}"
    hint = "Those who load `main` from the Hub still get it: `builders rollback` publishes an older version anew."
    return f"{text}\n{hint}" if release.commit else text


def fetched_text(folders: Mapping[str, Path], entries: Mapping[str, LockEntry]) -> str:
    """Return where the locked bytes are, and how to load them."""
    return "\n".join(
        f"{name} {entries[name].version}: {len(entries[name].files)} files as locked\n"
        f"  folder  {folder}\n  load    datasets.load_dataset({json.dumps(str(folder), ensure_ascii=False)}, CONFIG)"
        for name, folder in folders.items()
    )


def one_line(text: object) -> str:
    """Return a text from outside on one line that a terminal can show, cut after 300 characters."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text)[: MAX_CHARS + 1])
    return safe if len(safe) <= MAX_CHARS else safe[:MAX_CHARS] + "…"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _json(value: object) -> str:
    return json.dumps(value, indent=2)
