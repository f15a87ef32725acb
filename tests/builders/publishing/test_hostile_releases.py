"""Attacks on a release in a folder: `verify` finds each, `fetch` refuses it, and no loader returns other rows."""

import io
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.publishing import verify_release
from builders.releases import fetch, load, lock
from builders.workspace import temporary_workspace
from cards.manifest import FILE, file_entry, to_text
from cards.releases import Release, open_release
from corpora.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
from drafts import put

ROWS = {"el": {"1": "ένα", "2": "δύο"}}
TRAIN = "data/el/train-00000-of-00001.parquet"
CONFIGS = "configs:\n- config_name: el\n  data_files: [{split: train, path: evil/*.parquet}]\n"
TYPES = "  features: [{name: id2, dtype: int64}]\n"
Attack = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A release in a folder, pinned in datasets.lock."""
    monkeypatch.chdir(tmp_path)
    put("registry", ROWS)
    lock(["tiny"])
    return tmp_path / "registry" / "tiny" / "v1.0.0"


def problems(release: Release) -> tuple[str, ...]:
    with temporary_workspace() as work:
        return verify_release(release, work).problems


def outcome(call: Callable[[], Any]) -> Any:
    """The texts that a loader returns; "refused" if it refuses in a sentence."""
    try:
        loaded = call()
    except InputError:
        return "refused"
    return list(loaded["output"])


def loaders(folder: Path) -> dict[str, Any]:
    """What each of our loaders makes of a folder."""
    cache = str(folder.parent.parent.parent / "cache")
    return {
        "rows": outcome(lambda: open_release(folder).rows("el")),
        "filtered rows": outcome(lambda: open_release(folder).rows("el", langs=["el"])),
        "load": outcome(lambda: open_release(folder).load("el", split="train", cache_dir=cache)),
        "streamed": outcome(lambda: stream(open_release(folder), cache)),
        "locked load": outcome(lambda: load("registry/tiny/v1.0.0", "el", split="train", cache_dir=cache)),
    }


def stream(release: Release, cache: str) -> dict[str, list[str]]:
    rows = list(release.load("el", split="train", streaming=True, cache_dir=cache))
    return {"output": [row["output"] for row in rows]}


def altered(table: pa.Table) -> pa.Table:
    position = table.schema.get_field_index("output")
    return table.set_column(position, "output", pa.array(["evil"] * len(table)))


def write_altered(folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(altered(pq.read_table(folder / TRAIN)), folder / path)


def write_text(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


def beside_the_card(folder: Path) -> None:
    write_altered(folder, "evil/rows.parquet")
    write_text(folder, ".huggingface.yaml", CONFIGS)


def linked_folder(folder: Path) -> None:
    """Another folder under the name of a second config, from which a pattern of a card might read."""
    shutil.copytree(folder / "data" / "el", folder.parent.parent / "elsewhere")
    (folder / "data" / "more").symlink_to(folder.parent.parent / "elsewhere")


# What lies beside a release. Our loaders read only what the manifest lists; `verify` and `fetch` refuse the rest.
BESIDE: dict[str, Attack] = {
    "yaml that outranks the card": beside_the_card,
    "another part of a split": lambda f: write_altered(f, "data/el/train-00001-of-00002.parquet"),
    "a part without our numbering": lambda f: write_altered(f, "data/el/train-extra.parquet"),
    "another split": lambda f: write_altered(f, "data/el/test-00000-of-00001.parquet"),
    "infos of old datasets": lambda f: write_text(f, "dataset_infos.json", "{}"),
    "a loading script": lambda f: write_text(f, "v1.0.0.py", "raise SystemExit"),
    "a hidden folder": lambda f: write_altered(f, ".hidden/rows.parquet"),
    "a folder of another tool in a cache": lambda f: write_altered(f, ".cache/other/rows.parquet"),
    "the card in small letters": lambda f: write_text(f, "readme.md", f"---\n{CONFIGS}---\n"),
    "a name in decomposed Unicode": lambda f: write_text(f, "data/el/train-e\u0301.parquet", "x"),
    "a name with an escape sequence": lambda f: write_text(f, "data/\x1b[2J.parquet", "x"),
    "a linked folder": linked_folder,
    "a dangling link": lambda f: (f / "data" / "el" / "train-x.parquet").symlink_to("/nonexistent"),
    "a dataset saved by save_to_disk": lambda f: write_text(f, "dataset_dict.json", '{"splits": ["train"]}'),
    "a pipe": lambda f: os.mkfifo(f / "data" / "el" / "train-pipe.parquet"),
}


@pytest.mark.parametrize("attack", BESIDE.values(), ids=BESIDE)
def test_what_lies_beside_a_release_is_found_and_never_loaded(folder: Path, attack: Attack) -> None:
    attack(folder)
    found = problems(open_release(folder))
    assert found
    assert all("is not in the manifest" in problem for problem in found)
    with pytest.raises(InputError, match="is not in the manifest"):
        fetch()
    with pytest.raises(InputError, match="is not in the manifest"):
        put("registry", {"el": {"1": "ένα", "2": "δύο", "3": "τρία"}})
    original = {name: ["ένα", "δύο"] for name in ("rows", "filtered rows", "load", "streamed")}
    assert loaders(folder) == original | {"locked load": "refused"}


def as_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest; its own text is as builders writes it."""
    manifest = json.loads((folder / FILE).read_text())
    change(manifest)
    (folder / FILE).write_text(to_text(manifest))


