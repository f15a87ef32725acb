"""Paths longer than the file system allows."""

from pathlib import Path

import click
import pytest

from corpora.cli import Program, run
from corpora.errors import InputError
from corpora.path_lengths import check_path_length

LONG = {
    "name": "n" * 256,
    "name of two-byte letters": "ν" * 128,
    "name below others": "a/" + "n" * 300 + "/b",
    "path": "/".join(["d" * 200] * 25),
    "path with what is inside": "/".join(["d" * 99] * 37),
}
FINE = {
    "name": "n" * 255,
    "name of two-byte letters": "ν" * 127,
    "path": "/".join(["d" * 99] * 30),
    "dots": "a/../b/.",
    "nothing": "",
}


@pytest.mark.parametrize("name", LONG)
def test_path_that_is_too_long_is_refused_with_all_of_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as refused:
        check_path_length(tmp_path / LONG[name])
    assert str(refused.value).startswith(f"{tmp_path / LONG[name]} is too long: ")
    assert "bytes" in str(refused.value)
    assert str(refused.value).endswith("Shorten it.")


@pytest.mark.parametrize("name", FINE)
def test_paths_within_the_limits_are_left_alone(tmp_path: Path, name: str) -> None:
    check_path_length(tmp_path / FINE[name])


def test_any_file_whose_name_is_too_long_gets_the_same_sentence(tmp_path: Path, capsys, monkeypatch) -> None:
    path = tmp_path / LONG["name"]
    monkeypatch.setattr("sys.argv", ["program", "write"])
    command = click.Command("write", callback=lambda: path.write_text("x"))
    assert run(Program("program", commands=[command]), "Run it again.") == 2
    assert capsys.readouterr().err.replace("\n", " ").strip().startswith(f"Error: {path} is too long: its part nnn")
