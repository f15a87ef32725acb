"""What the command prints of versions: which there are, what differs, what was verified and fetched."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tabulate import tabulate

from builders.publishing.types import Release
from builders.publishing.verify import Verified
from builders.publishing.versions import Difference, required_bump
from cards.manifest import data_files, num_rows

Examples = Mapping[str, Sequence[Mapping[str, Any]]]


def versions_text(releases: Sequence[Release]) -> str:
    """A row a version: what it holds, and why it is that version; and a line for each that is yanked."""
    if not releases:
        return "No release."
    head = ["release", "version", "rows", "bytes", "configs", "identity", "since the one before"]
    rows = [
        (
            r.manifest["name"],
            r.version + (" yanked" if r.yanked else ""),
            f"{num_rows(r.manifest):,}",
            f"{_num_bytes(r):,}",
            ", ".join(r.manifest["configs"]),
            r.identity[:12],
            shown(r.manifest["difference"]),
        )
        for r in releases
    ]
    table = tabulate(rows, head, disable_numparse=True, colalign=("left", "left", "right", "right"))
    return "\n".join([table, *(f"{r.uri} is yanked: {shown(r.yanked)}" for r in releases if r.yanked)])


def versions_json(releases: Sequence[Release]) -> str:
    """The same for a machine."""
    return _json(
        [
            {"name": r.manifest["name"], "version": r.version, "uri": r.uri, "commit": r.commit}
            | {"manifest_sha256": r.identity, "rows": num_rows(r.manifest), "bytes": _num_bytes(r)}
            | {"configs": list(r.manifest["configs"]), "difference": r.manifest["difference"], "yanked": r.yanked}
            for r in releases
        ]
    )


def _num_bytes(release: Release) -> int:
    return sum(file["size"] for file in data_files(release.manifest["configs"]))


def difference_text(before: Release, after: Release, difference: Difference, examples: Examples, card: str) -> str:
    """Rows by config, columns, what else is said differently, the bump that follows, examples, and the card's lines."""
    bump, why = required_bump(difference)
    rows = [
        (c.config, *(_number(n) for n in (*c.rows, c.added, c.removed, c.changed, *c.num_bytes)))
        for c in difference.configs
    ]
    head = ["config", "rows before", "after", "added", "removed", "changed", "bytes before", "after"]
    parts = [f"{before.uri} -> {after.uri}", tabulate(rows, head, disable_numparse=True, stralign="right")]
    for title, names in _said(difference).items():
        parts.append(f"{title}: {', '.join(names)}")
    same = before.identity == after.identity
    parts.append("They are the same." if same else f"A {bump} version: {why}.")
    parts += [_example(config, row) for config, found in examples.items() for row in found]
    return "\n\n".join([*parts, *([card] if card else [])])


def _said(difference: Difference) -> dict[str, Sequence[str]]:
    told = {
        "columns added": difference.columns_added,
        "columns removed": difference.columns_removed,
        "columns changed": difference.columns_changed,
        "said differently": difference.said,
    }
    return {title: names for title, names in told.items() if names}


def _example(config: str, row: Mapping[str, Any]) -> str:
    """A row that two releases do not agree on: what each says, and only where they differ if both have it."""
    before, after = row["before"], row["after"]
    known = before or after
    kind = "changed" if before and after else "added" if after else "removed"
    lines = [f"{config} {kind}: {known['id']} {known['lang']} {known['task']} {known['direction']}".rstrip()]
    for sign, side in (("-", before), ("+", after)):
        for key, value in (side or {}).items():
            if key not in KEY and not (before and after and before.get(key, MISSING) == after.get(key, MISSING)):
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                lines.append(f"  {sign} {key}: {shown(text)}")
    return "\n".join(lines)


KEY = ("id", "lang", "task", "direction")
MISSING = object()  # what a release of other columns says in one


def difference_json(before: Release, after: Release, difference: Difference, examples: Examples, card: str) -> str:
    """The same for a machine."""
    bump, why = required_bump(difference)
    places = {"before": before.uri, "after": after.uri, "same": before.identity == after.identity}
    return _json(places | {"bump": bump, "why": why, **asdict(difference), "examples": examples, "card": card})


def verified_text(found: Verified) -> str:
    """What was looked at, and every fault."""
    if found.faults:
        return "\n".join([f"{found.uri} is not as it was published:", *(f"  {shown(fault)}" for fault in found.faults)])
    return (
        f"{found.uri} is as it was published: {found.files} files, {found.num_bytes:,} bytes, {found.rows:,} rows\n"
        f"  identity {found.identity}"
    )


def verified_json(found: Verified) -> str:
    """The same for a machine."""
    return _json(asdict(found) | {"whole": not found.faults})


def fetched_text(folders: Mapping[str, Path], pinned: Mapping[str, Mapping[str, Any]]) -> str:
    """Where the exact bytes lie, and how to load them."""
    return "\n".join(
        f"{name} {pinned[name]['version']}: {len(pinned[name]['files'])} files as locked\n"
        f"  folder  {folder}\n  load    datasets.load_dataset({json.dumps(str(folder), ensure_ascii=False)}, CONFIG)"
        for name, folder in folders.items()
    )


def shown(text: object) -> str:
    """A text from outside on one line that a terminal can show, at most 300 characters."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text)[:301])
    return safe if len(safe) <= 300 else safe[:300] + "…"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _json(value: object) -> str:
    return json.dumps(value, indent=2)
