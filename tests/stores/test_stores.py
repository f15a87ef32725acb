"""Work folders and registries in object stores: S3 by moto's server, and other filesystems of pyarrow and fsspec."""

import filecmp
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import builders
from builders.cli import cli
from corpora.errors import InputError
from corpora.files import sealed_path
from corpora.stores import StagedFolder, Store, cache_folder, lease_store, store_uri

sys.path.insert(0, str(Path(__file__).parent))
from s3_server import failing_server, find_server, missing_server, s3_server

WHY_NOT = missing_server(find_server())
needs_s3 = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
SETTINGS = {"sample": True, "langs": ["el"], "threads": 2}
ADDRESSES = ["file://{folder}/store", "memory://{folder}/store"]  # of pyarrow, and of fsspec
TMX = """<tmx version="1.4"><header srclang="en" segtype="sentence"/><body>
<tu><tuv xml:lang="en"><seg>Yes.</seg></tuv><tuv xml:lang="el"><seg>Ναι.</seg></tuv></tu></body></tmx>"""
# Runs the command line, and kills its process when it begins to put file number N into a store.
KILLED = """
import os, signal, sys
from itertools import count
from corpora.stores import Store
from builders.cli import main
last, numbers, put = int(sys.argv.pop(1)), count(1), Store.put
def put_or_die(*arguments):
    if next(numbers) == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return put(*arguments)
Store.put = put_or_die
main()
"""


