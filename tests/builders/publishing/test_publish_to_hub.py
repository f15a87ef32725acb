"""Publishing to the Hub by its real clients: what lands there, what is refused, and what nobody ever sees half done."""

import base64
import copy
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from builders.publishing import PublishOptions, open_registry, verify_release
from builders.workspace import temporary_workspace
from cards.manifest import identity, parse_manifest, release_files
from cards.releases import open_release
from corpora.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
from drafts import alone, described, digest, put

pytestmark = pytest.mark.slow
ONE = {"el": {"1": "ένα", "2": "δύο"}, "hi": {"1": "एक"}, "tr": {"1": "bir"}}
TWO = {"el": {"1": "ένα", "2": "δύο!"}, "hi": {"1": "एक"}, "vi": {"1": "một"}}
THREE = {"el": {"1": "ένα", "2": "δύο!"}, "hi": {"1": "एक"}}


def faults(name: str) -> tuple[str, ...]:
    with temporary_workspace() as work:
        return verify_release(open_release(name), work).problems


@pytest.fixture
def repo(hub, request):
    """A repository of its own for each test."""
    words = re.findall("[a-z0-9]+", request.node.name)[1:9]
    return f"org/{'-'.join(words)}-{time.monotonic_ns() % 10**9}"


@pytest.fixture
def to(repo):
    return f"hf://{repo}"


def texts(repo: str, config: str, version: str, streaming: bool = False) -> list[str]:
    import datasets

    rows = datasets.load_dataset(repo, config, revision=version, split="train", streaming=streaming)
    return [row["output"] for row in rows]


def commits_of(hub, repo: str) -> list[str]:
    """The titles of the commits of `main`, newest first, without the one that made the repository."""
    kept, at, titles = hub.store.repos[repo], hub.store.repos[repo].heads["main"], []
    while at:
        titles.append(kept.commits[at].title)
        at = kept.commits[at].parent
    return titles[:-1]


def manifest_at(hub, repo: str, commit: str):
    file = hub.store.repos[repo].commits[commit].files.get("manifest.json")
    return parse_manifest(hub.store.content(file.sha256).read_bytes(), "here") if file else None


def check_whole(hub, repo: str) -> None:
    """Every commit of a repository holds a whole release or none, and every tag names the commit of its version."""
    kept = hub.store.repos[repo]
    for commit in kept.commits.values():
        manifest = manifest_at(hub, repo, commit.oid)
        entries = {entry["path"]: entry for entry in release_files(manifest)} if manifest else {}
        for path, entry in entries.items():
            assert (commit.files[path].sha256, commit.files[path].size) == (entry["sha256"], entry["size"])
        assert {path for path in commit.files if path.startswith("data/")} <= set(entries)
    for version, commit in kept.tags.items():
        assert manifest_at(hub, repo, commit)["version"] == version


def test_release_is_one_commit_and_one_tag_and_loads(hub, repo, to):
    first = put(to, ONE)
    assert (first.is_new, first.uri, first.reason) == (True, f"{to}@v1.0.0", "the first release")
    second = put(to, TWO)
    assert second.manifest["version"] == "v2.0.0"
    assert second.reason == "configs removed: tr"
    assert commits_of(hub, repo) == ["tiny v2.0.0", "tiny v1.0.0"]
    check_whole(hub, repo)
    for streaming in (False, True):
        assert texts(repo, "el", "v1.0.0", streaming) == ["ένα", "δύο"]
        assert texts(repo, "el", "v2.0.0", streaming) == ["ένα", "δύο!"]
        assert texts(repo, "vi", "v2.0.0", streaming) == ["một"]
    import datasets

    assert set(datasets.get_dataset_config_names(repo, revision="v2.0.0")) == {"el", "hi", "vi"}
    assert first.manifest["parent"] is None
    kept = hub.store.repos[repo]
    parent = {"version": "v1.0.0", "manifest_sha256": identity(first.manifest), "commit": kept.tags["v1.0.0"]}
    assert second.manifest["parent"] == parent


def test_commit_message_has_the_identity(hub, repo, to):
    made = put(to, ONE)
    commit = hub.store.repos[repo].commits[hub.store.repos[repo].tags["v1.0.0"]]
    assert f"manifest sha256 {identity(made.manifest)}" in commit.message
    assert set(commit.files) >= {"README.md", "manifest.json", "croissant.json", "build.json", "ledger.parquet"}


