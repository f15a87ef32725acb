"""A registry: a folder of releases, NAME/vX.Y.Z, whose versions follow from what changed and never change again."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builders.release import check_rows, finish, load_back
from builders.work import Work, sql
from cards.card import render_card
from cards.manifest import FILE, Manifest, content, identity, read_manifest, to_text
from corpora.errors import InputError, unknown
from corpora.files import locked, remove_leftovers, scratch, settle, sha256_of

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Published:
    """What publishing did: the release, whether it is new, and why it has its version."""

    folder: Path
    manifest: Manifest
    new: bool
    why: str


def parse_version(name: str) -> Version:
    """`v1.2.3` as numbers, which is the order of versions; InputError for anything else."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", name)
    if not match:
        raise InputError(f"'{name}' is no version; one looks like v1.2.0.")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def versions(registry: Path, name: str) -> list[str]:
    """The versions of a release, oldest first."""
    named = [path for path in (registry / name).glob("v*") if re.fullmatch(r"v\d+\.\d+\.\d+", path.name)]
    found = [path.name for path in named if (path / FILE).exists()]
    return sorted(found, key=parse_version)


def names(registry: Path) -> list[str]:
    """The names of the releases in a registry."""
    return sorted(path.name for path in registry.glob("*") if path.is_dir() and versions(registry, path.name))


def find(release: str, registry: Path) -> Path:
    """The folder of a release given as NAME, NAME@VERSION or a folder; InputError with what there is."""
    if (Path(release) / FILE).exists():
        return Path(release)
    name, _, wanted = release.partition("@")
    if name not in names(registry):
        if not names(registry):
            raise InputError(f"The registry {registry} holds no release yet. Publish one, or name its folder.")
        raise unknown("release", name, names(registry))
    there = versions(registry, name)
    version = "v" + wanted.removeprefix("v") if wanted else there[-1]
    if version not in there:
        raise unknown(f"version of {name}", version, there)
    return registry / name / version


def publish(registry: Path, described: Manifest, write: Callable[[Path], Manifest], work: Work) -> Published:
    """Publish what `write` puts into a folder (it returns the configs) as the next version of its name.

    Nothing is visible before it is whole: the folder is written under a temporary name, loaded back, and renamed.
    If nothing changed since the latest version there is no new one.
    """
    home = registry / described["name"]
    if set(str(home.resolve())) & set("[]*?"):
        raise InputError(f"datasets cannot load from {home}: it takes [, ], * and ? for patterns. Name another folder.")
    with locked(home, "registry folder"):
        remove_leftovers(home)
        with scratch(home) as folder:
            manifest = described | {"configs": write(folder)}
            check_rows(manifest)
            latest = home / versions(registry, home.name)[-1] if versions(registry, home.name) else None
            before = read_manifest(latest) if latest else None
            if latest and before and _same(latest, before, manifest):
                return Published(latest, before, False, "nothing changed")
            version, why = next_version(latest, before, folder, manifest, work)
            manifest |= {"version": version, "parent": _parent(before)}
            finish(folder, manifest)
            load_back(folder, manifest, work.scratch)
            settle(folder, home / version)
    return Published(home / version, manifest, True, why)


def _same(latest: Path, before: Manifest, manifest: Manifest) -> bool:
    """Whether a release of this content would be the latest one again, card included."""
    if content(before) != json.loads(to_text(content(manifest))) or not _is_there(latest, before):
        return False
    again = render_card(manifest | {"version": before["version"], "parent": before["parent"]})
    return again == (latest / "README.md").read_text(encoding="utf-8")


def _is_there(release: Path, manifest: Manifest) -> bool:
    """Whether every data file of a release stands as published; InputError otherwise: a version never changes."""
    for config in manifest["configs"].values():
        for split in config["splits"].values():
            for file in split["files"]:
                path = release / file["path"]
                if not path.is_file() or path.stat().st_size != file["size"] or sha256_of(path) != file["sha256"]:
                    raise InputError(f"{path} is missing or has been changed; restore it, or move {release} away.")
    return True


def _parent(before: Manifest | None) -> dict[str, str] | None:
    return {"version": before["version"], "manifest_sha256": identity(before)} if before else None


def next_version(
    latest: Path | None, before: Manifest | None, folder: Path, manifest: Manifest, work: Work
) -> tuple[str, str]:
    """The version that the difference to the latest release asks for, and the difference in words.

    Rows changed, moved or removed, or another schema: major; rows added: minor; other bytes or words: patch.
    """
    if latest is None or before is None:
        return "v1.0.0", "the first release"
    major, minor, patch = parse_version(before["version"])
    gone = sorted(before["configs"].keys() - manifest["configs"].keys())
    new = sorted(manifest["configs"].keys() - before["configs"].keys())
    if gone or before["features"] != manifest["features"]:
        why = f"configs removed: {', '.join(gone)}" if gone else "the columns changed"
        return f"v{major + 1}.0.0", why
    added, removed, changed = _changed_rows(latest, before, folder, manifest, work)
    counts = f"{added:,} rows added, {removed:,} removed, {changed:,} changed"
    if removed or changed:
        return f"v{major + 1}.0.0", counts
    if added or new:
        return f"v{major}.{minor + 1}.0", counts + (f"; configs added: {', '.join(new)}" if new else "")
    return f"v{major}.{minor}.{patch + 1}", "the same rows, in other bytes or with other words about them"


def _changed_rows(latest: Path, before: Manifest, folder: Path, manifest: Manifest, work: Work) -> tuple[int, int, int]:
    """Rows added, removed and changed over the configs that both have, by key."""
    sums = (0, 0, 0)
    for config in before["configs"].keys() & manifest["configs"].keys():
        old, new = before["configs"][config]["splits"], manifest["configs"][config]["splits"]
        if {k: v["rows_sha256"] for k, v in old.items()} == {k: v["rows_sha256"] for k, v in new.items()}:
            continue
        with work.connect({"before": _files(latest, old), "after": _files(folder, new)}) as connection:
            added, removed, changed = connection.sql(sql("difference")).fetchall()[0]
        sums = (sums[0] + added, sums[1] + removed, sums[2] + changed)
    return sums


def _files(release: Path, splits: Manifest) -> list[Path]:
    """The Parquet files of some splits of a release."""
    return [release / file["path"] for split in splits.values() for file in split["files"]]
