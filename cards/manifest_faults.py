"""What the types of a manifest do not say: where its files are, and that its numbers belong together."""

import re
from collections import Counter

from cards.manifest_types import Feature, Manifest

COLUMN = "[a-z]+(_[a-z]+)*"
PICTURES = ("funnel.png", "funnel.svg", "laws.png", "laws.svg")
METADATA_FILES = ("README.md", "croissant.json", *PICTURES, "ledger.parquet")


def find_fault(manifest: Manifest) -> str:
    """Return what is wrong with a manifest whose parts have the right types, or nothing."""
    finders = (_find_path_fault, _find_column_fault, _find_ledger_fault, _find_filter_fault)
    return next((fault for finder in finders if (fault := finder(manifest))), "")


def _find_path_fault(manifest: Manifest) -> str:
    """Return which file is not where `datasets` and the card expect it, or nothing."""
    for config, entry in manifest["configs"].items():
        for split, rows in entry["splits"].items():
            pattern = rf"data/{re.escape(config)}/{split}-\d{{5}}-of-\d{{5}}\.parquet"
            for path in (file["path"] for file in rows["files"] if not re.fullmatch(pattern, file["path"])):
                return f"'{path[:200]}' is not a name of a file of split {split} of config {config}"
    metadata = {file["path"] for file in manifest["metadata_files"]}
    if unknown_paths := sorted(metadata - set(METADATA_FILES)):
        return f"'{unknown_paths[0][:200]}' is not one of {', '.join(METADATA_FILES)}"
    files = [file for c in manifest["configs"].values() for rows in c["splits"].values() for file in rows["files"]]
    files += manifest["metadata_files"]
    counts = Counter(file["path"].casefold() for file in files)
    twice = [path for path, count in counts.items() if count > 1]
    return f"'{twice[0][:200]}' is listed twice, where letter case does not count" if twice else ""


def _find_column_fault(manifest: Manifest) -> str:
    """Return which column the digest of rows would not tell apart, or nothing: names are plain words, values texts."""
    for feature in (feature for features in _feature_lists(manifest) for feature in features):
        if not re.fullmatch(COLUMN, feature["name"]):
            return f"{feature['name'][:80]!r} is not a name of a column: it has other characters than a-z and _"
        if "list" not in feature and feature.get("dtype") != "string":
            return f"the column {feature['name'][:80]!r} is not of the type string"
    names = Counter(feature["name"] for feature in manifest["features"])
    twice = [name for name, count in names.items() if count > 1]
    return f"the column {twice[0][:80]!r} is listed twice" if twice else ""


def _feature_lists(manifest: Manifest) -> list[list[Feature]]:
    """Return the columns, and the fields of those that hold lists."""
    return [manifest["features"], *(feature["list"] for feature in manifest["features"] if "list" in feature)]


def _find_ledger_fault(manifest: Manifest) -> str:
    """Return which language of the ledger the release does not have, or nothing."""
    known = {"", "en", *manifest["langs"]}
    others = [row["lang"] for row in manifest["ledger"] if row["lang"] not in known]
    return f"the ledger has rows in {others[0][:80]!r}, which is not a language of the release" if others else ""


def _find_filter_fault(manifest: Manifest) -> str:
    """Return which threshold has no value, or nothing."""
    for rule in manifest["filters"]:
        for name in (name for name, by_lang in rule["thresholds"].items() if not by_lang):
            return f"the threshold {name[:80]!r} of the filter {rule['name'][:80]!r} has no value"
    return ""