def test_unchanged_content_makes_no_commit(hub, repo, to):
    put(to, ONE)
    hub.seen.clear()
    again = put(to, ONE)
    assert (again.is_new, again.reason) == (False, "nothing changed")
    assert not [asked for asked in hub.seen if not asked.startswith(("GET", "HEAD"))]


def test_preview_only_reads(hub, repo, to):
    would = put(to, ONE, PublishOptions(preview=True))
    assert repo not in hub.store.repos
    assert "data/el/train-00000-of-00001.parquet" in would.upload_plan.added
    put(to, ONE)
    hub.seen.clear()
    would = put(to, TWO, PublishOptions(preview=True))
    assert (would.is_preview, would.manifest["version"]) == (True, "v2.0.0")
    assert would.upload_plan.deleted == ("data/tr/train-00000-of-00001.parquet",)
    assert "data/el/train-00000-of-00001.parquet" in would.upload_plan.changed
    assert all(asked.startswith(("GET", "HEAD")) for asked in hub.seen)


def test_private_repository_is_hidden_from_others(hub, repo, to, monkeypatch):
    put(to, ONE, private=True)
    assert hub.store.repos[repo].private
    monkeypatch.setenv("HF_TOKEN", "hf_mallory")
    with pytest.raises(InputError, match="holds no release"):
        open_release(to)


def test_public_repository_does_not_become_private(to):
    put(to, ONE)
    with pytest.raises(InputError, match="is public already"):
        put(to, TWO, private=True)


@pytest.mark.parametrize("path", [".huggingface.yaml", "data/el/train-00001-of-00002.parquet", "notes/mine.txt"])
def test_unexpected_file_is_refused_or_removed(hub, repo, to, path):
    put(to, ONE)
    from huggingface_hub import CommitOperationAdd, HfApi

    HfApi().create_commit(repo, [CommitOperationAdd(path, b"x")], commit_message="By hand", repo_type="dataset")
    for rows in (ONE, TWO):
        with pytest.raises(InputError, match=re.escape(f"holds files that no manifest lists, such as '{path}'")):
            put(to, rows)
    with pytest.raises(InputError, match="no manifest lists"):
        open_registry(to, "tiny").check_writable()
    put(to, TWO, PublishOptions(remove_unexpected=True))
    kept = hub.store.repos[repo]
    assert {path} & kept.commits[kept.heads["main"]].files.keys() == set()
    put(to, THREE)
    assert faults(f"{to}@v3.0.0") == faults(f"{to}@v2.0.0") == ()


def test_tag_on_a_commit_with_an_unexpected_file_does_not_verify(hub, repo, to):
    put(to, ONE)
    from huggingface_hub import CommitOperationAdd, HfApi

    added = [CommitOperationAdd(".huggingface.yaml", b"configs: []")]
    kept = hub.store.repos[repo]
    kept.tags["v1.0.0"] = HfApi().create_commit(repo, added, commit_message="By hand", repo_type="dataset").oid
    assert faults(f"{to}@v1.0.0") == (f"{to}@v1.0.0 holds '.huggingface.yaml', which is not in its manifest.",)


def test_repository_with_foreign_files_is_refused(hub, repo, to):
    from huggingface_hub import HfApi

    HfApi().create_repo(repo, repo_type="dataset")
    HfApi().upload_file(path_or_fileobj=b"x", path_in_repo="weights.bin", repo_id=repo, repo_type="dataset")
    with pytest.raises(InputError, match=r"not published by builders, such as 'weights\.bin'"):
        put(to, ONE)
    put(f"{to}-2", ONE)
    with pytest.raises(InputError, match="holds releases of tiny, not of other"):
        put(f"{to}-2", ONE, name="other")


def test_card_edited_on_the_hub_makes_a_patch(hub, repo, to):
    from huggingface_hub import HfApi, hf_hub_download

    put(to, ONE)
    card = Path(hf_hub_download(repo, "README.md", repo_type="dataset")).read_text()
    mine = card.replace("<!-- human-written: limits -->\n", "<!-- human-written: limits -->\n- Ask *us* first.\n")
    HfApi().upload_file(path_or_fileobj=mine.encode(), path_in_repo="README.md", repo_id=repo, repo_type="dataset")
    made = put(to, ONE)
    assert (made.is_new, made.manifest["version"]) == (True, "v1.0.1")
    put(to, TWO)
    files = hub.store.repos[repo].commits[hub.store.repos[repo].heads["main"]].files
    assert "- Ask *us* first.\n<!-- /human-written -->" in hub.store.content(files["README.md"].sha256).read_text()


