"""A release on the Hub is loaded by commit and digest; what differs from the lock or the manifest is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from cards.manifest import identity
from corpora.errors import InputError
from trainer.hub import read_pin
from trainer.release import Release, find_release, read_rows

COMMIT = "0123456789" * 4
REPOSITORY = "org/trained"


@pytest.fixture
def first(hub: Any, release: Release, tmp_path: Path) -> str:
    """The commit that v1.0.0 names; the main branch stands at another release, v1.0.1."""
    api, other = HfApi(), tmp_path / "other"
    api.create_repo(REPOSITORY, repo_type="dataset", exist_ok=True)
    commit = api.upload_folder(repo_id=REPOSITORY, repo_type="dataset", folder_path=release.folder).oid
    api.create_tag(REPOSITORY, tag="v1.0.0", repo_type="dataset", exist_ok=True)
    shutil.copytree(release.folder, other)
    changed = json.loads((other / "manifest.json").read_text(encoding="utf-8")) | {"version": "v1.0.1"}
    (other / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    api.upload_folder(repo_id=REPOSITORY, repo_type="dataset", folder_path=other)
    return str(commit)


@pytest.fixture
def said(tmp_path: Path) -> Callable[..., Any]:
    """Origin, identity and number of rows of a release, or the sentence that refuses it."""

    def ask(asked: str, offline: bool = False) -> Any:
        try:
            found = find_release(asked, tmp_path, tmp_path / "lock", offline)
            return found.origin, found.said()["manifest_sha256"], len(read_rows(found, "el", "train", ["el"]))
        except InputError as error:
            return str(error)

    return ask


def write_lock(lock: Path, commit: str, digest: str) -> None:
    entry = {"version": "v1.0.0", "commit": commit, "manifest_sha256": digest}
    lock.write_text(json.dumps({"lock_version": 1, "releases": {f"hf://{REPOSITORY}": entry}}), encoding="utf-8")


def test_a_tag_or_a_lock_gives_the_release_as_it_was_published(
    first: str, release: Release, said: Callable[..., Any], tmp_path: Path
) -> None:
    rows = release.manifest["configs"]["el"]["splits"]["train"]["rows"]
    published = (f"hf://{REPOSITORY}@v1.0.0 ({first})", identity(release.manifest), rows)
    assert said(f"{REPOSITORY}@v1.0.0") == published
    assert said(REPOSITORY)[0].startswith(f"hf://{REPOSITORY}@v1.0.1 (")
    assert said(f"{REPOSITORY}@v3.0.0") == f"{REPOSITORY} has no version v3.0.0 on the Hub."
    assert said("org/nothing@v1.0.0") == "There is no dataset org/nothing on the Hub that you may read."
    assert "cannot be known offline" in said(f"{REPOSITORY}@v1.0.0", offline=True)
    write_lock(tmp_path / "lock", first, identity(release.manifest))
    assert said(REPOSITORY) == said(REPOSITORY, offline=True) == published
    write_lock(tmp_path / "lock", first, "0" * 64)
    assert "Find out who changed what; nothing was read." in said(REPOSITORY)


def test_a_lock_is_read_strictly(tmp_path: Path) -> None:
    lock = tmp_path / "datasets.lock"
    assert read_pin(lock, "acme/coit", "") is None
    entry = {"version": "v1.0.0", "commit": COMMIT, "manifest_sha256": "0" * 64, "files": []}
    lock.write_text(json.dumps({"lock_version": 1, "releases": {"hf://acme/coit": entry}}), encoding="utf-8")
    assert read_pin(lock, "acme/coit", "v1.0.0") == {
        key: entry[key] for key in ("version", "commit", "manifest_sha256")
    }
    assert read_pin(lock, "acme/muit", "") is None
    with pytest.raises(InputError, match=r"pins acme/coit at v1\.0\.0, not at v1\.1\.0"):
        read_pin(lock, "acme/coit", "v1.1.0")
    for damage in ("{", "[]", '{"releases": {"hf://acme/coit": {"version": "v1.0.0"}}}'):
        lock.write_text(damage, encoding="utf-8")
        with pytest.raises(InputError, match="is no lock of releases"):
            find_release("acme/coit@v1.0.0", tmp_path, lock)