@pytest.fixture
def caches(tmp_path, monkeypatch):
    monkeypatch.setenv("COIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


def use_s3(monkeypatch, address):
    values = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
    for name, value in (values | {"AWS_ENDPOINT_URL": f"http://{address}"}).items():
        monkeypatch.setenv(name, value)


def test_another_version_of_the_server_is_named(tmp_path):
    command = tmp_path / "bin" / "moto_server"
    assert missing_server(command).startswith(f"There is no {command}. Run: python -m venv .moto")
    (tmp_path / "lib" / "python3.11" / "site-packages" / "moto-4.0.0.dist-info").mkdir(parents=True)
    command.parent.mkdir()
    command.touch()
    assert missing_server(command).startswith(f"{command} is not moto 5")


@needs_s3
@pytest.mark.slow
def test_a_killed_build_is_resumed_by_another_machine_from_a_store_that_fails_now_and_then(
    caches, tmp_path, monkeypatch
):
    local = builders.publish("coit", registry="here", work="work-here", **SETTINGS)
    with s3_server("bucket") as good, failing_server(good) as address:
        use_s3(monkeypatch, good)
        options = ["--sample", "--langs", "el", "--work", "s3://bucket/work", "--registry", "s3://bucket/registry"]
        command = [sys.executable, "-c", KILLED, "31", "publish", "coit", *options]
        assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
        kept = {name for name in Store("s3://bucket/work").sizes() if name.endswith(".sha256")}
        assert 10 < len(kept) < 20
        shutil.rmtree(caches)  # as another machine has none
        store = f"?endpoint_override={address}&scheme=http"
        release = builders.publish("coit", work=f"s3://bucket/work{store}", registry="s3://bucket/registry", **SETTINGS)
        again = builders.publish("coit", work=f"s3://bucket/work{store}", registry="s3://bucket/registry", **SETTINGS)
        assert (release.is_new, again.is_new) == (True, False)
        names = Store("s3://bucket/registry/coit-sample/v1.0.0").sizes()
        folder = release.folder()
        assert filecmp.cmpfiles(local.uri, folder, names.keys() - {"build.json"}, shallow=False)[1:] == ([], [])
        assert release.load("el")["train"].num_rows == local.rows("el").height
        assert builders.verify(release.uri).problems == builders.verify(local.uri).problems
        with pytest.raises(InputError, match="a lock file cannot pin"):
            builders.lock(release.uri)
        builders.yank(release.uri, why="A reason.")
        assert [v.yanked for v in builders.versions(registry="s3://bucket/registry")] == ["A reason."]
        ours = Store("s3://bucket/work").sizes()
        assert {name.rpartition(".")[0] for name in ours if name.endswith(".sha256")} == {
            name.rpartition(".")[0] for name in ours if name.endswith(".parquet")
        }
        assert kept <= ours.keys()
        assert not [name for name in ours if name.startswith(".leases/")]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_sealed_file_is_fetched_and_a_damaged_one_is_removed(caches, tmp_path, address):
    store = Store(address.format(folder=tmp_path))
    staged = StagedFolder(store, tmp_path / "one")
    path = tmp_path / "one" / "pairs" / "name.parquet"
    with sealed_path(path) as temporary:
        temporary.write_bytes(b"rows")
    staged.commit(path)
    assert store.sizes() == {"pairs/name.parquet": 4, "pairs/name.sha256": store.sizes()["pairs/name.sha256"]}
    there = tmp_path / "two" / "pairs" / "name.parquet"
    StagedFolder(store, tmp_path / "two").fetch(there)
    assert there.read_bytes() == b"rows"
    store.write("pairs/name.parquet", b"lost")
    other = StagedFolder(store, tmp_path / "three")
    other.fetch(tmp_path / "three" / "pairs" / "name.parquet")
    assert not (tmp_path / "three" / "pairs" / "name.parquet").exists()
    assert store.sizes() == {}


@pytest.mark.slow
def test_a_build_in_a_store_is_looked_at_and_a_damaged_part_of_it_is_made_again(caches, tmp_path):
    local = builders.publish("coit", registry="here", work="work-here", **SETTINGS)
    uri = f"file://{tmp_path}/work"
    builders.build("coit", work=uri, **SETTINGS)
    shutil.rmtree(caches)  # as another machine has none
    lines = builders.inspect(lang="el", work=uri)
    assert lines.equals(builders.inspect(lang="el", work="work-here"))
    with pytest.raises(InputError, match="nothing to export"):
        cli(["tm", "export", "all.tmx", "--work", uri], standalone_mode=False)
    (tmp_path / "mine.tmx").write_text(TMX)
    cli(["tm", "import", "mine.tmx", "--work", uri], standalone_mode=False)
    assert "memory/human/el/memory.parquet" in Store(uri).sizes()
    cli(["tm", "export", "all.tmx", "--work", uri], standalone_mode=False)
    assert "Ναι." in (tmp_path / "all.tmx").read_text()
    shutil.rmtree(tmp_path / "work" / "memory")
    shutil.rmtree(caches)
    for part in (tmp_path / "work" / "pairs").glob("*.parquet"):
        part.write_bytes(part.read_bytes()[:-9] + b"otherwise")
    release = builders.publish("coit", work=uri, registry="there", **SETTINGS)
    names = {path.name for path in Path(local.uri).iterdir() if path.is_file()} - {"build.json"}
    assert filecmp.cmpfiles(local.uri, release.uri, names, shallow=False)[1:] == ([], [])
    assert StagedFolder(Store(uri), tmp_path / "other").names() == Store(uri).sizes().keys()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_store_belongs_to_one_run(caches, tmp_path, address):
    store = Store(address.format(folder=f"{tmp_path}/lease"))
    refused = pytest.raises(InputError, match=r"Another run is using the work folder .+: process")
    with lease_store(store, "work folder"), refused:
        lease_store(store, "work folder").__enter__()
    with lease_store(store, "work folder"):
        pass
    assert store.sizes() == {}


def test_files_that_another_machine_changed_are_pulled_and_own_ones_kept(caches, tmp_path):
    store = Store(f"file://{tmp_path}/store")
    store.write("memory/el/memory.parquet", b"theirs")
    own = tmp_path / "here" / "memory" / "el" / "memory.parquet"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"ours")
    staged = StagedFolder(store, tmp_path / "here")
    staged.pull("memory", lambda path: path.with_name("batch.parquet"))
    assert (own.read_bytes(), own.with_name("batch.parquet").read_bytes()) == (b"theirs", b"ours")
    staged.push("memory")
    assert store.sizes() == {"memory/el/memory.parquet": 6, "memory/el/batch.parquet": 4}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"work": "nosuch://bucket/work"}, "nosuch://bucket/work cannot be opened"),
        ({"work": "s3://bucket/work", "cluster": "auto"}, "name a folder that all nodes share"),
    ],
)
def test_a_wrong_store_is_a_sentence(caches, options, sentence):
    with pytest.raises(InputError, match=sentence):
        builders.build("coit", **SETTINGS, **options)


def test_addresses_of_stores():
    assert store_uri(Path("s3://bucket/a")) == store_uri("s3://bucket/a/") == "s3://bucket/a"
    assert store_uri(Path("file:///tmp/a")) == "file:///tmp/a"
    assert [store_uri(text) for text in ("work", "/tmp/work", "hf://ORG/NAME", "C:/work")] == [None] * 4
    assert Store("s3://bucket/a?region=x").below("b").uri == "s3://bucket/a/b?region=x"
    assert cache_folder("s3://one") != cache_folder("s3://two")