def test_moved_tag_is_noticed(hub, repo, to):
    put(to, ONE)
    put(to, TWO)
    kept = hub.store.repos[repo]
    kept.tags["v1.0.0"] = kept.tags["v2.0.0"]
    with pytest.raises(InputError, match="moved or made by other means"):
        open_release(f"{to}@v1.0.0")


HOSTILE = "a | b `c`\n---\nconfigs: 3\n---\n<script>alert(1)</script>\n# Heading {{ 1 }}\x07 \u202e"


def test_hostile_text_is_published_as_text(hub, repo, to):
    source = described()["sources"][0] | dict.fromkeys(("title", "licence_note", "citation", "version"), HOSTILE)
    made = put(to, ONE, title=HOSTILE, summary=HOSTILE, sources=[source])
    assert texts(repo, "el", "v1.0.0") == ["ένα", "δύο"]
    card = hub.store.repos[repo].commits[hub.store.repos[repo].heads["main"]].files["README.md"]
    text = hub.store.content(card.sha256).read_text()
    assert "<script>" not in text.split("```bibtex")[0].split("\n---\n", 1)[1]
    with temporary_workspace() as work:
        assert verify_release(open_release(made.uri), work).problems == ()


def test_card_changed_on_the_way_is_noticed(hub, repo, to):
    def garble(asked):
        if asked.path.endswith("/commit/main"):
            line = next(line for line in asked.body.splitlines() if b'"README.md"' in line)
            value = json.loads(line)
            value["value"]["content"] = base64.b64encode(b"---\nlicense: mit\n---\n").decode()
            asked.body = asked.body.replace(line, json.dumps(value).encode())

    hub.faults.append(garble)
    with pytest.raises(InputError, match=r"README\.md"):
        put(to, ONE)


# What the Hub may answer


