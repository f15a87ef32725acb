"""Rows of a release as a trainer reads them: both formats, English rows included, yanked versions passed over."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from cards.manifest import FILE, file_entry, to_text
from cards.releases import Release, open_release
from corpora.errors import InputError
from trainer.rows import read_rows

from .conftest import copy_release

pytestmark = pytest.mark.slow


def test_newest_version_is_chosen_by_number(release: Release, tmp_path: Path) -> None:
    for version in ("v1.9.0", "v1.10.0", "v1.2.0"):
        folder = copy_release(release, tmp_path / "coit-sample" / version)
        (folder / FILE).write_text(to_text(release.manifest | {"version": version}), encoding="utf-8")
    assert open_release("coit-sample", tmp_path).origin == "coit-sample@v1.10.0"
    assert open_release("coit-sample@1.9.0", tmp_path).origin == "coit-sample@v1.9.0"


def test_messages_are_read_as_instruction_and_output(release: Release, tmp_path: Path) -> None:
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
    written = rows.drop("instruction", "input", "output").with_columns(messages=pl.Series(turns))
    written.write_parquet(path)
    message = [{"name": name, "dtype": "string"} for name in ("role", "content")]
    features = [{"name": name, "dtype": "string"} for name in written.columns[:-1]]
    manifest = json.loads((copy / FILE).read_text(encoding="utf-8")) | {"output_format": "messages"}
    manifest["features"] = [*features, {"name": "messages", "list": message}]
    manifest["configs"]["el"]["splits"]["train"]["files"] = [file_entry(copy, path)]
    (copy / FILE).write_text(to_text(manifest), encoding="utf-8")
    found = read_rows(open_release(str(copy), tmp_path), "el", "train", ("el",))
    assert found["output"].to_list() == rows["output"].to_list()
    assert found["instruction"].to_list() == [turn[0]["content"] for turn in turns]
    assert set(found["input"]) == {""}


def test_rows_are_of_the_language_and_english(release: Release, tmp_path: Path) -> None:
    shutil.copytree(release.folder(), tmp_path / "copy")
    rows = read_rows(release, "el", "train", ("el",))
    assert set(rows["lang"]) == {"el", "en"}
    assert set(read_rows(release, "el", "train", ())["lang"]) == {"en"}


def test_yanked_version_is_opened_only_by_its_full_name(
    release: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = release.manifest["name"]
    for version in ("v1.0.0", "v1.1.0"):
        copy = tmp_path / name / version
        shutil.copytree(release.folder(), copy)
        (copy / FILE).write_text(to_text({**release.manifest, "version": version}), encoding="utf-8")
    status = tmp_path / name / "registry.json"
    status.write_text(json.dumps({"yanked": {"v1.1.0": "shifted by a line"}}), encoding="utf-8")
    assert open_release(name, tmp_path).manifest["version"] == "v1.0.0"
    assert open_release(f"{name}@v1.1.0", tmp_path).manifest["version"] == "v1.1.0"
    assert "is yanked: shifted by a line" in caplog.text
    status.write_text(json.dumps({"yanked": {"v1.0.0": "", "v1.1.0": ""}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"Every version of .* that fits is yanked"):
        open_release(name, tmp_path)
