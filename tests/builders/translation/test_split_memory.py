"""Translations that are not all in memory: those by people, and a large memory as the translator, answer as before."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.translation import (
    MEMORY_SCHEMA,
    TranslatorOptions,
    digest,
    digest_ranges,
    edit_translation,
    memory_translator,
    read_memory,
    resolve_translator,
)
from builders.translation.store import TranslationStore
from corpora.errors import InputError

NUM_SEGMENTS = 60
KEYS = [digest(f"segment {number}") for number in range(NUM_SEGMENTS)]


def row(number: int, lang: str, model: str, text: str) -> dict[str, Any]:
    key = {"sha256": KEYS[number], "lang": lang, "origin": "model" if model else "human", "model": model}
    return key | {"name": model or "Maria", "revision": "r", "licence": "cc0-1.0", "text": text, "flags": []}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a memory with several translations of a segment, empty ones, and a row that nobody can look up."""
    numbers = range(NUM_SEGMENTS)
    rows = [
        row(number, lang, model, f"{model} {number}") for lang in ("el", "de") for model in "ba" for number in numbers
    ]
    rows += [row(number, "el", "", f"person {number}") for number in range(0, NUM_SEGMENTS, 7)]
    rows += [row(number, "de", "a", "") for number in range(5)] + [
        row(7, "vi", "a", "again"),
        row(7, "vi", "a", "last"),
    ]
    rows.append(row(0, "tr", "c", "text") | {"sha256": "no digest"})
    pq.write_table(pa.Table.from_pylist(rows, schema=MEMORY_SCHEMA), tmp_path / "memory.parquet")
    return tmp_path / "memory.parquet"


@pytest.fixture
def split(path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the memory as a translator whose files have few rows."""
    monkeypatch.setattr(memory_translator, "MAX_ROWS", 10)
    monkeypatch.setattr(digest_ranges, "RANGE_ROWS", 40)
    return resolve_translator(str(path), TranslatorOptions(path.parent / "work"))


def test_split_memory_answers_like_one_in_memory(split: Any, path: Path) -> None:
    whole = read_memory(path)
    for lang in ("el", "de", "vi", "fr"):
        assert split.memory.find([*KEYS, digest("another")], lang) == whole.find(KEYS, lang)
    assert split.languages == whole.languages - {"tr"}
    assert split.memory.models() == [origin for origin in whole.models() if origin.model != "c"]
    assert len(list(split.memory.folder.glob("*.parquet"))) == 8
    assert [t.flags for t in split.translate(["segment 7", "segment 8", "other"], "el")] == [
        ("human",),
        (),
        ("untranslated",),
    ]
    assert [origin.name for origin in split.origins_of([KEYS[7], KEYS[8]], "el")] == ["Maria", "a"]


def test_memory_is_split_once_and_what_a_kill_has_left_is_removed(split: Any, path: Path) -> None:
    home = path.parent / "work" / "split-memories"
    (home / ".tmp-0123456789abcdef").mkdir()
    before = {file: file.stat().st_mtime_ns for file in home.rglob("*.parquet")}
    resolve_translator(str(path), TranslatorOptions(path.parent / "work"))
    assert {file: file.stat().st_mtime_ns for file in home.rglob("*.parquet")} == before
    assert not list(home.glob(".tmp-*"))
    pq.write_table(pa.table({"text": ["a"] * 20}), path)
    with pytest.raises(InputError, match=r"memory\.parquet is not a translation memory.* lacks the column"):
        resolve_translator(str(path), TranslatorOptions(path.parent / "work"))
    assert {file: file.stat().st_mtime_ns for file in home.rglob("*.parquet")} == before


def test_damaged_file_of_a_split_memory_is_named(split: Any) -> None:
    for file in split.memory.folder.glob("*.parquet"):
        file.write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"split-memories/.*\.parquet cannot be read.* Delete its folder"):
        split.translate(["segment 7"], "el")


def test_translations_by_people_are_looked_up_and_have_one_digest(tmp_path: Path) -> None:
    store = TranslationStore(tmp_path / "memory")
    assert store.human().fingerprint == ""
    texts = {"el": "Το κείμενο.", "de": "Der Text ist hier."}
    for lang, number in (("el", 3), ("de", 3), ("el", 1), ("de", 2)):
        assert edit_translation(tmp_path, lang, f"The segment {number}.", texts[lang], "Maria") == ""
    assert edit_translation(tmp_path, "el", "The segment 4.", "This is English as it was.", "Maria")
    keys = {number: digest(f"The segment {number}.") for number in range(5)}
    found = store.human().find(keys.values(), "el")
    assert {key: own.text for key, own in found.items()} == {keys[1]: texts["el"], keys[3]: texts["el"]}
    assert {own.origin.name for own in found.values()} == {"Maria"}
    of_all = sorted([(keys[3], "el"), (keys[3], "de"), (keys[1], "el"), (keys[2], "de")])
    text = "".join(f"{key}\t{texts[key[1]]}\n" for key in of_all)
    assert store.human().fingerprint == hashlib.sha256(text.encode()).hexdigest()
