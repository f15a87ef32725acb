"""A release on the Hugging Face Hub: fetched by commit, as its manifest says, and as `datasets.lock` pins it."""

import json
from pathlib import Path
from typing import Any

from cards.manifest import FILE, Manifest, identity, read_manifest
from corpora.errors import InputError


def fetch_release(asked: str, lock: Path, offline: bool) -> tuple[Path, Manifest, str]:
    """Folder, manifest and origin of ORG/NAME[@VERSION] at one commit; InputError if it is not what the lock pins.

    A version is a tag; which commit it names is asked of the Hub, or read from the lock, which also knows the digest
    of the manifest. The data files are checked against the manifest when they are read.
    """
    repository, _, version = asked.partition("@")
    pinned = read_pin(lock, repository, version)
    commit = pinned["commit"] if pinned else _commit(repository, version, offline)
    folder = _download(repository, commit, offline)
    manifest = read_manifest(folder)
    if pinned and identity(manifest) != pinned["manifest_sha256"]:
        raise InputError(
            f"{repository} at commit {commit[:12]} holds a manifest with the sha256 {identity(manifest)}, but {lock} "
            f"pins {pinned['manifest_sha256']}. Find out who changed what; nothing was read."
        )
    if version and manifest["version"] != version:
        raise InputError(f"{repository}@{version} holds version {manifest['version']} by its own word; do not use it.")
    return folder, manifest, f"hf://{repository}@{manifest['version']} ({commit})"


def read_pin(lock: Path, repository: str, version: str) -> dict[str, Any] | None:
    """What `datasets.lock` says of a release: version, commit and the sha256 of its manifest; None if nothing.

    InputError if the lock pins another version than the one asked for.
    """
    try:
        entry = json.loads(lock.read_text(encoding="utf-8"))["releases"].get(f"hf://{repository}")
        found = {key: str(entry[key]) for key in ("version", "commit", "manifest_sha256")} if entry else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{lock} is no lock of releases. Restore it, or name another with --lock.") from None
    if found and version and found["version"] != version:
        raise InputError(
            f"{lock} pins {repository} at {found['version']}, not at {version}. Lock the version that you want "
            "(builders lock), or name another file with --lock."
        )
    return found


def _commit(repository: str, version: str, offline: bool) -> str:
    """The commit that a version's tag names, or that the main branch stands at."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    if offline:
        raise InputError(
            f"Which commit {repository}@{version or 'main'} is cannot be known offline: cached copies forget it. "
            "Lock it first (builders lock), or name its folder."
        )
    try:
        return str(HfApi().dataset_info(repository, revision=version or None).sha)
    except RevisionNotFoundError:
        raise InputError(f"{repository} has no version {version} on the Hub.") from None
    except RepositoryNotFoundError:
        raise InputError(f"There is no dataset {repository} on the Hub that you may read.") from None
    except (HfHubHTTPError, httpx.HTTPError, OSError) as error:
        raise InputError(f"The Hub could not be asked for {repository}: {str(error).splitlines()[0]}") from None


def _download(repository: str, commit: str, offline: bool) -> Path:
    """The folder of a whole repository at one commit."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    wanted = [FILE, "README.md", "data/**"]
    try:
        folder = snapshot_download(
            repository, repo_type="dataset", revision=commit, allow_patterns=wanted, local_files_only=offline
        )
    except LocalEntryNotFoundError:
        raise InputError(f"{repository} at commit {commit[:12]} is not downloaded yet. Run it once online.") from None
    except (HfHubHTTPError, httpx.HTTPError, OSError) as error:
        raise InputError(f"{repository} could not be downloaded: {str(error).splitlines()[0]}") from None
    return Path(folder)
