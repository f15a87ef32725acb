"""What differs between two releases: rows by key, columns, sizes, words; and examples of the rows."""

import json
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

from builders.publishing.types import Release, paths_of
from builders.publishing.versions import Change, Difference
from builders.workspace.queries import sql
from builders.workspace.workspace import Work, bench
from cards.manifest import Manifest, content, data_files
from corpora.errors import InputError
from corpora.files import sha256_of

CARD = "README.md"
Examples = dict[str, list[dict[str, Any]]]
WORDS = ("title", "summary", "langs", "sources", "recipe", "filters", "prompts", "models", "translator", "ledger")


def compare(before: Release, after: Release, work: Work) -> Difference:
    """How `after` differs from `before`; of configs whose digests are the same no row is read."""
    old, new = before.manifest, after.manifest
    columns = {name: _columns(manifest) for name, manifest in (("old", old), ("new", new))}
    shared = [name for name in columns["old"] if name in columns["new"]]
    order = [name for name in columns["new"] if name in columns["old"]]
    changed = [name for name in shared if columns["old"][name] != columns["new"][name]]
    return Difference(
        tuple(_change(config, before, after, work) for config in sorted(old["configs"].keys() | new["configs"].keys())),
        tuple(name for name in columns["new"] if name not in columns["old"]),
        tuple(name for name in columns["old"] if name not in columns["new"]),
        tuple(changed) or tuple(name for name, other in zip(shared, order, strict=True) if name != other),
        tuple(word for word in WORDS if _plain(old.get(word)) != _plain(new.get(word))),
    )


def examples(before: Release, after: Release, config: str, work: Work, limit: int) -> list[dict[str, Any]]:
    """Rows of a config that two releases do not agree on: what each says, None where it lacks the row."""
    if not _comparable(config, before, after):
        return []
    tables = {name: _files(release, config) for name, release in (("before", before), ("after", after))}
    with work.connect(tables) as connection:
        found = connection.execute(sql("changes"), {"limit": limit}).fetchall()
    return [
        {name: json.loads(text) if text else None for name, text in zip(tables, row[4:], strict=True)} for row in found
    ]


def diff(before: Release, after: Release, num: int = 3, card: bool = False) -> tuple[Difference, Examples, str]:
    """What differs between two releases, up to `num` rows of each config, and with `card` the lines of the cards."""
    with bench() as work:
        difference = compare(before, after, work)
        found = {c.config: examples(before, after, c.config, work, num) for c in difference.configs if num}
    return difference, found, _card_lines(before, after) if card else ""


def _card_lines(before: Release, after: Release) -> str:
    old, new = ((r.fetch_files([CARD]) / CARD).read_text(encoding="utf-8").split("\n") for r in (before, after))
    return "\n".join(unified_diff(old, new, before.uri, after.uri, lineterm="", n=0))


def same_content(before: Manifest, manifest: Manifest) -> bool:
    """Whether two manifests say the same, but for version, parent and what is drawn from the rest."""
    return bool(_plain(content(before)) == _plain(content(manifest)))


def _change(config: str, before: Release, after: Release, work: Work) -> Change:
    rows = _sizes(config, before, after, "rows")
    sizes = _sizes(config, before, after, "num_bytes")
    if rows[0] is None or rows[1] is None:
        return Change(config, rows, sizes, added=rows[1] or 0, removed=rows[0] or 0)
    if _comparable(config, before, after):
        tables = {name: _files(release, config) for name, release in (("before", before), ("after", after))}
        with work.connect(tables) as connection:
            return Change(config, rows, sizes, *connection.sql(sql("difference")).fetchall()[0])
    return Change(config, rows, sizes)


def _comparable(config: str, before: Release, after: Release) -> bool:
    """Whether both releases have the config, with different rows."""
    entries = [release.manifest["configs"].get(config) for release in (before, after)]
    digests = [{k: v["rows_sha256"] for k, v in entry["splits"].items()} for entry in entries if entry]
    return len(digests) == 2 and digests[0] != digests[1]


def _sizes(config: str, before: Release, after: Release, key: str) -> tuple[int | None, int | None]:
    """Rows, or bytes of the Parquet files, of a config in both releases."""
    found: list[int | None] = []
    for manifest in (before.manifest, after.manifest):
        entry = manifest["configs"].get(config)
        if entry is None:
            found.append(None)
        elif key == "rows":
            found.append(sum(split["rows"] for split in entry["splits"].values()))
        else:
            found.append(sum(file["size"] for file in data_files({config: entry})))
    return found[0], found[1]


def _files(release: Release, config: str) -> Sequence[Path]:
    """The data files of a config; InputError unless each is as the manifest says."""
    folder = release.fetch_files(paths_of(release.manifest, config))
    for file in data_files({config: release.manifest["configs"][config]}):
        path = folder / file["path"]
        if not path.is_file() or sha256_of(path) != file["sha256"]:
            raise InputError(f"{path} is missing or has been changed. Restore it; `builders verify` says what else.")
    return [folder / path for path in paths_of(release.manifest, config)]


def _columns(manifest: Manifest) -> dict[str, str]:
    """The columns of a release, in order, with their types."""
    return {feature["name"]: json.dumps(feature, sort_keys=True) for feature in manifest["features"]}


def _plain(value: object) -> Any:
    """A value as JSON has it: tuples are lists."""
    return json.loads(json.dumps(value))
