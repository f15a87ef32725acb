"""The translation memory shown, taken out and brought back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from builders.cli import cli
from corpora.errors import InputError
from tests.builders.translating.running import run

RECORDS = [
    ("Name two colours. Say why.", "", "- Red is warm.\n- Blue is cold."),
    ("What does 日本 mean?", "", "A country."),
]


@pytest.mark.parametrize("name", ["memory.tmx", "memory.parquet"])
def test_the_memory_goes_out_and_comes_back(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    runner, work = CliRunner(), ["--work", str(tmp_path / "work")]
    arguments = (str(alpaca(*RECORDS)), "--langs", "el", "--translator", str(converted))
    assert run(tmp_path, *arguments).exit_code == 0
    assert "float32 beam 1" in runner.invoke(cli, ["memory", *work]).output
    file, other = str(tmp_path / name), ["--work", str(tmp_path / "other")]
    assert "translations are in" in runner.invoke(cli, ["memory", "export", file, *work]).output
    assert "were added" in runner.invoke(cli, ["memory", "import", file, *other]).output
    assert "0 translations were added" in runner.invoke(cli, ["memory", "import", file, *other]).output
    found = json.loads(runner.invoke(cli, ["memory", "--json", *other]).output)["shelves"]
    assert sum(shelf["segments"] for shelf in found) >= 5
    assert {shelf["lang"] for shelf in found} == {"el"}


def test_a_memory_that_is_none_is_told(tmp_path: Path) -> None:
    for name, content in (("a.tmx", "<html></html>"), ("a.parquet", "nothing"), ("a.csv", "a,b")):
        (tmp_path / name).write_text(content)
        done = CliRunner().invoke(cli, ["memory", "import", str(tmp_path / name), "--work", str(tmp_path / "work")])
        assert isinstance(done.exception, InputError)
        assert name in str(done.exception)
