"""The files of the verb `translate`: two inputs never share a name, and rejected instructions are counted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.builders.translation.running import refused, run

RECORDS = [("Name a fruit.", "", "It is an apple."), ("Find a word that rhymes with cat.", "", "Hat.")]
Alpaca = Callable[..., Path]


def corpus(path: Path) -> set[str]:
    return set(pl.read_parquet(path)["corpus"])


def test_files_in_any_script_have_ids_of_their_own(converted: Path, alpaca: Alpaca, tmp_path: Path) -> None:
    names = ["φρούτα.json", "λαχανικά.json", "my fruit.json", "my-fruit.json", "my-fruit.jsonl"]
    ids = set()
    for number, name in enumerate(names):
        path = alpaca((f"Name fruit {number}.", "", "It is an apple."), name=name)
        if name.endswith("l"):
            path.write_text(json.dumps(json.loads(path.read_text())[0]), encoding="utf-8")
        out = tmp_path / "out" / f"{path.stem}.el.parquet"
        if name.endswith("l"):
            shutil.move(out, tmp_path / "elsewhere.parquet")
        assert run(tmp_path, str(path), "--langs", "el", "--translator", str(converted)).exit_code == 0
        ids |= corpus(out)
    assert len(ids) == len(names)


def test_file_named_like_a_corpus_is_another_corpus(converted: Path, alpaca: Alpaca, tmp_path: Path) -> None:
    path = alpaca(*RECORDS, name="alpaca.json")
    for _ in range(2):
        made = run(tmp_path, str(path), "--langs", "el", "--translator", str(converted))
        assert made.exit_code == 0, made.exception
    (name,) = corpus(tmp_path / "out" / "alpaca.el.parquet")
    assert name.startswith("alpaca-")
    pl.DataFrame({"corpus": ["alpaca"]}).write_parquet(tmp_path / "out" / "alpaca.el.parquet")
    told = refused(tmp_path, str(path), "--langs", "el", "--translator", str(converted))
    assert "exists and does not hold alpaca.json" in told
    (tmp_path / "out" / "alpaca.el.parquet").write_text("a letter of mine")
    assert "--output" in refused(tmp_path, str(path), "--langs", "el", "--translator", str(converted))


def test_report_counts_rejected_instructions_and_those_that_stay_in_english(
    converted: Path, alpaca: Alpaca, tmp_path: Path
) -> None:
    path = alpaca(*RECORDS, RECORDS[0])
    path.write_text(json.dumps([*json.loads(path.read_text()), 5, {"instruction": "a"}]), encoding="utf-8")
    made = run(tmp_path, str(path), "--langs", "el", "--translator", str(converted))
    assert made.exit_code == 0, made.exception
    assert "3 instructions were rejected: duplicate_exact 1, missing_field 1, not_an_object 1." in made.output
    assert "1 of 2 instructions; 1 stay in English: rhyme 1." in made.output


@pytest.mark.parametrize("content", ["[]", "[1, 2]", '[{"prompt": "a", "answer": "b"}]'])
def test_file_without_an_instruction_is_refused(converted: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "odd.json").write_text(content)
    told = refused(tmp_path, str(tmp_path / "odd.json"), "--langs", "el", "--translator", str(converted))
    assert "has no instruction to translate" in told
    assert not (tmp_path / "out").exists()
    assert "is a folder" in refused(tmp_path, str(tmp_path), "--langs", "el", "--translator", str(converted))
