"""Corpora from tables in memory: equal content is one corpus, columns are strict, and the rows are read back."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from corpora.catalog import Corpus
from corpora.errors import InputError
from corpora.in_memory import corpus_from_tables
from corpora.reading import read_documents, read_instructions, read_pairs

ROWS = {"en": ["A cat.", "A dog."], "xx": ["Μια γάτα.", "Ένας σκύλος."], "margin": [1.1, None]}


def pairs(corpus: Corpus, lang: str = "el") -> list[tuple[Any, ...]]:
    file = corpus.input_file(Path(corpus.location(lang)), lang)
    return [tuple(row.values()) for batch in read_pairs(file) for row in batch.to_pylist()]


@pytest.mark.parametrize(
    "make",
    [
        pl.DataFrame,
        lambda rows: pl.DataFrame(rows).lazy(),
        lambda rows: pl.DataFrame(rows).with_columns(pl.col("xx").cast(pl.Categorical)).select("margin", "xx", "en"),
        pa.table,
        lambda rows: pa.table(rows).to_batches()[0],
        lambda rows: pa.concat_tables([pa.table(rows)[:1], pa.table(rows)[1:]]),
    ],
)
def test_equal_tables_of_any_library_are_one_corpus(tmp_path: Path, make: Any) -> None:
    corpus = corpus_from_tables("mine", {"el": make(ROWS)}, tmp_path, licence="CC0-1.0")
    assert corpus == corpus_from_tables("mine", {"el": pl.DataFrame(ROWS)}, tmp_path, licence="cc0-1.0")
    assert (corpus.kind, corpus.langs, corpus.licence) == ("bitext", ("el",), "cc0-1.0")
    assert pairs(corpus) == [(1, "A cat.", "Μια γάτα.", 1.1, None), (2, "A dog.", "Ένας σκύλος.", None, None)]
    assert [path.name for path in tmp_path.iterdir()] == [corpus.version]


@pytest.mark.slow
def test_dataset_is_taken_with_its_selection(tmp_path: Path) -> None:
    import datasets

    dataset = datasets.Dataset.from_dict(ROWS)
    corpus = corpus_from_tables("mine", {"el": dataset.select([1])}, tmp_path)
    assert pairs(corpus) == [(1, "A dog.", "Ένας σκύλος.", None, None)]
    with pytest.raises(InputError, match=r"not DatasetDict\. Choose one of its splits"):
        corpus_from_tables("mine", {"el": datasets.DatasetDict({"train": dataset})}, tmp_path)


def test_other_content_is_another_version_and_damage_is_written_again(tmp_path: Path) -> None:
    first = corpus_from_tables("mine", {"el": pl.DataFrame(ROWS)}, tmp_path)
    second = corpus_from_tables("mine", {"el": pl.DataFrame(ROWS)[:1], "tr": pl.DataFrame(ROWS)}, tmp_path)
    assert first.version != second.version
    assert (first.sha256["el"], len(pairs(second)), len(pairs(second, "tr"))) == (second.sha256["tr"], 1, 2)
    Path(first.location("el")).write_bytes(b"damaged")
    assert len(pairs(corpus_from_tables("mine", {"el": pl.DataFrame(ROWS)}, tmp_path))) == 2


def test_instructions_and_documents_are_found_by_their_columns(tmp_path: Path) -> None:
    frame = pl.DataFrame({"instruction": ["Why?"], "output": ["So."]})
    corpus = corpus_from_tables("mine", {"en": frame}, tmp_path)
    file = corpus.input_file(Path(corpus.location("en")), "en")
    assert [batch.to_pylist()[0]["output"] for batch in read_instructions(file)] == ["So."]
    corpus = corpus_from_tables("texts", {"el": pl.DataFrame({"text": ["Ένα κείμενο."]})}, tmp_path)
    file = corpus.input_file(Path(corpus.location("el")), "el")
    assert (corpus.kind, list(read_documents(file))) == ("monolingual", [(1, "Ένα κείμενο.", None)])


@pytest.mark.parametrize(
    ("name", "tables", "options", "sentence"),
    [
        ("Mine", {"el": pl.DataFrame(ROWS)}, {}, "lower-case letters, digits and hyphens, not 'Mine'"),
        ("mine", {}, {}, "has no table"),
        ("mine", {"ell": pl.DataFrame(ROWS)}, {}, "Unknown language 'ell'. Did you mean el"),
        ("mine", {"en": pl.DataFrame(ROWS)}, {}, "Name the other one, not 'en'"),
        (
            "mine",
            {"el": pl.DataFrame(ROWS)},
            {"kind": "bitexts"},
            "Unknown kind of corpus 'bitexts'. Did you mean bitext",
        ),
        ("mine", {"el": pl.DataFrame(ROWS)}, {"kind": "instructions"}, "Unknown column 'en'"),
        ("mine", {"el": pl.DataFrame({"en": ["a"], "el": ["b"]})}, {}, "has the columns en, el. A bitext has en, xx"),
        ("mine", {"el": pl.DataFrame({"en": ["a"]})}, {"kind": "bitext"}, "mine (el): the column 'xx' is missing"),
        (
            "mine",
            {"el": pl.DataFrame({**ROWS, "margins": [1, 2]})},
            {},
            "Unknown column 'margins'. Did you mean margin",
        ),
        (
            "mine",
            {"el": pl.DataFrame({**ROWS, "en": [1, 2]})},
            {},
            "the column 'en' has the type int64, but texts were",
        ),
        ("mine", {"el": pl.DataFrame({**ROWS, "margin": ["1", "2"]})}, {}, "but numbers were expected"),
        (
            "mine",
            {"el": [{"en": "a", "xx": "b"}]},
            {},
            "a Polars or Arrow table or a datasets.Dataset was expected, not list",
        ),
    ],
)
def test_invalid_table_is_an_error(
    tmp_path: Path, name: str, tables: dict[str, Any], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError) as error:
        corpus_from_tables(name, tables, tmp_path, **options)
    assert sentence in str(error.value)
    assert not list(tmp_path.iterdir())
