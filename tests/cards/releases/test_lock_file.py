"""datasets.lock: the pinned commit is opened whatever its tag names, and nothing else."""

import json
import shutil

import pytest

from cards.manifest import FILE
from cards.releases import fetch_locked, lock_releases, open_release, read_lock
from corpora.errors import InputError

REPOSITORY = "org/locked"


def test_folder_is_locked_and_fetched(write_release, tmp_path):
    lock = tmp_path / "datasets.lock"
    folder = write_release()
    release = open_release(folder)
    (entry,) = lock_releases([release], lock).values()
    assert (entry.version, entry.commit, entry.manifest_sha256) == ("v1.0.0", None, release.identity)
    assert read_lock(lock) == {str(folder): entry}
    assert fetch_locked(lock) == {str(folder): folder}
    (folder / "README.md").write_text("# Other\n")
    with pytest.raises(InputError, match="is not what was locked"):
        fetch_locked(lock)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"lock_version": 2, "releases": {}}',
        '{"lock_version": 1}',
        '{"lock_version": 1, "releases": []}',
        '{"lock_version": 1, "releases": {"hf://a/b": {"version": "v1.0.0", "commit": "x", "files": []}}}',
        '{"lock_version": 1, "releases": {"a": {"version": "v1.0.0", "commit": null, "files": [{"path": "../x"}]}}}',
    ],
)
def test_damaged_lock_is_refused(tmp_path, text):
    (tmp_path / "datasets.lock").write_text(text)
    with pytest.raises(InputError, match=r"datasets\.lock is"):
        read_lock(tmp_path / "datasets.lock")


@pytest.fixture
def hub_release(hub, write_release):
    """The release v1.0.0 on the Hub, whose `main` holds v1.1.0; its commit and identity."""
    from huggingface_hub import HfApi

    api = HfApi()
    first, second = write_release("v1.0.0"), write_release("v1.1.0")
    api.create_repo(REPOSITORY, repo_type="dataset", exist_ok=True)
    commits = []
    for version, folder in (("v1.0.0", first), ("v1.1.0", second)):
        commits.append(api.upload_folder(repo_id=REPOSITORY, repo_type="dataset", folder_path=folder).oid)
        api.create_tag(REPOSITORY, tag=version, repo_type="dataset", exist_ok=True)
    yield commits[0], open_release(first).identity
    del hub.store.repos[REPOSITORY]


@pytest.fixture
def cached(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.slow
def test_lock_decides_which_commit_is_opened(hub_release, cached, tmp_path):
    commit, identity = hub_release
    lock, uri = tmp_path / "datasets.lock", f"hf://{REPOSITORY}"
    assert open_release(uri, datasets_lock=lock).version == "v1.1.0"
    lock_releases([open_release(f"{uri}@v1.0.0")], lock)
    for offline in (False, True):
        release = open_release(uri, datasets_lock=lock, offline=offline)
        assert (release.origin, release.identity) == (f"{uri}@v1.0.0 ({commit})", identity)
        assert release.rows("el")["id"].to_list() == ["1", "2", "3"]
    with pytest.raises(InputError, match=r"pins hf://org/locked at v1\.0\.0, not at v1\.1\.0"):
        open_release(f"{uri}@v1.1.0", datasets_lock=lock)
    content = json.loads(lock.read_text())
    content["releases"][uri]["manifest_sha256"] = "0" * 64
    lock.write_text(json.dumps(content))
    with pytest.raises(InputError, match="Find out who changed what"):
        open_release(uri, datasets_lock=lock)


@pytest.mark.slow
def test_release_of_the_hub_needs_a_lock_offline(hub_release, cached):
    with pytest.raises(InputError, match="cannot be known offline"):
        open_release(f"hf://{REPOSITORY}@v1.0.0", offline=True)


@pytest.mark.slow
def test_unknown_version_and_repository_are_refused(hub_release, cached):
    with pytest.raises(InputError, match="Unknown version of locked 'v3\\.0\\.0'"):
        open_release(f"hf://{REPOSITORY}@v3.0.0")
    with pytest.raises(InputError, match="hf://org/nothing holds no release, or you may not see it"):
        open_release("hf://org/nothing@v1.0.0")


@pytest.mark.slow
def test_moved_tag_is_noticed(hub_release, hub, cached):
    repository = hub.store.repos[REPOSITORY]
    repository.tags["v1.0.0"] = repository.tags["v1.1.0"]
    with pytest.raises(InputError, match="moved or made by other means"):
        open_release(f"hf://{REPOSITORY}@v1.0.0")


def test_copied_release_opens_without_its_registry(write_release, tmp_path):
    shutil.copytree(write_release(), tmp_path / "copy")
    assert (tmp_path / "copy" / FILE).exists()
    assert open_release(tmp_path / "copy").version == "v1.0.0"
