"""The manifest: what a release holds, file for file and row for row; a pure function of its content."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora.catalog import Corpus
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.urls import is_url, public

FILE = "manifest.json"
MANIFEST_VERSION = 2
KEYS = {"name", "version", "parent", "configs", "features", "sources", "ledger", "mixture", "filters", "langs"}
KEYS |= {"beside", "format", "title", "summary", "difference", "models", "translator", "recipe"}
PATH = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)  # one step down after another, and no pattern
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
SOURCE = ("corpus", "lang", "kind", "title", "version", "url", "sha256", "licence", "licence_note", "homepage")
NAME = re.compile(r"[a-z0-9][a-z0-9.-]*", re.ASCII)
VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
VERSIONED = ("version", "parent", "difference", "beside")  # what a version adds, and what is drawn from all
Manifest = dict[str, Any]


def to_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as it stands in `manifest.json`: sorted keys, two spaces, UTF-8, one newline at the end."""
    return json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def canonical(manifest: Mapping[str, Any]) -> Manifest:
    """The manifest as it is read back: keys sorted, tuples as lists. What is drawn from it is drawn from this."""
    return dict(json.loads(to_text(manifest)))


def identity(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of `manifest.json`, which is the identity of the release, in hexadecimal."""
    return hashlib.sha256(to_text(manifest).encode()).hexdigest()


def read_manifest(release: Path) -> Manifest:
    """The manifest of a release folder; InputError if there is none or it is damaged."""
    try:
        return parse_manifest((release / FILE).read_bytes(), str(release / FILE))
    except FileNotFoundError:
        raise InputError(f"{release} holds no {FILE}, so it is no release.") from None


def parse_manifest(text: bytes, where: str) -> Manifest:
    """The manifest that a file holds; InputError if it is damaged or names files outside its release."""
    try:
        manifest = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is damaged: {error}. Restore it, or move the folder away.") from None
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != MANIFEST_VERSION:
        raise InputError(
            f"{where} is no manifest of version {MANIFEST_VERSION}: another version of coit-builders wrote it. "
            "Use that one, or publish to another place."
        )
    if missing := sorted(KEYS - manifest.keys()):
        raise InputError(f"{where} is damaged: it lacks {', '.join(missing)}. Restore it.")
    if fault := _fault(manifest):
        raise InputError(f"{where} is damaged: {fault}. Restore it.")
    return manifest


def _fault(manifest: Manifest) -> str:
    """What is wrong with a manifest from outside, or nothing: what it says becomes names of files and tags."""
    try:
        for entry in release_files(manifest):
            if not PATH.fullmatch(entry["path"]):
                return f"{entry['path'][:80]!r} is no path of a file in a release"
            if type(entry["size"]) is not int or not DIGEST.fullmatch(entry["sha256"]):
                return f"of {entry['path'][:80]!r} it does not say size and sha256"
        if not VERSION.fullmatch(manifest["version"]) or not NAME.fullmatch(manifest["name"]):
            return f"{manifest['name'][:80]!r} {manifest['version'][:80]!r} is no name and version"
        return "" if _sound(manifest) else "its configs, columns, sources or words are not what a manifest has"
    except (TypeError, KeyError, AttributeError):
        return "its files, name or version are not what a manifest says of them"


def _sound(manifest: Manifest) -> bool:
    """Whether the parts that others read have their types."""
    splits = [split for config in manifest["configs"].values() for split in config["splits"].values()]
    words = [manifest[key] for key in ("title", "summary", "difference", "format")]
    words += [name for config in manifest["configs"].values() for name in config["langs"]]
    words += [feature["name"] for feature in manifest["features"]]
    words += [source[key] for source in manifest["sources"] for key in SOURCE if key != "size"]
    words += [rule[key] for rule in manifest["filters"] for key in ("name", "description")]
    numbers = [split[key] for split in splits for key in ("rows", "num_bytes")]
    numbers += [number["rows"] for number in manifest["ledger"]]
    return (
        all(type(value) is str for value in words)
        and all(type(value) is int for value in numbers)
        and all(NAME.fullmatch(name) for name in manifest["configs"])
        and all(DIGEST.fullmatch(split["rows_sha256"]) for split in splits)
        and all(number[key] is not None for number in manifest["ledger"] for key in ("stage", "lang", "reason"))
    )


def data_files(configs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The Parquet files of some configs, as the manifest describes each: path, size, sha256."""
    for config in configs.values():
        for split in config["splits"].values():
            yield from split["files"]


def release_files(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every file of a release but the manifest itself and `build.json`: its data and what stands beside it."""
    return [*data_files(manifest["configs"]), *manifest["beside"]]


def row_digests(manifest: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """The rows of each config and split: their number and their digest, which no Parquet writer changes."""
    return {
        config: {name: {key: split[key] for key in ("rows", "rows_sha256")} for name, split in entry["splits"].items()}
        for config, entry in manifest["configs"].items()
    }


def file_entry(release: Path, path: Path) -> dict[str, Any]:
    """What the manifest says of one file: its path within the release, size in bytes and SHA-256."""
    return {"path": path.relative_to(release).as_posix(), "size": path.stat().st_size, "sha256": sha256_of(path)}


def source_entry(corpus: Corpus, lang: str, sha256: str, size: int) -> dict[str, Any]:
    """What the manifest says of one upstream file and the terms that come with it."""
    # Neither a password nor a path of this machine is anybody's business.
    place = public(corpus.location(lang)) if is_url(corpus.url) else Path(corpus.url).name
    return {
        "corpus": corpus.id,
        "lang": lang,
        "kind": corpus.kind,
        "title": corpus.title,
        "version": corpus.version,
        "url": place,
        "sha256": sha256,
        "size": size,
        "licence": corpus.licence,
        "licence_note": corpus.licence_note,
        "homepage": corpus.homepage,
        "citation": corpus.citation.strip(),
    }


def licences(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    """The licences of the sources, each once, in alphabetical order."""
    return sorted({source["licence"] for source in sources})


def content(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest without what a version adds: two releases of equal content say the same."""
    return {key: value for key, value in manifest.items() if key not in VERSIONED}


def num_rows(manifest: Mapping[str, Any]) -> int:
    """The rows of all configs and splits."""
    return sum(split["rows"] for config in manifest["configs"].values() for split in config["splits"].values())
