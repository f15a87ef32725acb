"""The manifest: what a release holds, file for file and row for row; its digest is the release's identity."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from cards.manifest_faults import find_fault
from cards.manifest_types import (
    MANIFEST_VERSION,
    VERSION,
    Config,
    Content,
    FileEntry,
    Manifest,
    Parent,
    SourceEntry,
    manifest_type,
)
from corpora.catalog import Corpus
from corpora.errors import InputError
from corpora.files import read_whole, sha256_of
from corpora.strict_json import load_json
from corpora.urls import is_url, public_url

FILE = "manifest.json"
VERSION_KEYS = ("version", "parent", "difference", "metadata_files")  # what a version adds to its content


@dataclass(frozen=True)
class VersionInfo:
    """What a version adds to the content of a release."""

    version: str
    parent: Parent | None
    difference: str


UNPUBLISHED = VersionInfo("v0.0.0", None, "not published")


def make_manifest(content: Content, version: VersionInfo, metadata_files: Sequence[FileEntry] = ()) -> Manifest:
    """Return the manifest of a release, with the order and types of what is read back.

    Args:
        content: What the release holds.
        version: Its version, what it follows, and how it differs from it.
        metadata_files: The files beside the data; none before they are drawn from the manifest itself.

    Raises:
        AssertionError: A part has not the type of `cards.manifest_types`.
    """
    parts = {"version": version.version, "parent": version.parent, "difference": version.difference}
    manifest = json.loads(to_text({**content, **parts, "metadata_files": list(metadata_files)}))
    if fault := _find_fault(manifest):
        raise AssertionError(f"The manifest of {content['name']} is wrong, this is a fault of builders: {fault}")
    return cast(Manifest, manifest)


def get_content(manifest: Manifest) -> Content:
    """Return the manifest without what a version adds."""
    return cast(Content, {key: value for key, value in manifest.items() if key not in VERSION_KEYS})


def to_text(manifest: Mapping[str, Any]) -> str:
    """Return the text of `manifest.json`: sorted keys, two spaces, UTF-8, one newline at the end."""
    return json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def identity(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of `manifest.json`, the identity of the release, in hexadecimal."""
    return hashlib.sha256(to_text(manifest).encode()).hexdigest()


def read_manifest(release: Path) -> Manifest:
    """Return the manifest of a release folder.

    Raises:
        InputError: The folder holds no manifest, or a damaged one.
    """
    try:
        return parse_manifest(read_whole(release / FILE), str(release / FILE))
    except FileNotFoundError:
        raise InputError(f"{release} holds no {FILE}, so it is not a release.") from None


def parse_manifest(text: bytes, where: str) -> Manifest:
    """Return the manifest that a file holds.

    Raises:
        InputError: The file is damaged, of another version of the format, or names files outside its release.
    """
    try:
        manifest = load_json(text.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is damaged: {error}. Restore it, or move the folder away.") from None
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != MANIFEST_VERSION:
        raise InputError(
            f"{where} is not a manifest of version {MANIFEST_VERSION}: another version of coit-builders wrote it. "
            "Use that one, or publish to another registry."
        )
    if fault := _find_fault(manifest):
        raise InputError(f"{where} is damaged: {fault}. Restore it.")
    if not _is_canonical(manifest, text):
        raise InputError(
            f"{where} is not as builders writes it, so its sha256 is not the identity of the release. Restore it."
        )
    return cast(Manifest, manifest)


def _is_canonical(manifest: Mapping[str, Any], text: bytes) -> bool:
    """Return whether a text is the one that `to_text` writes: one manifest has one text, and so one identity."""
    try:
        return to_text(manifest).encode() == text
    except (ValueError, RecursionError):
        return False


def _find_fault(manifest: object) -> str:
    """Return what is wrong with a manifest, or nothing: what it holds becomes names of files and tags."""
    try:
        valid = manifest_type().validate_python(manifest)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        return f"'{key[:200]}': {first['msg']}"
    return find_fault(valid)


def is_version(name: str) -> bool:
    """Return whether a name is a version, such as v1.2.0."""
    return re.fullmatch(VERSION, name) is not None


def data_files(configs: Mapping[str, Config]) -> Iterator[FileEntry]:
    """Yield the Parquet files of some configs."""
    for config in configs.values():
        for split in config["splits"].values():
            yield from split["files"]


def release_files(manifest: Manifest) -> list[FileEntry]:
    """Return every file of a release but the manifest itself and `build.json`."""
    return [*data_files(manifest["configs"]), *manifest["metadata_files"]]


def row_digests(configs: Mapping[str, Config]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return number and digest of the rows of each config and split, which no Parquet writer changes."""
    return {
        name: {
            split: {"num_rows": rows["num_rows"], "content_sha256": rows["content_sha256"]}
            for split, rows in config["splits"].items()
        }
        for name, config in configs.items()
    }


def count_rows(manifest: Manifest) -> int:
    """Return the number of rows of all configs and splits."""
    return sum(split["num_rows"] for config in manifest["configs"].values() for split in config["splits"].values())


def num_split_rows(config: Config, split: str) -> int:
    """Return the number of rows of a split; 0 if the config does not have it."""
    return config["splits"][split]["num_rows"] if split in config["splits"] else 0


def file_entry(release: Path, path: Path) -> FileEntry:
    """Return the entry of one file: its path within the release, size in bytes and SHA-256."""
    return {"path": path.relative_to(release).as_posix(), "size": path.stat().st_size, "sha256": sha256_of(path)}


def source_entry(corpus: Corpus, lang: str, sha256: str, size: int, url: str = "") -> SourceEntry:
    """Return the entry of one upstream file and its licence; neither a password nor a path of this machine is in it.

    `url` is that of the file, where a corpus has several in a language.
    """
    template = url if url and corpus.urls != (corpus.url,) else corpus.urls[0]
    return {
        "corpus": corpus.id,
        "lang": lang,
        "kind": corpus.kind,
        "title": corpus.title,
        "version": corpus.version,
        "url": public_url(url or corpus.location(lang)) if is_url(template) else Path(template).name,
        "sha256": sha256,
        "size": size,
        "licence": corpus.licence,
        "licence_note": corpus.licence_note,
        "homepage": corpus.homepage,
        "citation": corpus.citation.strip(),
    }


def list_licences(sources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the licences of sources or models, each once, in alphabetical order."""
    return sorted({source["licence"] for source in sources})
