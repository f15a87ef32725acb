"""What the README adds to translation is applied: a check, a rule, a placeholder and a translator of a user's own."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from builders.translation import check_translations, find_do_not_translate, resolve_translator
from builders.translation.placeholders import mask_placeholders
from corpora.extensions import Extensions, use_extensions
from tests.builders.translation.running import run

README = Path(__file__).parents[3] / "builders" / "translation" / "README.md"


@pytest.fixture
def my(tmp_path: Path) -> Iterator[Path]:
    """A folder with every file of the README's blocks, as --with would use it."""
    folder = tmp_path / "my"
    folder.mkdir()
    blocks = re.findall(r"```(?:toml|python)\n# my/([\w.]+)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    for name, content in blocks:
        (folder / name).write_text(content, encoding="utf-8")
    with use_extensions(Extensions((folder,), (folder,))):
        yield folder


def test_quality_check_is_applied(my: Path) -> None:
    sources, translations = ["Is it red?", "Is it red?", "It is red."], ["Είναι κόκκινο;", "Είναι κόκκινο.", "Είναι."]
    assert check_translations(sources, translations, [[]] * 3, "el") == ["", "question_lost", ""]


def test_do_not_translate_rule_is_applied(my: Path) -> None:
    record = {"instruction": "Write a poem.", "input": "", "output": "Snow falls."}
    assert find_do_not_translate(record) == ("poem", ("output",))


def test_placeholder_is_masked(my: Path) -> None:
    assert mask_placeholders("See ABC-123 and {name}.").placeholders == ("ABC-123", "{name}")


def test_translator_is_used_by_the_command(my: Path, alpaca: Callable[..., Path], tmp_path: Path) -> None:
    path = alpaca(("Name a red fruit.", "", "A red apple."), ("Name a blue fruit.", "", "A plum."))
    done = run(tmp_path, str(path), "--langs", "el", "--translator", "glossary", "--json")
    assert done.exit_code == 0, done.exception
    report = json.loads(done.stdout)
    (row,) = pl.read_parquet(report["files"]["el"]).to_dicts()
    assert (row["instruction"], row["output"]) == ("ονόμασε ένα κόκκινο φρούτο", "ένα κόκκινο μήλο")
    assert report["translator"]["sha256"] == resolve_translator("glossary").fingerprint
    rejected = {(r["stage"], r["reason"]) for r in report["ledger"]}
    assert ("translated_instructions", "unknown_token") in rejected
