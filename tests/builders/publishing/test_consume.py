"""Releases that are there, in a folder and on the Hub: compared, verified, locked, fetched, yanked, rolled back."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from builders.cli import cli
from builders.publishing import open_registry, roll_back, rows_digest, verify_release
from builders.releases import diff, fetch, load, lock, yank
from builders.workspace import temporary_workspace
from cards.manifest import data_files, file_entry, identity, to_text
from cards.releases import list_releases, open_release, read_lock
from corpora.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
from drafts import put

ONE = {"el": {"1": "ένα", "2": "δύο"}, "hi": {"1": "एक"}}
TWO = {"el": {"1": "ένα", "2": "δύο!", "3": "τρία"}, "hi": {"1": "एक"}}
TRAIN = "data/el/train-00000-of-00001.parquet"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with a cache of its own for what is fetched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(params=["folder", pytest.param("hub", marks=pytest.mark.slow)])
def place(request, hub, here):
    """A release `tiny` in two versions, v1.0.0 of ONE and v2.0.0 of TWO, in a folder or on the Hub: how it is named."""
    to = "registry" if request.param == "folder" else f"hf://org/consume-{here.name.replace('_', '-')[-40:].strip('-')}"
    put(to, ONE)
    put(to, TWO)
    return "tiny" if request.param == "folder" else to


def run(*arguments: str) -> str:
    """What the command prints; it must end well."""
    done = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def faults(name: str) -> tuple[str, ...]:
    with temporary_workspace() as work:
        return verify_release(open_release(name), work).problems


def test_versions_lists_rows_and_changes(place):
    table = run("versions", place)
    assert "v1.0.0" in table
    assert "1 rows added, 0 removed, 1 changed" in table
    told = json.loads(run("versions", place, "--json"))
    assert [(r["version"], r["num_rows"]) for r in told] == [("v1.0.0", 3), ("v2.0.0", 4)]
    assert all(r["manifest_sha256"] == open_release(f"{place}@{r['version']}").identity for r in told)


def test_registry_is_searched_by_names_languages_and_corpora(here):
    put("registry", ONE)
    put("registry", ONE, name="other", summary="Something with Hindi.", langs=["hi"])
    assert [r.manifest["name"] for r in list_releases("registry")] == ["other", "tiny"]
    for words, names in {"hindi": ["other"], "greek small": ["tiny"], "cc0": ["other", "tiny"], "klingon": []}.items():
        assert [r.manifest["name"] for r in list_releases("registry", words)] == names


def test_releases_of_an_organisation_are_listed(hub, here):
    for name in ("one", "two"):
        put(f"hf://alice/{name}", ONE)
    from huggingface_hub import HfApi

    HfApi().create_repo("alice/something-else", repo_type="dataset")
    assert {r.uri for r in list_releases("hf://alice")} == {"hf://alice/one@v1.0.0", "hf://alice/two@v1.0.0"}


def test_diff_counts_rows_by_key_and_shows_examples(place):
    found = diff(f"{place}@v1.0.0", place, examples=5, card=True)
    greek, hindi = found.difference.configs
    assert (greek.added, greek.removed, greek.changed, greek.num_rows) == (1, 0, 1, (2, 3))
    assert (hindi.added, hindi.removed, hindi.changed) == (0, 0, 0)
    shown = [(e["before"] and e["before"]["output"], e["after"]["output"]) for e in found.examples["el"]]
    assert shown == [("δύο", "δύο!"), (None, "τρία")]
    assert "+# Tiny v2.0.0" in found.card_lines
    text = run("diff", f"{place}@1.0.0", place)
    assert "A major version: 1 rows added, 0 removed, 1 changed." in text
    assert "- output: δύο\n  + output: δύο!" in text
    assert "They are the same." in run("diff", place, place)


def test_intact_release_verifies(place):
    assert faults(f"{place}@v1.0.0") == ()
    assert "3 rows" in run("verify", f"{place}@v1.0.0")


@pytest.fixture
def folder(here):
    put("registry", ONE)
    return here / "registry" / "tiny" / "v1.0.0"


def turn(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def other_rows(path: Path) -> None:
    """A manifest that tells of other rows, all digests of files being right."""
    manifest = json.loads((path.parents[2] / "manifest.json").read_text())
    manifest["configs"]["el"]["splits"]["train"]["content_sha256"] = "0" * 64
    (path.parents[2] / "manifest.json").write_text(to_text(manifest))


def told_anew(manifest: dict, folder: Path, write: bool = True) -> None:
    """The manifest of a release whose one file holds other rows, all digests of files being right."""
    manifest["configs"]["el"]["splits"]["train"] |= {
        "content_sha256": "0" * 64,
        "files": [file_entry(folder, folder / TRAIN)],
    }
    if write:
        (folder / "manifest.json").write_text(to_text(manifest))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (turn, "has been changed: its sha256 is"),
        (Path.unlink, "is missing"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "bytes, published were"),
        (lambda path: path.with_name("train-00001.parquet").write_bytes(b"x"), "00001.parquet is not in the manifest"),
        (lambda path: turn(path.parents[2] / "README.md"), "README.md has been changed"),
        (other_rows, "el/train has other rows than the manifest states"),
    ],
)
def test_verify_finds_each_kind_of_damage(folder, damage, said):
    damage(folder / TRAIN)
    found = faults("tiny")
    assert len(found) == 1
    assert said in found[0]
    done = CliRunner().invoke(cli, ["verify", "tiny"])
    assert isinstance(done.exception, InputError)
    assert said in done.stdout


def test_locked_release_loads_offline(place, hub, here):
    told = run("lock", f"{place}@v1.0.0")
    release = open_release(f"{place}@v1.0.0")
    (name, entry), *others = read_lock().items()
    assert not others
    assert (entry.version, entry.commit, entry.manifest_sha256) == ("v1.0.0", release.commit, release.identity)
    assert release.identity in told
    hub.seen.clear()
    folder = fetch(offline=True)[name]
    assert load(name, "el", split="train", offline=True, cache_dir=str(here / "arrow"))["output"] == ["ένα", "δύο"]
    assert fetch()[name] == folder
    assert hub.seen == []


@pytest.mark.slow
def test_pinned_release_is_fetched_later(hub, here):
    put("hf://org/pinned", ONE)
    run("lock", "hf://org/pinned", "--pin-only")
    with pytest.raises(InputError, match="is not in the cache, and this run is offline"):
        fetch(offline=True)
    assert "as locked" in run("fetch")
    assert fetch(offline=True)


@pytest.mark.slow
def test_lock_holds_when_the_tag_moves(hub, here):
    put("hf://org/moved", ONE)
    run("lock", "hf://org/moved")
    put("hf://org/moved", TWO)
    kept = hub.store.repos["org/moved"]
    kept.tags["v1.0.0"] = kept.tags["v2.0.0"]
    assert load("hf://org/moved", "el", split="train", cache_dir=str(here / "arrow"))["output"] == ["ένα", "δύο"]


@pytest.mark.slow
def test_lock_does_not_follow_a_hub_that_shows_an_older_state(hub, here):
    put("hf://org/replayed", ONE)
    put("hf://org/replayed", TWO)
    run("lock", "hf://org/replayed")
    kept = hub.store.repos["org/replayed"]
    newest = kept.tags.pop("v2.0.0")
    with pytest.raises(InputError, match=r"The newest version of hf://org/replayed is v1\.0\.0, but"):
        lock(["hf://org/replayed"])
    assert read_lock()["hf://org/replayed"].version == "v2.0.0"
    assert run("lock", "hf://org/replayed@v1.0.0")
    kept.tags["v2.0.0"] = newest


@pytest.mark.slow
def test_version_that_was_published_again_with_other_rows_is_not_locked(hub, here):
    put("hf://org/again", ONE)
    run("lock", "hf://org/again")
    del hub.store.repos["org/again"]
    put("hf://org/again", {"el": {"1": "evil"}})
    with pytest.raises(InputError, match="a published version never changes"):
        lock(["hf://org/again"])
    assert load("hf://org/again", "el", split="train", offline=True)["output"] == ["ένα", "δύο"]


def corrupt(hub, times: int) -> None:
    """Let the Hub send other bytes for the data, as often as this, of the same length."""
    from server import Answer

    left = [None] * times

    def fault(asked):
        if asked.method == "GET" and "/resolve/" in asked.path and asked.path.endswith(".parquet") and left:
            left.pop()
            answer = hub.answer(asked)
            return Answer(200, bytes(len(answer.file.read_bytes())), answer.headers)
        return None

    hub.faults.append(fault)


@pytest.mark.slow
def test_corrupted_download_is_fetched_again(hub, here):
    put("hf://org/once", ONE)
    run("lock", "hf://org/once", "--pin-only")
    corrupt(hub, 1)
    assert "as locked" in run("fetch")
    fetched = [asked for asked in hub.seen if asked.startswith("GET") and asked.endswith(".parquet")]
    assert (len(fetched), len(set(fetched))) == (4, 3)  # two of data and the ledger, and one of them again
    assert faults("hf://org/once") == ()


@pytest.mark.slow
def test_download_that_stays_corrupted_is_refused_and_not_cached(hub, here):
    put("hf://org/always", ONE)
    run("lock", "hf://org/always", "--pin-only")
    corrupt(hub, 99)
    assert any("has been changed" in fault for fault in faults("hf://org/always"))
    with pytest.raises(InputError, match="is not what was locked"):
        fetch()
    hub.faults.clear()
    assert fetch()
    assert faults("hf://org/always") == ()


@pytest.mark.slow
def test_damaged_cache_is_refused_offline_and_fetched_online(hub, here):
    put("hf://org/mended", ONE)
    run("lock", "hf://org/mended")
    turn((fetch(offline=True)["hf://org/mended"] / TRAIN).resolve())
    with pytest.raises(InputError, match="is not what was locked"):
        fetch(offline=True)
    assert fetch()


def test_missing_lock_and_unknown_name_are_refused(folder):
    with pytest.raises(InputError, match=r"There is no datasets\.lock"):
        fetch()
    lock(["tiny"])
    with pytest.raises(InputError, match="Unknown release in"):
        fetch(["tony"])


@pytest.mark.slow
def test_hostile_manifest_writes_nothing_outside_the_cache(hub, here):
    put("hf://org/hostile", ONE)
    from huggingface_hub import HfApi

    manifest = open_release("hf://org/hostile").manifest
    manifest["metadata_files"].append({"path": "../../../../pwned", "size": 1, "sha256": "0" * 64})
    api = HfApi()
    sent = {"path_or_fileobj": to_text(manifest).encode(), "path_in_repo": "manifest.json"}
    head = api.upload_file(**sent, repo_id="org/hostile", repo_type="dataset").oid
    hub.store.repos["org/hostile"].tags["v1.0.0"] = head
    for verb in (["verify"], ["lock"], ["show"]):
        done = CliRunner().invoke(cli, [*verb, "hf://org/hostile@v1.0.0"])
        assert isinstance(done.exception, InputError)
        assert "'metadata_files.3.path': String should match" in str(done.exception)
    assert not list(here.rglob("pwned"))


@pytest.mark.parametrize(
    "to",
    ["hf:/org", "x://a", "hf://", "hf://a/b/c", "hf://../x", "hf://a b", "hf://a/..", "hf://a/b--c"],
)
def test_malformed_registry_is_refused(here, to):
    with pytest.raises(InputError, match=r"is not a registry|is no name of a repository"):
        put(to, ONE)
    assert not list(here.iterdir())


def test_yanked_version_is_opened_only_by_its_full_name(place):
    run("yank", f"{place}@v2.0.0", "--why", "the second row is wrong")
    assert open_release(place).version == "v1.0.0"
    with pytest.raises(InputError, match=r"is yanked: v2\.0\.0"):
        open_release(f"{place}@v2")
    assert open_release(f"{place}@v2.0.0").yanked == "the second row is wrong"
    done = CliRunner().invoke(cli, ["verify", f"{place}@v2.0.0"])
    assert "is yanked: the second row is wrong" in done.stderr
    assert faults(f"{place}@v2.0.0") == ()
    assert "v2.0.0 yanked" in run("versions", place)
    run("yank", f"{place}@v2.0.0", "--undo")
    assert open_release(place).version == "v2.0.0"


def test_version_after_a_yanked_one_is_later(place):
    to = place if place.startswith("hf://") else "registry"
    yank(f"{place}@v2.0.0", why="wrong")
    assert put(to, TWO | {"tr": {"1": "bir"}}).manifest["version"] == "v2.1.0"
    assert (open_release(place).version, open_release(f"{place}@v2.0.0").yanked) == ("v2.1.0", "wrong")


@pytest.mark.slow
def test_card_on_main_warns_of_a_yanked_version(hub, here):
    put("hf://org/warned", ONE)
    yank("hf://org/warned@v1.0.0", why="a <b>bad</b> \\1 batch")
    kept = hub.store.repos["org/warned"]
    files = kept.commits[kept.heads["main"]].files
    card = hub.store.content(files["README.md"].sha256).read_text()
    assert "> v1.0.0 was yanked: a &#60;b&#62;bad&#60;/b&#62; &#92;1 batch" in card
    yank("hf://org/warned@v1.0.0", undo=True)
    files = kept.commits[kept.heads["main"]].files
    tagged = kept.commits[kept.tags["v1.0.0"]].files
    assert files["README.md"] == tagged["README.md"]


@pytest.mark.parametrize("arguments", [["tiny"], ["tiny@v1"], ["tiny@v9.0.0"], ["tiny@v1.0.0", "--undo", "--why", "x"]])
def test_ambiguous_yank_is_refused(folder, arguments):
    done = CliRunner().invoke(cli, ["yank", *arguments, *([] if "--why" in arguments else ["--why", "x"])])
    assert isinstance(done.exception, InputError)


def test_version_that_is_not_yanked_cannot_be_restored(place):
    with pytest.raises(InputError, match=r"@v1\.0\.0 is not yanked"):
        yank(f"{place}@v1.0.0", undo=True)


def test_rollback_is_a_new_version_and_sends_no_data(place, hub):
    old = open_release(f"{place}@v1.0.0")
    hub.seen.clear()
    told = run("rollback", f"{place}@v1.0.0")
    assert "v3.0.0 (0 rows added, 1 removed, 1 changed)" in told
    made = open_release(place)
    assert {c: e["splits"] for c, e in made.manifest["configs"].items()} == {
        c: e["splits"] for c, e in old.manifest["configs"].items()
    }
    assert made.manifest["parent"]["version"] == "v2.0.0"
    assert faults(place) == ()
    ledgers = [r.folder() / "ledger.parquet" for r in (old, made)]
    assert ledgers[0].read_bytes() == ledgers[1].read_bytes()
    data = {entry["sha256"] for entry in data_files(made.manifest["configs"])}
    assert not [asked for asked in hub.seen if asked.startswith("PUT") and asked.rpartition("/")[2] in data]
    assert identity(open_release(f"{place}@v1.0.0").manifest) == old.identity
    assert "nothing changed" in run("rollback", f"{place}@v3.0.0")


def test_rollback_preview_publishes_nothing(place, hub):
    told = run("rollback", f"{place}@v1.0.0", "--preview")
    assert "Would publish tiny v3.0.0" in told
    assert open_release(place).version == "v2.0.0"


def test_rollback_to_an_unknown_version_is_refused(folder):
    with temporary_workspace() as work, pytest.raises(InputError, match="Unknown version"):
        roll_back(open_registry("registry", "tiny"), "v7.0.0", work)
    done = CliRunner().invoke(cli, ["rollback", "tiny"])
    assert isinstance(done.exception, InputError)


@pytest.mark.slow
def test_hf_command_downloads_a_release(hub, here):
    put("hf://org/read", ONE)
    hf = shutil.which("hf") or Path(sys.executable).with_name("hf")
    own = os.environ | {"HF_HOME": str(here / "home")}

    def ask(*arguments: str) -> str:
        return subprocess.run([hf, *arguments], env=own, capture_output=True, text=True, check=True).stdout

    assert "v1.0.0" in ask("repos", "tag", "list", "org/read", "--type", "dataset")
    ask("download", "org/read", "--type", "dataset", "--revision", "v1.0.0", "--local-dir", "copy")
    assert "3 rows" in run("verify", "copy")


def test_reader_does_not_remove_a_damaged_release(place, here):
    other = open_release(f"{place}@v2.0.0")
    path = (other.folder() / TRAIN).resolve()
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"is missing|has been changed"):
        diff(f"{place}@v1.0.0", f"{place}@v2.0.0")
    assert path.stat().st_size == 500


def test_release_without_key_columns_is_refused(folder):
    pq.write_table(pa.table({"x": [1]}), folder / TRAIN)
    put("registry", ONE, name="other")
    manifest = json.loads((folder / "manifest.json").read_text())
    told_anew(manifest, folder)
    with pytest.raises(InputError, match="do not have the columns"):
        diff("tiny", "other")


def test_releases_of_other_columns_are_compared(folder, here):
    put("registry", ONE, name="other")
    manifest = json.loads((here / "registry/other/v1.0.0/manifest.json").read_text())
    path = here / "registry/other/v1.0.0" / TRAIN
    pl.read_parquet(path).drop("output").with_columns(answer=pl.lit("so")).write_parquet(path)
    told_anew(manifest, here / "registry/other/v1.0.0", write=False)
    manifest["features"] = [{"name": "answer", "dtype": "string"}]
    (here / "registry/other/v1.0.0/manifest.json").write_text(to_text(manifest))
    text = run("diff", "tiny", "other", "--examples", "1")
    assert "- output: ένα\n  + answer: so" in text
    assert "A major version: the columns changed." in text
    assert json.loads(run("diff", "tiny", "other", "--json"))["columns_added"] == ["answer"]


@pytest.mark.parametrize(
    "text", ["plain", 'quote " back \\ slash / tab \t', "a\u2028b\x7f\U0001f600\x01", "Ελληνικά हिन्दी"]
)
def test_digest_of_rows_does_not_depend_on_the_writer(here, text):
    made = put("registry", {"el": {"1": text, "2": "more"}})
    path = made.folder() / TRAIN
    pl.read_parquet(path).write_parquet(here / "other.parquet", compression="uncompressed", row_group_size=1)
    with temporary_workspace() as work:
        digests = {rows_digest([pq.read_table(file)], work) for file in (path, here / "other.parquet")}
    assert digests == {made.manifest["configs"]["el"]["splits"]["train"]["content_sha256"]}


@pytest.mark.slow
def test_unreachable_hub_is_an_error_message(here):
    code = "from builders.cli import main; main()"
    own = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(here)}
    command = [sys.executable, "-c", code, "verify", "hf://org/x"]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "no answer from http://127.0.0.1:9" in done.stderr
    own |= {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert "HF_HUB_OFFLINE is set" in done.stderr


def test_diff_checks_files_first(tmp_path):
    first, second = (put(str(tmp_path / "registry"), {"el": rows}) for rows in ({"1": "a"}, {"1": "b"}))
    path = next((first.folder() / "data").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-9] + b"x" + path.read_bytes()[-8:])
    with pytest.raises(InputError, match=r"has been changed: .* Restore it"):
        diff(str(first.folder()), str(second.folder()))
    path.unlink()
    with pytest.raises(InputError, match=r"is missing|has been changed"):
        diff(str(first.folder()), str(second.folder()))
