"""Translation memories as files: looked up by segment, one translation for each."""

import unicodedata

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.translation import MEMORY_SCHEMA, TranslationMemory, digest, read_memory, resolve_translator
from corpora.catalog import SAMPLE
from corpora.errors import InputError
from tests.sample.memory import align, human_row, translate, write_memory


def entry(english, text, lang="el", model="nllb", decoding="beam", flags=()):
    key = {"sha256": digest(english), "lang": lang, "origin": "model", "model": model, "decoding": decoding}
    return {**key, "text": text, "flags": list(flags)}


@pytest.fixture
def path(tmp_path):
    rows = [entry("Eggs", "Αυγά"), entry("Milk", "Γάλα"), entry("Milk", "Sữa", "vi"), entry("Café", "Καφέ")]
    write_memory(rows, tmp_path / "memory.parquet")
    return tmp_path / "memory.parquet"


def test_written_memory_is_read_again(path):
    memory = read_memory(path)
    assert translate("- Eggs\n- Milk\n", "el", memory) == "- Αυγά\n- Γάλα\n"
    assert translate("Milk", "vi", memory) == "Sữa"


def test_text_with_an_unknown_segment_is_not_translated(path):
    memory = read_memory(path)
    assert translate("Eggs\nBread", "el", memory) is None
    assert translate("Eggs", "vi", memory) is None


def test_text_without_segments_needs_no_memory():
    assert translate("", "el", TranslationMemory({})) == ""
    assert translate("```\ncode\n```", "el", TranslationMemory({})) == "```\ncode\n```"


def test_segments_are_equal_after_nfc(path):
    memory = read_memory(path)
    assert translate(unicodedata.normalize("NFD", "Café"), "el", memory) == "Καφέ"


def test_digest_of_a_segment_is_its_sha256():
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_first_model_wins_among_several_translations(tmp_path):
    rows = [entry("Eggs", "b", model="b"), entry("Eggs", "a", model="a"), entry("Eggs", "c", model="c")]
    for order in (rows, rows[::-1]):
        write_memory(order, tmp_path / "memory.parquet")
        assert translate("Eggs", "el", read_memory(tmp_path / "memory.parquet")) == "a"


def test_empty_translation_is_ignored(tmp_path):
    write_memory([entry("Eggs", "")], tmp_path / "memory.parquet")
    assert translate("Eggs", "el", read_memory(tmp_path / "memory.parquet")) is None


def test_bytes_do_not_depend_on_the_order_of_rows(tmp_path):
    rows = [entry("Eggs", "Αυγά"), entry("Milk", "Γάλα"), entry("Milk", "Sữa", "vi")]
    write_memory(rows, tmp_path / "one.parquet")
    write_memory(rows[::-1], tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert pq.read_schema(tmp_path / "one.parquet").equals(MEMORY_SCHEMA)


def test_error_for_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="--translator none"):
        read_memory(tmp_path / "missing.parquet")


@pytest.mark.parametrize("data", [b"", b"no Parquet at all", b"PAR1 something else PAR1"])
def test_file_that_is_not_parquet_is_an_input_error(tmp_path, data):
    (tmp_path / "memory.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"memory\.parquet is not a translation memory"):
        read_memory(tmp_path / "memory.parquet")


def test_parquet_without_the_columns_is_an_input_error(tmp_path):
    pq.write_table(pa.table({"text": ["Αυγά"]}), tmp_path / "memory.parquet")
    with pytest.raises(InputError, match="not a translation memory"):
        read_memory(tmp_path / "memory.parquet")


def test_folder_is_an_input_error(tmp_path):
    write_memory([entry("Eggs", "Αυγά")], tmp_path / "memory" / "part.parquet")
    with pytest.raises(InputError, match="is a folder"):
        read_memory(tmp_path / "memory")


def test_translation_is_aligned_segment_by_segment():
    assert align("- Eggs\n- Milk", "- Αυγά\n- Γάλα", "el") == [("Eggs", "Αυγά"), ("Milk", "Γάλα")]
    with pytest.raises(ValueError, match="skeletons differ"):
        align("- Eggs\n- Milk", "- Αυγά και γάλα", "el")


def test_memory_of_the_sample_has_each_segment_once():
    rows = pl.read_parquet(SAMPLE / "memory.parquet")
    assert rows.select("sha256", "lang").is_unique().all()


def test_translation_by_people_wins_and_is_no_model_s(tmp_path):
    write_memory([entry("Eggs", "a"), human_row(digest("Eggs"), "el", "Αυγά")], tmp_path / "memory.parquet")
    memory = read_memory(tmp_path / "memory.parquet")
    assert translate("Eggs", "el", memory) == "Αυγά"
    assert memory.models() == []


def test_memory_as_a_translator_flags_what_it_lacks(path):
    translator = resolve_translator(str(path))
    assert translator.is_memory
    assert translator.languages == {"el", "vi"}
    assert [(t.text, t.flags) for t in translator.translate(["Eggs", "Bread"], "el")] == [
        ("Αυγά", ()),
        ("", ("untranslated",)),
    ]
