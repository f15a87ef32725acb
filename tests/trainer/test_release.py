"""Which rows a run learns from: of the version asked for, in either form, byte for byte as published."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from cards.manifest import FILE, file_entry, to_text
from corpora.errors import InputError
from trainer.release import Release, find_release, read_rows

from .conftest import copy_release


def test_without_a_version_the_newest_is_meant_by_number_and_not_by_letter(release: Release, tmp_path: Path) -> None:
    for version in ("v1.9.0", "v1.10.0", "v1.2.0"):
        folder = copy_release(release, tmp_path / "coit-sample" / version)
        (folder / FILE).write_text(to_text(release.manifest | {"version": version}), encoding="utf-8")
    assert find_release("coit-sample", tmp_path, tmp_path / "lock").origin == "coit-sample@v1.10.0"
    assert find_release("coit-sample@1.9.0", tmp_path, tmp_path / "lock").origin == "coit-sample@v1.9.0"


def test_rows_of_messages_are_the_same_examples(release: Release, tmp_path: Path) -> None:
    copy = copy_release(release, tmp_path / "copy")
    path = next(copy.glob("data/el/train-*.parquet"))
    rows = pl.read_parquet(path)
    turns = [
        [
            {
                "role": "user",
                "content": f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"],
            },
            {"role": "assistant", "content": row["output"]},
        ]
        for row in rows.iter_rows(named=True)
    ]
    rows.drop("instruction", "input", "output").with_columns(messages=pl.Series(turns)).write_parquet(path)
    manifest = json.loads((copy / FILE).read_text(encoding="utf-8")) | {"format": "messages"}
    manifest["configs"]["el"]["splits"]["train"]["files"] = [file_entry(copy, path)]
    (copy / FILE).write_text(to_text(manifest), encoding="utf-8")
    found = read_rows(find_release(str(copy), tmp_path, tmp_path / "lock"), "el", "train", ("el",))
    assert found["output"].to_list() == rows["output"].to_list()
    assert found["instruction"].to_list() == [turn[0]["content"] for turn in turns]
    assert set(found["input"]) == {""}


def test_english_rows_come_along_and_other_languages_do_not(release: Release, tmp_path: Path) -> None:
    shutil.copytree(release.folder, tmp_path / "copy")
    rows = read_rows(release, "el", "train", ("el",))
    assert set(rows["lang"]) == {"el", "en"}
    assert set(read_rows(release, "el", "train", ())["lang"]) == {"en"}


def test_a_yanked_version_is_passed_over_unless_it_is_named_whole(
    release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = release.manifest["name"]
    for version in ("v1.0.0", "v1.1.0"):
        copy = tmp_path / name / version
        shutil.copytree(release.folder, copy)
        (copy / FILE).write_text(to_text({**release.manifest, "version": version}), encoding="utf-8")
    status = tmp_path / name / "registry.json"
    status.write_text(json.dumps({"yanked": {"v1.1.0": "shifted by a line"}}), encoding="utf-8")
    assert find_release(name, tmp_path, tmp_path / "lock").manifest["version"] == "v1.0.0"
    assert find_release(f"{name}@v1.1.0", tmp_path, tmp_path / "lock").manifest["version"] == "v1.1.0"
    assert "is yanked: shifted by a line" in capsys.readouterr().err
    status.write_text(json.dumps({"yanked": {"v1.0.0": "", "v1.1.0": ""}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"Every version of .* is yanked"):
        find_release(name, tmp_path, tmp_path / "lock")
