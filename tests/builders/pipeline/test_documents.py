"""Monolingual text: documents become examples without a question, and each line is counted."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from builders.options import BuildOptions
from builders.run import run_publish
from corpora.errors import InputError
from tests.builders.conftest import ledger_counts

pytestmark = pytest.mark.slow

LINES = [
    json.dumps({"text": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.", "url": "a"}),
    json.dumps({"text": "  Το πλοίο έφυγε χθες.\nΓύρισε σήμερα. ", "url": "b"}),
    json.dumps({"text": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.", "url": "c"}),
    json.dumps({"text": " "}),
    json.dumps({"title": "no text"}),
    "no json",
    json.dumps({"text": "Beyond the cap."}),
]


def request(folder: Path, **changes: str) -> BuildOptions:
    """A recipe of six documents of a corpus of seven lines."""
    with gzip.open(folder / "mine.el.json.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(LINES) + "\n")
    table = '[mine]\ntitle = "Mine"\nkind = "monolingual"\nversion = "1"\nformat = "c4-jsonl"\n'
    table += 'url = "mine.{code}.json.gz"\nlangs = ["el"]\nlicence = "cc0-1.0"\n'
    (folder / "corpora.toml").write_text(table, encoding="utf-8")
    langs = changes.get("langs", '["el"]')
    recipe = f'title = "T"\nsummary = "S"\nconfigs = "language"\nlangs = {langs}\nmonolingual = ["mine"]\n'
    (folder / "only-text.toml").write_text(recipe + "max_documents = 6\nvalidation = 0.0\n", encoding="utf-8")
    where = {"work": folder / "work", "corpora_lock": folder / "corpora.lock"}
    return BuildOptions(recipes=(str(folder / "only-text.toml"),), with_=(folder,), **where)


def test_documents_are_published_once_or_rejected_with_a_reason(tmp_path: Path) -> None:
    (published,) = run_publish(request(tmp_path), tmp_path / "registry", "instructions")
    rows = pl.read_parquet(published.folder() / "data" / "el" / "*.parquet")
    assert sorted(rows["output"]) == ["Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.", "Το πλοίο έφυγε χθες.\nΓύρισε σήμερα."]
    assert set(rows.select("lang", "task", "direction", "instruction", "input").iter_rows()) == {
        ("el", "text", "", "", "")
    }
    counts = ledger_counts(published.manifest["ledger"])
    told = {key: n for (stage, _, _, key), n in counts.items() if stage == "documents"}
    assert told == {"in": 6, "kept": 2, "duplicate_exact": 1, "empty_output": 1, "missing_field": 1, "not_json": 1}
    assert "`text` (documents)" in (published.folder() / "README.md").read_text(encoding="utf-8")


def test_language_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The corpus 'mine' has no text in Hindi \(hi\)"):
        run_publish(request(tmp_path, langs='["el", "hi"]'), tmp_path / "registry", "instructions")
