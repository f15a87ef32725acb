"""The translation memory: what was translated once is known by what it says."""

import unicodedata

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.translation.memory import TRANSLATIONS, TranslationMemory, aligned, digest, read_memory, write_memory
from corpora.catalog import SAMPLE
from corpora.errors import InputError


def entry(english, text, lang="el", model="nllb", decoding="beam", flags=()):
    return {"sha256": digest(english), "lang": lang, "model": model, "decoding": decoding, "text": text} | {
        "flags": list(flags)
    }


@pytest.fixture
def path(tmp_path):
    rows = [entry("Eggs", "Αυγά"), entry("Milk", "Γάλα"), entry("Milk", "Sữa", "vi"), entry("Café", "Καφέ")]
    write_memory(rows, tmp_path / "memory.parquet")
    return tmp_path / "memory.parquet"


def test_what_is_written_is_read_again(path):
    memory = read_memory(path)
    assert memory.translate("- Eggs\n- Milk\n", "el") == "- Αυγά\n- Γάλα\n"
    assert memory.translate("Milk", "vi") == "Sữa"


def test_a_text_with_one_unknown_segment_is_not_translated_at_all(path):
    memory = read_memory(path)
    assert memory.translate("Eggs\nBread", "el") is None
    assert memory.translate("Eggs", "vi") is None


def test_a_text_that_says_nothing_needs_no_memory():
    assert TranslationMemory({}).translate("", "el") == ""
    assert TranslationMemory({}).translate("```\ncode\n```", "el") == "```\ncode\n```"


def test_two_spellings_of_the_same_characters_are_one_segment(path):
    memory = read_memory(path)
    assert memory.translate(unicodedata.normalize("NFD", "Café"), "el") == "Καφέ"


def test_the_digest_of_a_segment_is_its_sha256():
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_of_several_translations_the_first_in_the_order_of_models_is_taken(tmp_path):
    rows = [entry("Eggs", "b", model="b"), entry("Eggs", "a", model="a"), entry("Eggs", "c", model="c")]
    for order in (rows, rows[::-1]):
        write_memory(order, tmp_path / "memory.parquet")
        assert read_memory(tmp_path / "memory.parquet").translate("Eggs", "el") == "a"


def test_an_empty_translation_is_none(tmp_path):
    write_memory([entry("Eggs", "")], tmp_path / "memory.parquet")
    assert read_memory(tmp_path / "memory.parquet").translate("Eggs", "el") is None


def test_the_order_of_what_is_written_does_not_matter(tmp_path):
    rows = [entry("Eggs", "Αυγά"), entry("Milk", "Γάλα"), entry("Milk", "Sữa", "vi")]
    write_memory(rows, tmp_path / "one.parquet")
    write_memory(rows[::-1], tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert pq.read_schema(tmp_path / "one.parquet").equals(TRANSLATIONS)


def test_no_file_is_a_sentence_that_names_the_way_out(tmp_path):
    with pytest.raises(InputError, match="--translator none"):
        read_memory(tmp_path / "missing.parquet")


@pytest.mark.parametrize("data", [b"", b"no Parquet at all", b"PAR1 something else PAR1"])
def test_a_file_that_is_no_parquet_is_an_input_error(tmp_path, data):
    (tmp_path / "memory.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"memory\.parquet is not a translation memory"):
        read_memory(tmp_path / "memory.parquet")


def test_a_parquet_file_without_the_columns_is_an_input_error(tmp_path):
    pq.write_table(pa.table({"text": ["Αυγά"]}), tmp_path / "memory.parquet")
    with pytest.raises(InputError, match="not a translation memory"):
        read_memory(tmp_path / "memory.parquet")


def test_a_folder_of_memories_is_an_input_error(tmp_path):
    write_memory([entry("Eggs", "Αυγά")], tmp_path / "memory" / "part.parquet")
    with pytest.raises(InputError, match="is a folder"):
        read_memory(tmp_path / "memory")


def test_a_translation_is_aligned_segment_by_segment():
    assert aligned("- Eggs\n- Milk", "- Αυγά\n- Γάλα", "el") == [("Eggs", "Αυγά"), ("Milk", "Γάλα")]
    with pytest.raises(ValueError, match="frames differ"):
        aligned("- Eggs\n- Milk", "- Αυγά και γάλα", "el")


def test_the_memory_of_the_sample_says_each_segment_once():
    rows = pl.read_parquet(SAMPLE / "memory.parquet")
    assert rows.select("sha256", "lang").is_unique().all()