def train(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest["configs"]["el"]["splits"]["train"]


def replace_rows(folder: Path, table: pa.Table | bytes, **changes: Any) -> None:
    """Replace the data, with a manifest that states the new file (and only what `changes` say of the rows)."""
    (folder / TRAIN).write_bytes(table if isinstance(table, bytes) else as_bytes(table))
    entry = file_entry(folder, folder / TRAIN)
    rewrite(folder, lambda manifest: train(manifest).update({"files": [entry], **changes}))


def read(folder: Path) -> pa.Table:
    return pq.read_table(folder / TRAIN)


def with_card(folder: Path, change: Callable[[str], str]) -> None:
    """Change the card, with a manifest that states the new card."""
    (folder / "README.md").write_text(change((folder / "README.md").read_text()))
    entry = file_entry(folder, folder / "README.md")
    rewrite(folder, lambda m: m.update(metadata_files=[entry, *others(m)]))


def others(manifest: dict[str, Any]) -> list[Any]:
    """The files beside data and card."""
    return [entry for entry in manifest["metadata_files"] if entry["path"] != "README.md"]


def features_of_datasets(table: pa.Table) -> pa.Table:
    """Rows whose schema tells `datasets` of other types."""
    told = {"info": {"features": {name: {"dtype": "int64", "_type": "Value"} for name in table.column_names}}}
    return table.replace_schema_metadata({"huggingface": json.dumps(told)})


def twice(table: pa.Table) -> pa.Table:
    """Rows with a second column of the same name, in capitals: readers that ignore case take either."""
    return table.append_column("OUTPUT", pa.array(["evil"] * len(table)))


def bytes_as_text(values: list[bytes]) -> pa.Array:
    """Texts that are not UTF-8, which Arrow does not check."""
    return pa.Array.from_buffers(pa.string(), len(values), pa.array(values, pa.binary()).buffers())


def with_other_bytes(table: pa.Table) -> pa.Table:
    """More rows, of which no digest can be computed: it was the same for all texts that are not UTF-8."""
    more = table.set_column(table.schema.get_field_index("output"), "output", bytes_as_text([b"evil\xff"] * len(table)))
    return pa.concat_tables([table, more])


# A release whose manifest was rewritten: it has another identity, but says as many rows with the same digest.
REWRITTEN: dict[str, tuple[Attack, str]] = {
    "other rows": (lambda f: replace_rows(f, altered(read(f))), "has other rows than the manifest states"),
    "rows in another order": (lambda f: replace_rows(f, read(f)[::-1]), "has other rows than the manifest states"),
    "a row fewer": (lambda f: replace_rows(f, read(f)[:1]), "has 1 rows; the manifest states 2"),
    "a row fewer, counted": (lambda f: replace_rows(f, read(f)[:1], num_rows=1), "has other rows"),
    "another column": (lambda f: replace_rows(f, twice(read(f))), "has the columns"),
    "columns in another order": (
        lambda f: replace_rows(f, read(f).select(read(f).column_names[::-1])),
        "has the columns",
    ),
    "types of datasets in the schema": (lambda f: replace_rows(f, features_of_datasets(read(f))), "'huggingface'"),
    "an index of pandas in the schema": (
        lambda f: replace_rows(f, read(f).replace_schema_metadata({"pandas": '{"index_columns": ["id"]}'})),
        "'pandas'",
    ),
    "dictionaries in the schema": (
        lambda f: replace_rows(f, read(f).set_column(0, "id", read(f)["id"].dictionary_encode())),
        "has the columns",
    ),
    "rows that are not UTF-8": (
        lambda f: replace_rows(f, with_other_bytes(read(f)), num_rows=4),
        "Invalid UTF8",
    ),
    "nothing in place of an empty text": (
        lambda f: replace_rows(f, read(f).set_column(5, "input", pa.nulls(2, pa.string()))),
        "has other rows",
    ),
    "no Parquet": (lambda f: replace_rows(f, b"PAR1 no PAR1"), "cannot be read as Parquet"),
    "a file listed twice": (
        lambda f: rewrite(f, lambda m: train(m).update(files=train(m)["files"] * 2)),
        "is listed twice",
    ),
    "data listed beside the data": (
        lambda f: [
            write_altered(f, "data/el/train-00001-of-00002.parquet"),
            rewrite(
                f,
                lambda m: m["metadata_files"].append(file_entry(f, f / "data/el/train-00001-of-00002.parquet")),
            ),
        ],
        "is not one of README.md",
    ),
    "infos listed beside the card": (
        lambda f: [
            write_text(f, "dataset_infos.json", "{}"),
            rewrite(f, lambda m: m["metadata_files"].append(file_entry(f, f / "dataset_infos.json"))),
        ],
        "is not one of README.md",
    ),
    "data of another config": (
        lambda f: [
            write_altered(f, "data/hi/train-00000-of-00001.parquet"),
            rewrite(f, lambda m: train(m).update(files=[file_entry(f, f / "data/hi/train-00000-of-00001.parquet")])),
        ],
        "is not a name of a file of split train of config el",
    ),
    "a card that is not listed": (
        lambda f: rewrite(f, lambda m: m.update(metadata_files=others(m))),
        "README.md is not in the manifest",
    ),
    "a card with other files": (lambda f: with_card(f, lambda text: text.replace("train-*", "*")), "name other files"),
    "a card with a folder": (
        lambda f: with_card(f, lambda text: text.replace("  data_files:", "  data_dir: evil\n  data_files:")),
        "name other files",
    ),
    "a card with columns of its own": (
        lambda f: with_card(
            f, lambda text: text.replace("  splits:\n", "  features: [{name: id2, dtype: int64}]\n  splits:\n")
        ),
        "states other columns",
    ),
    "a card without YAML": (lambda f: with_card(f, lambda text: text.replace("---", "", 1)), "name other files"),
    "another major version of the manifest": (
        lambda f: rewrite(f, lambda m: m.update(manifest_version=99)),
        "is not a manifest of version",
    ),
    "a key twice in the manifest": (
        lambda f: (f / FILE).write_text((f / FILE).read_text().replace("{\n", '{\n  "version": "v9.9.9",\n', 1)),
        "is not as builders writes it",
    ),
    "a manifest on one line": (
        lambda f: (f / FILE).write_text(json.dumps(json.loads((f / FILE).read_text()))),
        "is not as builders writes it",
    ),
    "half a character": (
        lambda f: (f / FILE).write_text((f / FILE).read_text().replace('"Tiny"', '"\\ud800"')),
        "manifest.json is",
    ),
    "a number without end": (
        lambda f: (f / FILE).write_text((f / FILE).read_text().replace('"size": ', '"size": ' + "9" * 5000, 1)),
        "manifest.json is damaged",
    ),
    "deep JSON": (lambda f: (f / FILE).write_text("[" * 100_000), "manifest.json is damaged"),
    "a path with NUL": (
        lambda f: rewrite(f, lambda m: train(m)["files"][0].update(path="data/el/\0.parquet")),
        "String should match",
    ),
}


@pytest.mark.parametrize(("attack", "sentence"), REWRITTEN.values(), ids=REWRITTEN)
def test_rewritten_release_is_found_and_is_not_the_locked_one(folder: Path, attack: Attack, sentence: str) -> None:
    attack(folder)
    try:
        found = problems(open_release(folder))
    except InputError as error:
        found = (str(error),)
    assert [problem for problem in found if sentence in problem], found
    with pytest.raises(InputError):
        fetch()
    with pytest.raises(InputError):
        load("registry/tiny/v1.0.0", "el")


STATUS = {"deep": "[" * 100_000, "deep objects": '{"yanked":' * 50_000, "a list": "[]", "no text": "\0", "nothing": ""}


@pytest.mark.parametrize("text", STATUS.values(), ids=STATUS)
def test_malformed_status_file_is_a_sentence(folder: Path, text: str) -> None:
    (folder.parent / "registry.json").write_text(text)
    with pytest.raises(InputError, match=r"registry\.json is damaged"):
        open_release("tiny")


@pytest.mark.parametrize("name", ["v1.0.0/manifest.json", "registry.json", "../../datasets.lock"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: Path(path).symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_file_that_never_ends_is_a_sentence(folder: Path, name: str, make: Callable[[Path], object]) -> None:
    path = folder.parent / name
    path.unlink(missing_ok=True)
    make(path)
    with pytest.raises(InputError, match="is not a file"):
        fetch() if "lock" in name else open_release("tiny")


def pin(change: Callable[[dict[str, Any]], object]) -> None:
    """Change the lock file."""
    lock_file = Path("datasets.lock")
    content = json.loads(lock_file.read_text())
    change(content["releases"])
    lock_file.write_text(json.dumps(content))


NAME = "registry/tiny/v1.0.0"
LOCKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no files": lambda pins: pins[NAME].update(files=[]),
    "one file fewer": lambda pins: pins[NAME]["files"].pop(),
    "another file": lambda pins: pins[NAME]["files"][1].update(path="data/el/other.parquet"),
    "another digest": lambda pins: pins[NAME]["files"][1].update(sha256="0" * 64),
    "another size": lambda pins: pins[NAME]["files"][1].update(size=10**30),
    "another manifest": lambda pins: pins[NAME].update(manifest_sha256="0" * 64),
    "another version": lambda pins: pins[NAME].update(version="v2.0.0"),
    "a path above": lambda pins: pins[NAME]["files"][1].update(path="../../etc/passwd"),
    "another folder": lambda pins: pins.update({"/etc": pins.pop(NAME)}),
    "NUL in a name": lambda pins: pins.update({"a\0b": pins.pop(NAME)}),
    "half a character": lambda pins: pins.update({"\ud800": pins.pop(NAME)}),
    "a repository above": lambda pins: pins.update({"hf://a/../b": pins.pop(NAME) | {"commit": "0" * 40}}),
    "a key more": lambda pins: pins[NAME].update(trusted=True),
}


@pytest.mark.parametrize("change", LOCKS.values(), ids=LOCKS)
def test_changed_lock_file_loads_nothing(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    pin(change)
    with pytest.raises(InputError):
        fetch()
    with pytest.raises(InputError):
        load(NAME, "el")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"lock_version": ' + "9" * 5000 + "}", "\0", "{}", "\ufeff{}"])
def test_malformed_lock_file_is_a_sentence(folder: Path, text: str) -> None:
    Path("datasets.lock").write_text(text)
    for call in (fetch, lambda: lock(["tiny"])):
        with pytest.raises(InputError, match=r"datasets\.lock is"):
            call()


@pytest.mark.parametrize("name", ["v1.0.0", "v2.0.0"])
def test_replayed_version_is_not_opened(folder: Path, name: str) -> None:
    put("registry", {"el": {"1": "ένα", "2": "δύο!"}})
    newest = folder.with_name("v2.0.0")
    shutil.rmtree(folder.with_name(name))
    shutil.copytree(newest if name == "v1.0.0" else folder, folder.with_name(name))
    with pytest.raises(InputError, match="the folder was renamed or replaced"):
        open_release(f"tiny@{name}")


def test_release_of_another_name_is_not_opened(folder: Path) -> None:
    put("registry", ROWS, name="other")
    shutil.rmtree(folder)
    shutil.copytree(folder.parent.with_name("other") / "v1.0.0", folder)
    with pytest.raises(InputError, match=r"holds other@v1\.0\.0, not tiny@v1\.0\.0"):
        open_release("tiny")


def patch(data: bytes, old: bytes, new: bytes) -> bytes:
    """Parquet whose footer states something else."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert old in data[footer:]
    return data[:footer] + data[footer:].replace(old, new)


def test_statistics_that_lie_hide_no_rows(folder: Path) -> None:
    data = patch((folder / TRAIN).read_bytes(), b"\x02el", b"\x02zz")
    replace_rows(folder, data)
    assert outcome(lambda: open_release(folder).rows("el", langs=["el"])) == ["ένα", "δύο"]


@pytest.mark.parametrize("count", [b"\x16\x02", b"\x16\x06", b"\x16\x00"])
def test_footer_that_lies_about_rows_is_found(folder: Path, count: bytes) -> None:
    replace_rows(folder, patch((folder / TRAIN).read_bytes(), b"\x16\x04", count))
    assert problems(open_release(folder))
    assert loaders(folder)["rows"] == "refused"


def test_prepared_data_of_a_shared_cache_is_not_used(folder: Path, tmp_path: Path) -> None:
    import datasets

    cache, path = str(tmp_path / "shared"), folder / TRAIN
    original, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(as_bytes(altered(read(folder))))
    os.utime(path, ns=times)
    datasets.load_dataset("parquet", data_files={"train": [str(path)]}, cache_dir=cache)
    path.write_bytes(original)
    os.utime(path, ns=times)
    loaded = open_release(folder).load("el", split="train", cache_dir=cache)
    assert loaded["output"][:] == ["ένα", "δύο"]
    for prepared in Path(cache).rglob("*.arrow"):
        prepared.write_bytes(b"evil")
    assert open_release(folder).load("el", split="train", cache_dir=cache)["output"][:] == ["ένα", "δύο"]


def test_cache_in_which_others_may_rename_is_not_used(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    loaded = open_release(folder).load("el", split="train", cache_dir=str(shared))
    assert list(shared.iterdir()) == []
    private = [Path(file["filename"]) for file in loaded.cache_files]
    assert all(parent.stat().st_uid == os.getuid() for path in private for parent in path.parents[:2])


@pytest.mark.parametrize("option", ["data_files", "data_dir", "name", "path", "revision"])
def test_option_that_chooses_other_files_is_refused(folder: Path, option: str) -> None:
    with pytest.raises(InputError, match=f"has no option '{option}'"):
        open_release(folder).load("el", **{option: "evil"})


def test_files_that_are_swapped_while_they_are_read_are_never_loaded(folder: Path) -> None:
    path, good, evil = folder / TRAIN, folder.parent / "good", folder.parent / "evil"
    good.write_bytes(path.read_bytes())
    evil.write_bytes(as_bytes(altered(read(folder))))
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for target in (evil, good):
                link = folder.parent / "link"
                link.symlink_to(target)
                os.replace(link, path)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        release = open_release(folder)
        results = [outcome(lambda: release.rows("el")) for _ in range(40)]
    finally:
        done.set()
        thread.join()
    assert all(result in ("refused", ["ένα", "δύο"]) for result in results)


def test_local_folder_named_parquet_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    write_text(tmp_path, "parquet/parquet.py", "raise SystemExit")
    assert loaders(folder)["load"] == ["ένα", "δύο"]
    write_text(tmp_path, "parquet/state.json", "{}")
    with pytest.raises(InputError, match="`datasets` does not load"):
        open_release(folder).load("el")
