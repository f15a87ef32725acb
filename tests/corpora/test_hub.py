"""The one client of the Hub, against the small Hub: refs, files, the cache, retries, and errors in sentences."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from corpora.hub import HubRepository, Refs, remove_cached

pytestmark = pytest.mark.slow
CARD = b"---\nlicense: cc-by-4.0\n---\n"


@pytest.fixture
def name(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A repository with a card and a data file, its tag v1.0.0, and an empty cache."""
    from huggingface_hub import HfApi

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    name = f"org/read-{time.monotonic_ns() % 10**9}"
    folder = tmp_path / "files"
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_bytes(CARD)
    (folder / "data" / "a.bin").write_bytes(bytes(2000))
    HfApi().create_repo(name, repo_type="dataset")
    HfApi().upload_folder(repo_id=name, repo_type="dataset", folder_path=folder)
    HfApi().create_tag(name, tag="v1.0.0", repo_type="dataset")
    hub.seen.clear()
    return name


def test_refs_and_revisions_name_commits(hub: Any, name: str) -> None:
    repository, commit = HubRepository(name), hub.store.repos[name].tags["v1.0.0"]
    assert repository.get_refs() == Refs({"v1.0.0": commit}, commit)
    assert {repository.resolve(revision) for revision in ("v1.0.0", "main", commit)} == {commit}
    info = repository.get_info("v1.0.0")
    assert (info.commit, info.licence, set(info.files) >= {"README.md", "data/a.bin"}) == (commit, "cc-by-4.0", True)
    assert HubRepository("org/nothing").get_refs() == Refs()


def test_files_are_listed_with_size_and_digest(name: str) -> None:
    files = HubRepository(name).list_files("main")
    assert (files["data/a.bin"].size, files["data/a.bin"].sha256) == (2000, hashlib.sha256(bytes(2000)).hexdigest())
    assert (files["README.md"].size, files["README.md"].sha256) == (len(CARD), None)


def test_file_is_read_at_a_commit_or_is_none(name: str) -> None:
    repository = HubRepository(name)
    assert repository.read_file("README.md", repository.resolve("v1.0.0")) == CARD
    assert repository.read_file("nothing.json", repository.resolve("v1.0.0")) is None


def test_download_is_used_offline_without_a_request(hub: Any, name: str) -> None:
    commit = HubRepository(name).resolve("v1.0.0")
    folder = HubRepository(name).download(commit, ["README.md", "data/**"])
    assert (folder / "data" / "a.bin").stat().st_size == 2000
    hub.seen.clear()
    offline = HubRepository(name, offline=True)
    assert offline.download(commit, ["README.md", "data/a.bin"]) == offline.download(commit, ["README.md"]) == folder
    assert offline.read_file("README.md", commit) == CARD
    assert offline.resolve(commit) == commit
    assert not hub.seen


def test_files_missing_in_the_cache_are_an_error_offline(name: str) -> None:
    commit, offline = HubRepository(name).resolve("v1.0.0"), HubRepository(name, offline=True)
    with pytest.raises(InputError, match=r"README\.md is not in the cache, and this run is offline\. Download it once"):
        offline.download(commit, ["README.md"])
    with pytest.raises(InputError, match=r"the commit of 'v1\.0\.0' cannot be known offline"):
        offline.resolve("v1.0.0")
    with pytest.raises(InputError, match="is not completely in the local cache"):
        offline.read_file("README.md", commit)


def test_revision_that_the_cache_knows_is_resolved_offline(name: str) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download(name, repo_type="dataset", revision="v1.0.0")
    commit = HubRepository(name).resolve("v1.0.0")
    assert HubRepository(name, offline=True).resolve("v1.0.0") == commit
    with pytest.raises(InputError, match="cannot be known offline"):
        HubRepository(name, offline=True).resolve("../../../../etc/hostname")


def test_file_that_a_commit_lacks_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match=r"nothing\.json does not exist on the Hub\."):
        HubRepository(name).download(HubRepository(name).resolve(), ["nothing.json"])


def test_removed_file_is_downloaded_again(name: str) -> None:
    repository = HubRepository(name)
    commit = repository.resolve()
    folder = repository.download(commit, ["data/a.bin"])
    (folder / "data" / "a.bin").resolve().write_bytes(b"damaged")
    remove_cached(folder, "data/a.bin")
    assert (repository.download(commit, ["data/a.bin"]) / "data" / "a.bin").read_bytes() == bytes(2000)


@pytest.mark.parametrize(
    ("token", "repository", "revision", "sentence"),
    [
        ("hf_alice", "org/nothing", "main", "hf://org/nothing@main does not exist on the Hub, or you may not read it"),
        ("hf_alice", None, "v9.9.9", "@v9.9.9 has no such revision on the Hub"),
        ("hf_nope", None, "main", "The Hub refused the token for hf://org/read-"),
        ("hf_\u00e9", None, "main", "has characters that no token has"),
    ],
)
def test_refusal_of_the_hub_is_an_error(
    name: str, token: str, repository: str | None, revision: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(InputError) as error:
        HubRepository(repository or name).get_info(revision)
    assert sentence in str(error.value)
    assert token not in str(error.value)


def test_requests_to_a_busy_hub_are_repeated_and_then_an_error(hub: Any, name: str) -> None:
    from server import as_json

    left = [503, 429]
    hub.faults.append(lambda _: as_json({"error": "not now"}, left.pop()) if left else None)
    assert HubRepository(name).get_refs().main
    left[:] = [503] * 5
    with pytest.raises(InputError, match="did not answer as expected: it answered 503 not now"):
        HubRepository(name).get_refs()
    assert not left


def test_missing_server_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = HubRepository(name)
    monkeypatch.setattr(repository.api, "endpoint", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="no answer from"):
        repository.get_refs()


def test_token_is_not_sent_to_a_next_page_on_another_host(hub: Any, name: str) -> None:
    seen: list[str | None] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            pass

    other = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()

    def point_elsewhere(request: Any) -> Any:
        if "/tree/" not in request.path:
            return None
        answer = hub.answer(request)
        answer.headers["Link"] = f'<http://127.0.0.1:{other.server_port}/next>; rel="next"'
        return answer

    hub.faults.append(point_elsewhere)
    assert "README.md" in HubRepository(name).list_files("main")
    other.shutdown()
    assert seen == [None]
