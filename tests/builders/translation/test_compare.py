"""builders translate --compare: several translators on the same instructions, and chrF as sacreBLEU computes it."""

import json
from pathlib import Path

import pytest

import builders
from builders.translation import chrf
from corpora.errors import InputError

MODULE = """
from builders.translation import Translation, Translator
WORDS = {"Name a fruit.": "Ονόμασε ένα φρούτο.", "An apple.": "Ένα μήλο.", "Name a city.": "Ονόμασε μια πόλη."}
class First(Translator):
    name, fingerprint, licence, languages = "first", "1", "mit", ("el",)
    def __init__(self, model, options): pass
    def translate(self, texts, lang):
        return [Translation(WORDS.get(text, ""), () if text in WORDS else ("unknown_token",)) for text in texts]
class Second(First):
    name, fingerprint, licence = "second", "2", "cc-by-nc-4.0"
    def translate(self, texts, lang):
        return [Translation("Πες ένα φρούτο." if text == "Name a fruit." else WORDS.get(text, "")) for text in texts]
"""


def test_translators_are_compared_on_the_same_instructions(tmp_path: Path) -> None:
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "own.py").write_text(MODULE, encoding="utf-8")
    records = [("Name a fruit.", "An apple."), ("Name a city.", "Athens is one.")]
    rows = [{"instruction": instruction, "output": output} for instruction, output in records]
    (tmp_path / "mine.json").write_text(json.dumps(rows))
    options = {
        "langs": ["el"],
        "with_": [tmp_path / "my"],
        "work": tmp_path / "work",
        "corpora_lock": tmp_path / "lock",
    }
    found = builders.translate(tmp_path / "mine.json", compare=["own:First", "own:Second"], **options)
    assert [(row["translator"], row["num_segments"], row["failed"]) for row in found.rows] == [
        ("own:First", 4, {"unknown_token": 1}),
        ("own:Second", 4, {"empty": 1}),
    ]
    assert [row["licence"] for row in found.rows] == ["mit", "cc-by-nc-4.0"]
    (pair,) = found.agreement
    assert pair["num_segments"] == 3
    assert 50 < pair["chrf"] < 100
    assert "1 of 2" in repr(found)
    assert not (tmp_path / "translated").exists()
    with pytest.raises(InputError, match="--compare needs two or more different translators"):
        builders.translate(tmp_path / "mine.json", compare=["own:First"], **options)


@pytest.mark.slow
def test_chrf_is_that_of_sacrebleu() -> None:
    from sacrebleu.metrics import CHRF

    hypotheses = ["Ονόμασε ένα φρούτο.", "Ένα μήλο", "", "苹果是水果"]
    references = ["Πες ένα φρούτο.", "Ένα κόκκινο μήλο.", "κάτι", "苹果"]
    assert chrf(hypotheses, references) == pytest.approx(CHRF().corpus_score(hypotheses, [references]).score, abs=1e-6)
