"""Who translated each segment survives export and import, in both formats, and the card stays the same."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import builders
from builders.translation import export_memory, import_memory
from builders.translation.memory_import import read_rows
from corpora.errors import InputError

TRANSLATOR = """
from builders.translation import Translation, Translator
WORDS = {"Name a fruit.": "Ονόμασε ένα φρούτο.", "An apple.": "Ένα μήλο.", "Name a city.": "Ονόμασε μια πόλη."}
class Book(Translator):
    name, fingerprint, licence, languages, decoding = "a book", "1", "cc-by-4.0", ("el",), "page 3"
    def __init__(self, model, options): pass
    def translate(self, texts, lang):
        return [Translation(WORDS.get(text, ""), () if text in WORDS else ("unknown_token",)) for text in texts]
    def describe(self):
        return super().describe() | {"revision": "abc123"}
"""
CORPUS = """
[mine]
title = "Mine"
kind = "instructions"
version = "1"
format = "alpaca-json"
url = "mine.jsonl"
langs = ["en"]
licence = "cc0-1.0"
"""
RECIPE = {
    **{"name": "mine", "title": "Mine", "summary": "Mine.", "configs": "language", "langs": ["el"]},
    **{"instructions": ["mine"], "instruction_langs": ["en", "xx"], "decontaminate_against": []},
}
PERSON = """<tmx version="1.4"><body><tu><tuv xml:lang="en"><seg>Athens.</seg></tuv>
<tuv xml:lang="el" creationid="MARIA"><seg>Η Αθήνα.</seg></tuv></tu></body></tmx>"""


@pytest.fixture
def my(tmp_path: Path) -> Path:
    folder = tmp_path / "my"
    folder.mkdir()
    (folder / "book.py").write_text(TRANSLATOR, encoding="utf-8")
    (folder / "corpora.toml").write_text(CORPUS, encoding="utf-8")
    records = [("Name a fruit.", "An apple."), ("Name a city.", "Athens.")]
    rows = [json.dumps({"instruction": instruction, "output": output}) for instruction, output in records]
    (folder / "mine.jsonl").write_text("\n".join(rows))
    return folder


def publish(my: Path, work: str) -> Any:
    folder = my.parent
    return builders.publish(
        RECIPE,
        with_=[my],
        translator="book:Book",
        work=folder / work,
        corpora_lock=folder / "lock",
        registry=folder / "registry",
    )


@pytest.mark.parametrize("suffix", ["tmx", "parquet"])
def test_exported_and_imported_memory_makes_the_same_release(my: Path, suffix: str) -> None:
    folder = my.parent
    (folder / "maria.tmx").write_text(PERSON, encoding="utf-8")
    import_memory(folder / "maria.tmx", work=folder / "first")
    first = publish(my, "first")
    keys = ("origin", "name", "revision", "licence", "num_segments")
    origins = [tuple(origin[key] for key in keys) for origin in first.manifest["translator"]["origins"]]
    assert origins == [("human", "MARIA", "", "", 1), ("model", "a book", "abc123", "cc-by-4.0", 3)]
    file = folder / f"memory.{suffix}"
    export_memory(file, work=folder / "first")
    import_memory(file, work=folder / "second")
    again = folder / f"again.{suffix}"
    export_memory(again, work=folder / "second")
    columns = ("sha256", "origin", "model", "name", "revision", "licence", "decoding", "text")
    rows = [sorted(tuple(row[key] or "" for key in columns) for row in read_rows(path)) for path in (file, again)]
    assert rows[0] == rows[1]
    assert {row[3] for row in rows[0]} == {"a book", "MARIA"}
    second = publish(my, "second")
    assert (second.version, second.is_new) == (first.version, False)  # the card included


def test_damaged_export_is_refused_and_not_taken_for_the_work_of_people(my: Path) -> None:
    publish(my, "first")
    file = my.parent / "memory.tmx"
    export_memory(file, work=my.parent / "first")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("μήλο", "μή&λο"), encoding="utf-8")
    with pytest.raises(InputError, match="so it is not known who made its translations"):
        import_memory(file, work=my.parent / "other")
    file.write_text(text.replace('type="x-model">', 'type="x-model">../'), encoding="utf-8")
    with pytest.raises(InputError, match="unit 1: x-model must be a SHA-256"):
        import_memory(file, work=my.parent / "other")


def test_memory_of_another_machine_keeps_its_columns(my: Path) -> None:
    publish(my, "first")
    file = my.parent / "memory.parquet"
    export_memory(file, work=my.parent / "first")
    assert set(pq.read_table(file)["licence"].to_pylist()) == {"cc-by-4.0"}
