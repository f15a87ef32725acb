"""The manifest: what a release holds, file for file and row for row; a pure function of its content."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora.catalog import Corpus
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.web.urls import is_url, public

FILE = "manifest.json"
MANIFEST_VERSION = 1
KEYS = {"name", "version", "parent", "configs", "features", "sources", "ledger", "mixture", "filters", "langs"}
Manifest = dict[str, Any]


def to_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as it stands in `manifest.json`: sorted keys, two spaces, UTF-8, one newline at the end."""
    return json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def identity(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of `manifest.json`, which is the identity of the release, in hexadecimal."""
    return hashlib.sha256(to_text(manifest).encode()).hexdigest()


def read_manifest(release: Path) -> Manifest:
    """The manifest of a release folder; InputError if there is none or it is damaged."""
    try:
        manifest = json.loads((release / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{release} holds no {FILE}, so it is no release.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{release / FILE} is damaged: {error}. Restore it, or move the folder away.") from None
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != MANIFEST_VERSION:
        raise InputError(f"{release / FILE} is no manifest of version {MANIFEST_VERSION}.")
    if missing := sorted(KEYS - manifest.keys()):
        raise InputError(f"{release / FILE} is damaged: it lacks {', '.join(missing)}. Restore it.")
    return manifest


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


def terms(manifest: Mapping[str, Any]) -> list[str]:
    """The licences of the sources, and of the model that translated where there is one, each once."""
    translator = manifest.get("translator") or {}
    made_by = [{"licence": translator["licence"]}] if translator.get("licence") else []
    return licences([*manifest["sources"], *made_by])


def content(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest without what a version adds: two releases of equal content say the same."""
    return {key: value for key, value in manifest.items() if key not in ("version", "parent")}


def num_rows(manifest: Mapping[str, Any]) -> int:
    """The rows of all configs and splits."""
    return sum(split["rows"] for config in manifest["configs"].values() for split in config["splits"].values())
