"""The verb `tm`: statistics, export and import of the translation memory."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from builders.cli import cli
from builders.translation import digest
from corpora.errors import InputError
from tests.builders.translation.running import run


def invoked(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["tm", *arguments])


RECORDS = [
    ("Name two colours. Say why.", "", "- Red is warm.\n- Blue is cold."),
    ("What does 日本 mean?", "", "A country."),
]


@pytest.mark.parametrize("name", ["memory.tmx", "memory.parquet"])
def test_exported_memory_is_imported_again(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    runner, work = CliRunner(), ["--work", str(tmp_path / "work")]
    arguments = (str(alpaca(*RECORDS)), "--langs", "el", "--translator", str(converted))
    assert run(tmp_path, *arguments).exit_code == 0
    assert "float32 beam 1" in runner.invoke(cli, ["tm", "list", *work]).output
    file, other = str(tmp_path / name), ["--work", str(tmp_path / "other")]
    assert "translations are in" in runner.invoke(cli, ["tm", "export", file, *work]).output
    assert "were added" in runner.invoke(cli, ["tm", "import", file, *other]).output
    assert "0 translations were added" in runner.invoke(cli, ["tm", "import", file, *other]).output
    found = json.loads(runner.invoke(cli, ["tm", "list", "--json", *other]).output)["partitions"]
    assert sum(partition["segments"] for partition in found) >= 5
    assert {(partition["lang"], partition["origin"]) for partition in found} == {("el", "model")}


UNIT = '<tu><tuv xml:lang="{}"><seg>Hello.</seg></tuv><tuv xml:lang="{}"><seg>Γεια.</seg></tuv></tu>'
ROW = {"sha256": digest("e"), "lang": "el", "origin": "model", "model": "0" * 64, "decoding": "d", "text": "t"}
ROW |= {"flags": [], "en": "e"}


def tmx(*langs: str) -> str:
    return f'<tmx version="1.4"><body>{UNIT.format(*langs)}</body></tmx>'


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.tmx", "<html></html>", "is not TMX: its outermost element is <html>"),
        ("a.tmx", tmx("en", "el")[:-9], "not a TMX file that can be read"),
        ("a.tmx", "", "not a TMX file that can be read"),
        ("a.tmx", tmx("fr", "el"), "has no translation from English"),
        ("a.tmx", tmx("en", "tlh"), "has no translation from English"),
        ("a.parquet", "nothing", "no translation memory in Parquet"),
        ("a.parquet", {"a": 1}, "lacks the column sha256"),
        ("a.parquet", ROW | {"flags": "none"}, "no translation memory in Parquet"),
        ("a.parquet", ROW | {"lang": "tlh"}, "row 1: 'tlh' is no language"),
        ("a.parquet", ROW | {"text": None}, "row 1: text is missing"),
        ("a.parquet", ROW | {"en": "f"}, "row 1: sha256 is not that of the text"),
        ("a.parquet", ROW | {"model": "../../elsewhere"}, "row 1: model must be a SHA-256"),
        ("a.parquet", ROW | {"origin": "by hand"}, "row 1: origin must be"),
        ("a.csv", "a,b", "is a .tmx or .parquet file"),
        ("none.tmx", None, "is no file"),
        ("a.tmx", ..., "is a folder"),
    ],
)
def test_import_of_a_faulty_file_is_an_error_and_changes_nothing(
    tmp_path: Path, name: str, content: object, told: str
) -> None:
    work = tmp_path / "work"
    good = tmp_path / "good.tmx"
    good.write_text(tmx("en", "el"), encoding="utf-8")
    assert "1 translations were added" in invoked("import", str(good), "--work", str(work)).output
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    path = tmp_path / name
    if isinstance(content, dict):
        pq.write_table(pa.Table.from_pylist([content]), path)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif content is ...:
        path.mkdir()
    done = invoked("import", str(path), "--work", str(work))
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)
    assert name in str(done.exception)
    assert "pull" not in str(done.exception)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.parquet") if p.is_file() and p != path} == before


def test_memory_that_repeats_one_long_text_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from builders.translation.memory import read_tables
    from builders.translation.memory_import import import_memory

    text = pa.DictionaryArray.from_arrays(pa.array([0] * 4000, pa.int32()), pa.array(["x" * 1_000_000]))
    names = ("sha256", "lang", "en", "text", "origin", "model", "decoding", "flags")
    path = tmp_path / "memory.parquet"
    table = pa.table(dict.fromkeys(names, text))
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=False)
    for read in (lambda: import_memory(path, work=tmp_path / "work"), lambda: list(read_tables(path, ["en", "text"]))):
        with pytest.raises(InputError, match="refused as a decompression bomb"):
            read()
