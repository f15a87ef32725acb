"""`trainer list` and `trainer show`: what runs are, from their files."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from corpora.errors import InputError
from trainer.cli import cli
from trainer.losses import LOSSES, append_loss
from trainer.run import begin, write_metadata
from trainer.run_list import list_runs, show_run


def make_run(folder: Path, **changes: Any) -> Path:
    """Write the files of a run that trains."""
    from trainer.recipe import load_recipe

    counts = {"train": [{"lang": "el", "task": "translation", "kept": 3, "truncated": 1}], "validation": []}
    release = {"name": "coit", "version": "v1.0.0", "config": "el", "langs": ["el"], "size": None}
    identity = {"release": release, "prompt": {"name": "alpaca"}, "tokenizer": "t", "model": {"name": "m"}}
    metadata = begin(identity, "coit@v1.0.0", load_recipe("tiny"), 10, counts, 1, "none") | changes
    folder.mkdir(parents=True)
    write_metadata(folder, metadata)
    for step in (1, 2):
        append_loss(folder / LOSSES, {"step": step, "loss": 6.0 / step, "num_tokens": 100 * step})
    return folder


def test_list_has_a_row_for_each_run_and_a_sentence_for_a_damaged_one(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", status="failed", error="The loss of step 2 is nan")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "run.json").write_text("{")
    (tmp_path / "notes").write_text("no run")
    listed = list_runs(tmp_path)
    assert [(row["run"], row["status"], row["step"], row["loss"]) for row in listed.rows] == [
        ("a", "running", 2, 3.0),
        ("b", "failed", 2, 3.0),
    ]
    assert "c/run.json is damaged" in repr(listed)
    printed = CliRunner().invoke(cli, ["show", str(tmp_path / "b")]).output
    assert "error       The loss of step 2 is nan" in printed
    assert "loss        6.000 -> 3.000" in printed


@pytest.mark.parametrize(
    ("name", "reason"), [("file", "is a file"), ("empty", "holds no run.json"), ("no", "not exist")]
)
def test_what_is_no_run_is_a_sentence(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=reason):
        show_run(tmp_path / name)


def test_run_folder_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    from trainer.run import check_same_run

    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="file is a file, so no run can be in"):
            check_same_run(folder, {})
