"""The verb `translate`, run within a test."""

from pathlib import Path

from click.testing import CliRunner, Result

from builders.cli import cli
from corpora.errors import InputError


def run(tmp_path: Path, *arguments: str) -> Result:
    """Return the result of `builders translate` in a folder of its own."""
    paths = [
        "--work",
        str(tmp_path / "work"),
        "--output",
        str(tmp_path / "out"),
        "--corpora-lock",
        str(tmp_path / "lock"),
    ]
    quick = ["--beam", "1", "--compute-type", "float32", "--threads", "2"]
    return CliRunner().invoke(cli, ["translate", *quick, *arguments, *paths])


def refused(tmp_path: Path, *arguments: str) -> str:
    """Return the error of `builders translate`."""
    error = run(tmp_path, *arguments).exception
    assert isinstance(error, InputError), error
    return str(error)
