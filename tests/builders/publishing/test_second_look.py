"""Attacks by a second pair of eyes: what says one thing to `verify` and another to a reader."""

import base64
import gzip
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.publishing.row_digests import rows_digest
from builders.releases import diff, fetch, lock
from builders.workspace import temporary_workspace
from cards.manifest import FILE
from cards.releases import find_unexpected_files, open_release
from cards.releases.private_folder import private_folder
from corpora.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
from drafts import put
from server import Hub
from test_hostile_releases import ROWS, altered, as_bytes, folder, problems, read, replace_rows, rewrite, with_card  # noqa: F401

MORE = {"el": {"1": "ένα", "2": "δύο", "3": "τρία"}}


def hidden_in_schema(table: pa.Table, key: str) -> bytes:
    """Parquet whose file has only Arrow's key, within which a schema with another key is written."""
    schema = table.schema.with_metadata({key: json.dumps({"info": {"features": {}}})})
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, table.schema.remove_metadata(), store_schema=False) as writer:
        writer.write_table(table.replace_schema_metadata(None))
        writer.add_key_value_metadata({"ARROW:schema": base64.b64encode(schema.serialize()).decode()})
    return sink.getvalue()


def in_groups(*tables: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize("key", ["huggingface", "pandas"])
def test_key_that_is_hidden_within_the_key_of_arrow_is_found(folder: Path, key: str) -> None:  # noqa: F811
    replace_rows(folder, hidden_in_schema(read(folder), key))
    assert [problem for problem in problems(open_release(folder)) if f"has the key '{key}'" in problem]
    with pytest.raises(InputError, match="which readers may obey"):
        open_release(folder).load("el")


def test_type_of_another_library_within_a_list_is_found(folder: Path) -> None:  # noqa: F811
    told = {"ARROW:extension:name": "another.library.Array"}
    turn = pa.struct([pa.field("role", pa.string(), metadata=told), pa.field("content", pa.string())])
    table = pa.table({"messages": pa.array([[{"role": "user", "content": "ένα"}]] * 2, pa.list_(turn))})
    fields = [{"name": name, "dtype": "string"} for name in ("role", "content")]
    replace_rows(folder, table)
    rewrite(folder, lambda manifest: manifest.update(features=[{"name": "messages", "list": fields}]))
    found = problems(open_release(folder))
    assert [problem for problem in found if "has the columns" in problem], found


@pytest.mark.parametrize("first", [True, False])
def test_row_group_without_rows_is_a_sentence(folder: Path, first: bool) -> None:  # noqa: F811
    table = read(folder)
    replace_rows(folder, in_groups(table[:0], table) if first else in_groups(table, table[:0]))
    assert [problem for problem in problems(open_release(folder)) if "a row group without rows" in problem]
    with pytest.raises(InputError, match="a row group without rows"):
        open_release(folder).load("el")


@pytest.mark.parametrize("option", [{"filters": [("lang", "==", "el")]}, {"on_bad_files": "skip"}])
def test_option_that_leaves_out_rows_is_refused(folder: Path, option: dict[str, Any]) -> None:  # noqa: F811
    with pytest.raises(InputError, match="load\\(\\) returns every row"):
        open_release(folder).load("el", **option)


@pytest.mark.parametrize("name", ["published", "before", "after"])
def test_column_with_the_name_of_a_table_hides_no_other_column(folder: Path, name: str) -> None:  # noqa: F811
    tables = [table.append_column(name, pa.array(["a", "b"])) for table in (read(folder), altered(read(folder)))]
    with temporary_workspace() as work:
        assert rows_digest([tables[0]], work) != rows_digest([tables[1]], work)


COLUMNS = {
    "duration[ns]": {"name": "length", "dtype": "duration[ns]"},
    "timestamp with a zone": {"name": "time", "dtype": "timestamp[us, tz=UTC]"},
    "no type": {"name": "nothing"},
    "name of the row": {"name": "the row", "dtype": "string"},
    "capitals": {"name": "Output", "dtype": "string"},
    "another alphabet": {"name": "оutput", "dtype": "string"},
    "twice": {"name": "output", "dtype": "string"},
    "within a list": {"name": "messages", "list": [{"name": "role", "dtype": "duration[ns]"}]},
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_column_that_a_digest_does_not_tell_apart_is_refused(folder: Path, column: dict[str, Any]) -> None:  # noqa: F811
    rewrite(folder, lambda manifest: manifest["features"].append(column))
    with pytest.raises(InputError, match="column"):
        open_release(folder)


def test_folder_that_is_pinned_is_opened_with_the_pinned_manifest_only(folder: Path) -> None:  # noqa: F811
    replace_rows(folder, altered(read(folder)))
    for name in ("tiny", "tiny@v1.0.0", "./registry/tiny/v1.0.0", str(folder)):
        with pytest.raises(InputError, match="Nothing was read"):
            open_release(name, datasets_lock="datasets.lock")


@pytest.mark.parametrize("name", ["tiny", "tiny@v1.0.0"])
def test_folder_does_not_stand_for_a_release_of_the_registry(folder: Path, name: str) -> None:  # noqa: F811
    shutil.copytree(folder, name)
    for registry in ("registry", "hf://org"):
        with pytest.raises(InputError, match=f"Write ./{name} for the folder"):
            open_release(name, registry)
    assert open_release(f"./{name}").uri == name
    assert open_release(Path(name)).uri == name


def test_folder_that_cannot_be_listed_is_a_sentence(folder: Path) -> None:  # noqa: F811
    with pytest.raises(InputError, match="cannot be listed"):
        find_unexpected_files(folder / "gone", open_release(folder).manifest)


def test_lock_file_with_a_name_twice_is_refused(folder: Path) -> None:  # noqa: F811
    text = Path("datasets.lock").read_text()
    entry = text[text.index('    "registry/') : text.rindex("\n  }")]
    Path("datasets.lock").write_text(text.replace(entry, f"{entry},\n{entry}"))
    with pytest.raises(InputError, match="is there twice"):
        fetch()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give folders away")
@pytest.mark.parametrize("mode", [0o755, 0o1777])
@pytest.mark.parametrize("below", ["", "mine"])
def test_cache_in_a_folder_of_another_user_is_not_used(folder: Path, below: str, mode: int) -> None:  # noqa: F811
    Path("theirs", below).mkdir(parents=True)
    os.chown("theirs", 1234, 1234)
    Path("theirs").chmod(mode)
    with private_folder(Path("theirs", below)) as private:
        assert Path("theirs").resolve() not in private.parents


def test_manifest_of_a_shared_cache_is_compared_with_the_hub(hub: Hub, tmp_path: Path) -> None:
    place = "hf://org/second-look"
    put(place, ROWS)
    path = open_release(place).folder() / FILE
    assert not problems(open_release(place))
    path.resolve().write_text(path.read_text().replace('"Tiny"', '"Evil"'))
    found = problems(open_release(place))
    assert [problem for problem in found if "does not hold 'manifest.json' as it was published" in problem], found


def test_name_in_other_letters_than_the_lock_file_has_is_not_taken_for_another(hub: Hub, tmp_path: Path) -> None:
    put("hf://org/look-pinned", ROWS)
    pins = tmp_path / "datasets.lock"
    lock("hf://org/look-pinned", datasets_lock=pins)
    with pytest.raises(InputError, match="pins hf://org/look-pinned, which the Hub also finds"):
        open_release("hf://org/Look-Pinned", datasets_lock=pins)


def test_folder_with_the_name_of_another_version_is_not_opened(folder: Path) -> None:  # noqa: F811
    put("registry", {"el": {"1": "ένα", "2": "δύο!"}})
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("v2.0.0"), folder)
    with pytest.raises(InputError, match=r"holds v2\.0\.0: the folder was renamed or replaced"):
        open_release(folder)


def test_card_that_names_its_configs_twice_is_found(folder: Path) -> None:  # noqa: F811
    other = "configs:\n- config_name: el\n  data_files: [{split: train, path: evil/*.parquet}]\n"
    with_card(folder, lambda text: text.replace("configs:\n", f"{other}configs:\n", 1))
    assert [problem for problem in problems(open_release(folder)) if "name other files" in problem]


CARDS = {"a pipe": os.mkfifo, "a folder": os.mkdir, "a device": lambda path: Path(path).symlink_to("/dev/zero")}


@pytest.mark.parametrize("make", CARDS.values(), ids=CARDS)
def test_card_that_is_no_file_is_a_sentence(folder: Path, make: Callable[[Path], object]) -> None:  # noqa: F811
    (folder / "README.md").unlink()
    make(folder / "README.md")
    for call in (lambda: put("registry", MORE), lambda: diff(folder, folder, card=True)):
        with pytest.raises(InputError, match=r"README\.md is not a file"):
            call()


def test_card_that_is_no_text_does_not_stop_the_next_version(folder: Path) -> None:  # noqa: F811
    (folder / "README.md").write_bytes(b"\xff" + (folder / "README.md").read_bytes())
    assert put("registry", MORE).manifest["version"] == "v1.1.0"


@pytest.mark.parametrize("number", [2**63, 10**400])
def test_number_that_no_count_has_is_refused(folder: Path, number: int) -> None:  # noqa: F811
    rewrite(folder, lambda manifest: manifest["configs"]["el"]["splits"]["train"].update(num_bytes=number))
    with pytest.raises(InputError, match="less than or equal to"):
        open_release(folder)


def test_version_of_thousands_of_digits_is_a_sentence(folder: Path) -> None:  # noqa: F811
    Path("datasets.lock").write_text(Path("datasets.lock").read_text().replace('"v1.0.0"', f'"v1.0.{"9" * 5000}"'))
    with pytest.raises(InputError, match=r"datasets\.lock is damaged"):
        lock(["tiny"])


def after(prefix: bytes, table: pa.Table) -> bytes:
    """Parquet that is read from its end, behind other bytes, by whose first ones `datasets` unpacks a file."""
    sink = io.BytesIO()
    sink.write(prefix)
    with pq.ParquetWriter(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_parquet_that_begins_as_another_format_is_refused(folder: Path) -> None:  # noqa: F811
    table = read(folder)
    other = as_bytes(altered(table))
    for prefix in (gzip.compress(other), b"PK\x03\x04", b"\x1f\x8b\x08"):
        replace_rows(folder, after(prefix, table))
        assert [problem for problem in problems(open_release(folder)) if "begins as" in problem]
        for streaming in (False, True):
            with pytest.raises(InputError, match="begins as"):
                open_release(folder).load("el", split="train", streaming=streaming)


def test_pages_that_cannot_be_read_are_a_sentence(folder: Path) -> None:  # noqa: F811
    good = as_bytes(read(folder))
    replace_rows(folder, good[:4] + b"\xff" * 60 + good[64:])
    with pytest.raises(InputError, match="does not load the files"):
        open_release(folder).load("el")