@pytest.mark.parametrize(
    ("token", "said"),
    [("hf_nope", "The Hub refused the token"), ("hf_mallory", "forbids"), ("hf_reader", "forbids")],
)
def test_error_about_a_token_does_not_show_it(hub, repo, to, token, said, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(InputError, match=said) as told:
        put(to, ONE)
    assert token not in str(told.value)
    assert repo not in hub.store.repos


@pytest.mark.parametrize(
    ("token", "to", "said"),
    [
        ("hf_nope", "hf://org/x", "refused the token"),
        ("hf_mallory", "hf://org/x", "The Hub knows you as mallory, who is not in org"),
        ("hf_reader", "hf://org/early", "forbids"),
        ("", "hf://org/x", "There is no token for"),
        ("", "hf://org/early", "refused the token"),
        ("hf_\u00e9", "hf://org/x", "token"),
    ],
)
def test_missing_right_to_write_is_known_before_the_build(hub, to, token, said, monkeypatch):
    if to.endswith("early"):
        put(to, ONE)
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere")
    with pytest.raises(InputError, match=said) as told:
        open_registry(to, "tiny").check_writable()
    assert not token or token not in str(told.value)


def test_uploaded_data_is_not_sent_again(hub, repo, to, monkeypatch):
    monkeypatch.setattr("builders.publishing.publish.MAX_FAILURES", 0)
    rows = {"el": {"1": "a text that no other test uploads"}}
    commit_answers(hub, refused(500))
    with pytest.raises(InputError, match="failed 1 times"):
        put(to, rows)
    assert len([asked for asked in hub.seen if asked.startswith("PUT")]) >= 1
    hub.faults.clear()
    hub.seen.clear()
    assert put(to, rows).is_new
    assert not [asked for asked in hub.seen if asked.startswith("PUT")]


def test_missing_repository_is_an_error_message(hub, to):
    with pytest.raises(InputError, match="holds no release"):
        open_release(to)


def commit_answers(hub, *answers):
    """Let the next commits be friendly_errors so, one after the other."""
    left = list(answers)
    hub.faults.append(lambda asked: left.pop(0) if left and asked.path.endswith("/commit/main") else None)


def refused(status: int, **headers: str):
    from server import as_json

    return as_json({"error": "not now"}, status, **headers)


@pytest.mark.parametrize("status", [409, 412, 429, 500, 503])
def test_refused_commit_is_retried(hub, repo, to, status):
    commit_answers(hub, refused(status))
    assert put(to, ONE).is_new
    assert commits_of(hub, repo) == ["tiny v1.0.0"]
    check_whole(hub, repo)


def test_retry_after_is_obeyed(hub, to):
    commit_answers(hub, refused(429, Retry_After="2"))
    before = time.monotonic()
    put(to, ONE)
    assert time.monotonic() - before > 2


def test_lost_answer_makes_no_second_commit(hub, repo, to):
    commit_answers(hub, "lose")
    made = put(to, ONE)
    assert (made.is_new, made.manifest["version"]) == (True, "v1.0.0")
    assert commits_of(hub, repo) == ["tiny v1.0.0"]
    assert list(hub.store.repos[repo].tags) == ["v1.0.0"]


def test_lost_answer_makes_one_tag(hub, repo, to):
    left = ["lose"]
    hub.faults.append(lambda asked: left.pop() if left and "/tag/" in asked.path else None)
    assert put(to, ONE).is_new
    assert list(hub.store.repos[repo].tags) == ["v1.0.0"]


def test_hub_that_always_fails_leaves_no_trace(hub, repo, to, monkeypatch):
    monkeypatch.setattr("builders.publishing.publish.MAX_FAILURES", 1)
    put(to, ONE)
    commit_answers(hub, *[refused(500)] * 9)
    with pytest.raises(InputError, match="failed 2 times"):
        put(to, TWO)
    assert (commits_of(hub, repo), list(hub.store.repos[repo].tags)) == (["tiny v1.0.0"], ["v1.0.0"])


def test_verify_compares_the_file_list_of_the_hub(hub, repo, to):
    made = put(to, ONE)
    kept, path = hub.store.repos[repo], "data/el/train-00000-of-00001.parquet"
    files = kept.commits[kept.tags["v1.0.0"]].files
    files[path] = replace(files[path], size=1)
    with temporary_workspace() as work:
        problems = verify_release(open_release(made.uri), work).problems
    assert f"{to}@v1.0.0 does not hold '{path}' as it was published." in problems


# Killed, and all at once


@pytest.fixture(scope="module")
def processes():
    """Processes that start in no time: what they need is imported once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["drafts", "builders.publishing.hub_registry", "datasets", "matplotlib.figure"])
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return context


def kill_after(hub, process, last: int) -> None:
    """Kill a process when the Hub has done its request of this number, before it hears the answer."""

    def fault(asked):
        if len(hub.seen) == last + 1:  # the next request: the one before has been friendly_errors
            os.kill(process.pid, signal.SIGKILL)
            return "drop"
        return "drop" if len(hub.seen) > last else None

    hub.faults[:] = [fault]


@pytest.mark.parametrize("state", ["first", "next"])
def test_publish_killed_between_any_two_requests_is_completed_by_a_rerun(hub, processes, tmp_path, state):
    base = f"org/base-{state}"
    if state == "next":
        put(f"hf://{base}", ONE)
    rows, version, titles = (ONE, "v1.0.0", []) if state == "first" else (TWO, "v2.0.0", ["tiny v1.0.0"])
    killed = 0
    for last in range(100):
        repo = f"org/killed-{state}-{last}"
        if state == "next":
            hub.store.repos[repo] = copy.deepcopy(hub.store.repos[base])
        hub.faults.clear()
        hub.seen.clear()
        process = processes.Process(target=alone, args=(f"hf://{repo}", rows, None, 0, tmp_path / f"{state}{last}"))
        process.start()
        kill_after(hub, process, last)
        process.join()
        hub.faults.clear()
        if process.exitcode == 0:
            break
        killed += 1
        if repo in hub.store.repos:
            check_whole(hub, repo)
            assert commits_of(hub, repo) in (titles, [f"tiny {version}", *titles])
        made = put(f"hf://{repo}", rows)
        assert made.manifest["version"] == version
        check_whole(hub, repo)
        assert commits_of(hub, repo) == [f"tiny {version}", *titles]
        assert set(hub.store.repos[repo].tags) == {version} | ({"v1.0.0"} if titles else set())
    print(f"killed {killed} times")
    assert killed > 10


def at_once(processes, to: str, tmp_path, contents, version=None) -> list[str]:
    """What eight publishers are told that start at the same moment."""
    start, said = time.time() + 2, [tmp_path / f"{number}.txt" for number in range(len(contents))]
    every = [
        processes.Process(target=alone, args=(to, rows, version, start, path))
        for rows, path in zip(contents, said, strict=True)
    ]
    for process in every:
        process.start()
    for process in every:
        process.join()
    return [path.read_text() for path in said]


def test_eight_publishers_get_eight_versions(hub, repo, to, processes, tmp_path):
    contents = [{"el": {"1": f"text {digest(str(n))}"}} for n in range(8)]
    told = at_once(processes, to, tmp_path, contents)
    assert sorted(told) == sorted(f"v{number}.0.0 True" for number in range(1, 9))
    check_whole(hub, repo)
    for rows, said in zip(contents, told, strict=True):
        assert texts(repo, "el", said.split()[0]) == list(rows["el"].values())


def test_one_of_eight_publishers_of_a_version_wins(hub, repo, to, processes, tmp_path):
    put(to, ONE)
    contents = [ONE | {"el": {"1": f"text {digest(str(n))}"}} for n in range(8)]
    told = at_once(processes, to, tmp_path, contents, "v5.0.0")
    assert told.count("v5.0.0 True") == 1
    assert sum("is published already, with other content" in said for said in told) == 7
    check_whole(hub, repo)
    assert texts(repo, "el", "v5.0.0") == list(contents[told.index("v5.0.0 True")]["el"].values())


def test_full_disk_leaves_no_trace_on_the_hub(hub, tmp_path):
    limit = "import resource as r, signal; r.setrlimit(r.RLIMIT_FSIZE, (9000, 9000)); "
    limit += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    run = "from builders.cli import main; main()"
    options, quiet = ["coit", "--sample", "--langs", "el"], {"cwd": tmp_path, "capture_output": True, "text": True}
    subprocess.run([sys.executable, "-c", run, "build", *options], check=True, **quiet)
    command = [sys.executable, "-c", limit + run, "publish", *options, "--registry", "hf://org/full"]
    done = subprocess.run(command, check=False, **quiet)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "too large" in done.stderr
    assert "org/full" not in hub.store.repos


# Xet, and the real Hub


def test_release_by_xet_is_the_same(tmp_path):
    server = Path(__file__).parent.parent.parent / "hub" / "server.py"
    with subprocess.Popen(
        [sys.executable, server, tmp_path / "hub", "--xet"], stdout=subprocess.PIPE, text=True
    ) as hub:
        try:
            own = {"HF_ENDPOINT": hub.stdout.readline().strip(), "HF_HOME": str(tmp_path / "home")}
            own |= {"HF_HUB_DISABLE_XET": "0", "HF_XET_CACHE": str(tmp_path / "xet")}
            own["PYTHONPATH"] = str(Path(__file__).parent)
            done = subprocess.run(
                [sys.executable, "-c", XET], env=os.environ | own, capture_output=True, text=True, check=False
            )
        finally:
            hub.terminate()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"xet": True, "versions": ["v1.0.0", "v2.0.0"], "faults": [], "el": ["ένα", "δύο"]}
    assert list((tmp_path / "hub" / "xorbs").iterdir())


XET = """
import json, datasets
from drafts import put
from builders.publishing import verify_release
from cards.releases import list_releases, open_release
from huggingface_hub.utils._runtime import is_xet_available
from test_publish_to_hub import ONE, TWO
put("hf://org/xet", ONE)
put("hf://org/xet", TWO)
faults = [f for v in ("v1.0.0", "v2.0.0") for f in verify_release(open_release(f"hf://org/xet@{v}")).problems]
rows = datasets.load_dataset("org/xet", "el", revision="v1.0.0", split="train")["output"][:]
versions = [release.version for release in list_releases("hf://org/xet")]
print(json.dumps({"xet": is_xet_available(), "versions": versions, "faults": faults, "el": rows}))
"""


def test_real_hub_takes_and_returns_a_release(given, tmp_path):
    """Opt-in: COIT_TEST_HUB names an organisation, HF_TOKEN may write there; a private repository comes and goes."""
    if not (given.get("COIT_TEST_HUB") and given.get("HF_TOKEN")):
        pytest.skip("COIT_TEST_HUB and HF_TOKEN are not set")
    own = {name: text for name, text in given.items() if name != "HF_ENDPOINT"}
    own |= {"HF_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", REAL], env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"versions": ["v1.0.0", "v2.0.0"], "faults": []}


REAL = """
import json, os, uuid
from huggingface_hub import HfApi
from drafts import put
from builders.publishing import verify_release
from cards.releases import list_releases, open_release
from test_publish_to_hub import ONE, TWO
repo = f"{os.environ['COIT_TEST_HUB']}/coit-builders-test-{uuid.uuid4().hex[:8]}"
try:
    put(f"hf://{repo}", ONE, private=True)
    put(f"hf://{repo}", TWO)
    faults = [f for v in ("v1.0.0", "v2.0.0") for f in verify_release(open_release(f"hf://{repo}@{v}")).problems]
    print(json.dumps({"versions": [r.version for r in list_releases(f"hf://{repo}")], "faults": faults}))
finally:
    HfApi().delete_repo(repo, repo_type="dataset", missing_ok=True)
"""
