"""Estimates: what a build would take, said before anything runs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import builders
from builders.cli import cli
from builders.estimate import DEFAULT_MODEL_BYTES, SEGMENTS_PER_INSTRUCTION, Estimate


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_estimate_counts_files_pairs_and_segments_offline(folder: Path) -> None:
    estimate = builders.publish(["coit", "muit"], langs=["el"], offline=True, threads=1, dry_run=True)
    assert isinstance(estimate, Estimate)
    assert estimate.recipes == ("coit", "muit")
    assert estimate.num_pairs == 620_801  # of WikiMatrix, once, as the catalogue counts
    assert estimate.num_segments == round(52_000 * SEGMENTS_PER_INSTRUCTION)
    assert estimate.model_bytes == estimate.download_bytes == DEFAULT_MODEL_BYTES
    assert {file.origin for file in estimate.files} == {"offline"}
    assert estimate.hours > estimate.translation_hours > 1
    assert list(folder.iterdir()) == [], "nothing is written"


def test_estimate_says_how_it_was_made(folder: Path) -> None:
    text = repr(builders.pull("coit", langs=["el"], offline=True, dry_run=True))
    assert text.startswith("Estimate for coit. Nothing was downloaded, built or published.")
    for words in ("Sizes that are not known count as 0: wikimatrix (el): offline", "pairs a second and core"):
        assert words in text
    assert "The time of downloads is not included." in text


def test_less_work_takes_less(folder: Path) -> None:
    options = {"langs": ["el"], "offline": True, "dry_run": True, "threads": 1}
    whole = builders.publish("coit", **options)
    few = builders.publish("coit", max_instructions=1000, **options)
    assert few.num_segments == 4300
    assert few.translation_hours < whole.translation_hours
    assert builders.publish("coit", translator="none", **options).num_segments == 0
    assert builders.publish("coit", beam=1, **options).hours < whole.hours


def test_sample_needs_no_download_and_no_model(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["publish", "--sample", "--langs", "el", "--dry-run", "--json"])
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert (found["download_bytes"], found["num_segments"]) == (0, 0)
    assert 100 < found["num_pairs"] < 1000
    assert list(folder.iterdir()) == []


def test_unknown_names_are_errors_before_the_estimate(folder: Path) -> None:
    with pytest.raises(builders.InputError, match="language 'xx'"):
        builders.pull("coit", langs=["xx"], dry_run=True)
