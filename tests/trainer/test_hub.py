"""A release on the Hub is loaded by commit and digest; what differs from the lock or the manifest is refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cards.manifest import identity
from corpora.errors import InputError
from trainer.hub import read_pin
from trainer.release import Release, find_release

ROOT = Path(__file__).parent.parent.parent
MINIHUB = ROOT.parent / "shared" / "tools" / "minihub"
COMMIT = "0123456789" * 4

ON_THE_HUB = """
import json, os, pathlib, socket, sys, threading
minihub, folder, other, lock = map(pathlib.Path, sys.argv[1:])
root = lock.parent
(root / "tokens.json").write_text(json.dumps({"hf_t": {"name": "alice", "orgs": {"acme": "write"}}}))
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
base = f"http://127.0.0.1:{sock.getsockname()[1]}"
os.environ |= {"HF_ENDPOINT": base, "HF_HOME": str(root / "home"), "HF_TOKEN": "hf_t", "HF_HUB_DISABLE_XET": "1"}
os.environ |= {"NO_PROXY": "127.0.0.1,localhost", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
os.environ.pop("HF_HUB_OFFLINE", None)
sys.path.insert(0, str(minihub))
import uvicorn
from minihub import make_app

app = make_app(root, base)
server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True).start()
from huggingface_hub import HfApi

api = HfApi()
api.create_repo("acme/coit", repo_type="dataset")
first = api.upload_folder(repo_id="acme/coit", repo_type="dataset", folder_path=folder).oid
api.create_tag("acme/coit", tag="v1.0.0", repo_type="dataset")
api.upload_folder(repo_id="acme/coit", repo_type="dataset", folder_path=other)
from corpora.errors import InputError
from trainer.release import find_release, read_rows

def said(asked, offline=False):
    try:
        found = find_release(asked, root, lock, offline)
        return [found.origin, found.said()["manifest_sha256"], len(read_rows(found, "el", "train", ["el"]))]
    except InputError as error:
        return str(error)

out = {"first": first, "tagged": said("acme/coit@v1.0.0"), "unknown": said("acme/coit@v3.0.0"),
       "missing": said("acme/nothing@v1.0.0"), "offline": said("acme/coit@v1.0.0", True), "main": said("acme/coit")}
entry = {"version": "v1.0.0", "commit": first, "manifest_sha256": out["tagged"][1]}
lock.write_text(json.dumps({"lock_version": 1, "releases": {"hf://acme/coit": entry}}))
out |= {"locked": said("acme/coit"), "locked_offline": said("acme/coit", True)}
entry["manifest_sha256"] = "0" * 64
lock.write_text(json.dumps({"lock_version": 1, "releases": {"hf://acme/coit": entry}}))
out |= {"changed": said("acme/coit")}
print(json.dumps(out))
"""


@pytest.mark.skipif(not MINIHUB.exists(), reason="needs the small Hub that stands beside the project")
def test_a_tag_or_a_lock_gives_the_release_as_it_was_published(release: Release, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    other = tmp_path / "other"
    shutil.copytree(release.folder, other)
    changed = json.loads((other / "manifest.json").read_text(encoding="utf-8")) | {"version": "v1.0.1"}
    (other / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_HUB, str(MINIHUB), str(release.folder), str(other), str(tmp_path / "lock")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    rows = release.manifest["configs"]["el"]["splits"]["train"]["rows"]
    published = [f"hf://acme/coit@v1.0.0 ({found['first']})", identity(release.manifest), rows]
    assert found["tagged"] == found["locked"] == found["locked_offline"] == published
    assert found["main"][0].startswith("hf://acme/coit@v1.0.1 (")
    assert found["unknown"] == "acme/coit has no version v3.0.0 on the Hub."
    assert found["missing"] == "There is no dataset acme/nothing on the Hub that you may read."
    assert "cannot be known offline" in found["offline"]
    assert "Find out who changed what; nothing was read." in found["changed"]


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
