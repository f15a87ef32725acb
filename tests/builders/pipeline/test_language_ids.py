"""The table `language_ids`: compiled code makes the rows that fastText makes, in the order of the lines."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import choose_filters
from builders.pipeline.language_ids import LANGUAGE_IDS, write_language_ids
from builders.workspace import Workspace
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.language_id import identify_languages
from corpora.reading import PAIRS

pytestmark = pytest.mark.slow

ENGLISH, GREEK = "The cat sleeps on the roof.", "Η γάτα κοιμάται στη στέγη."
Sides = tuple[str | None, str | None]


def write_part(path: Path, pairs: Sequence[Sides]) -> None:
    rows = [
        {"line_number": number, "en": en, "xx": xx, "margin": 1.1, "read_error": None if en and xx else "invalid_utf8"}
        for number, (en, xx) in enumerate(pairs, 1)
    ]
    table = pa.Table.from_pylist(rows, PAIRS)
    names = [pa.repeat(value, len(rows)) for value in ("any", "el")]
    pq.write_table(pa.table([*names, *table.columns], ["corpus", "lang", *table.column_names]), path)


@pytest.fixture
def identify(tmp_path: Path) -> Callable[[Sequence[Sides], bool], pa.Table]:
    work = Workspace(tmp_path / "work", threads=2)

    def run(pairs: Sequence[Sides], is_many: bool) -> pa.Table:
        work.folder.mkdir(exist_ok=True)
        part, path = work.folder / "pairs.parquet", tmp_path / "language_ids.parquet"
        if pairs:
            write_part(part, pairs)
        filters = choose_filters({}, (), (), [])
        early, thresholds = reject_sql(filters, "pairs", "el")
        functions = partial(python_functions, filters, "pairs")
        write_language_ids(work, path, part, "el", early, thresholds, functions, is_many, '{"from": "here"}')
        return pq.read_table(path)

    return run


@pytest.mark.parametrize("is_many", [False, True])
def test_lines_that_an_early_filter_rejects_have_no_language(identify, is_many):
    pairs = [(ENGLISH, GREEK), (None, GREEK), ("", GREEK), (GREEK, " \u3000"), ("x" * 3001, GREEK), (GREEK, ENGLISH)]
    table = identify(pairs, is_many)
    assert table.schema.equals(LANGUAGE_IDS)
    assert table.schema.metadata[b"inputs"] == b'{"from": "here"}'
    assert table["line_number"].to_pylist() == [1, 6]
    assert table["en_label"].to_pylist() == ["en", "el"]
    assert table["xx_label"].to_pylist() == ["el", "en"]


@pytest.mark.parametrize("is_many", [False, True])
def test_texts_are_identified_as_they_are_measured(identify, is_many):
    label, probability = (column[0] for column in identify_languages(["Tom & Ann < all the others"]))
    (row,) = identify([("\u200bTom & Ann < all the others\u3000", "Ναι")], is_many).to_pylist()
    assert (row["en_label"], row["en_probability"]) == (label, probability)


def test_compiled_code_makes_the_rows_of_fasttext_in_the_order_of_lines(identify):
    sides = [ENGLISH, GREEK, "Good morning", "Καλημέρα", "12", "</s>", "a\x01b", None, ""]
    pairs = [(sides[n % 9], f"{sides[n % 7]} {n}") for n in range(70_000)]
    compiled = identify(pairs, True)
    assert compiled.equals(identify(pairs, False))
    numbers = compiled["line_number"].to_pylist()
    assert numbers == sorted(numbers)


def test_a_part_without_kept_lines_has_no_rows(identify):
    for pairs in ([(None, None)], [(None, None)] * 50_000):
        assert [identify(pairs, is_many).num_rows for is_many in (False, True)] == [0, 0]


@pytest.mark.parametrize("is_many", [False, True])
def test_a_filter_that_fails_is_a_sentence_and_no_thread_is_left(identify, tmp_path, is_many):
    row = '[odd]\ntable = "pairs"\nfunction = "my_filters:odd"\nthresholds = { min = 3 }\ndescription = "Odd."\n'
    (tmp_path / "filters.toml").write_text(row)
    (tmp_path / "my_filters.py").write_text("def odd(frame, min):\n    return frame['nothing']\n")
    before = threading.active_count()
    with extend([tmp_path]), pytest.raises(InputError, match="The filter odd failed"):
        identify([(ENGLISH, GREEK)] * 50_000, is_many)
    assert threading.active_count() == before


@pytest.mark.parametrize("is_many", [False, True])
def test_a_damaged_part_is_a_sentence(identify, tmp_path, is_many):
    identify([(f"{ENGLISH} {n}", f"{GREEK} {n}") for n in range(50_000)], is_many)
    part = tmp_path / "work" / "pairs.parquet"
    data = bytearray(part.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    part.write_bytes(data)
    with pytest.raises(InputError, match="was damaged and has been removed"):
        identify([], is_many)


@pytest.mark.parametrize("name", ["sql", "macros"])
def test_changed_sql_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    import builders.pipeline.measures as measures
    from builders.pipeline.parts import Part

    part = Part("small", "el", 0, Path("pairs.parquet"))
    part.__dict__["num_rows"] = 1
    before, real = measures.language_task(part, (), False).key, getattr(measures, name)
    monkeypatch.setattr(measures, name, lambda *texts: f"-- Another version.\n{real(*texts)}")
    assert measures.language_task(part, (), False).key != before


@pytest.mark.parametrize("is_many", [False, True])
def test_capitals_are_identified_as_what_they_say_on_both_ways(identify, is_many):
    pairs = [
        ("KEEP THIS DOOR CLOSED AT ALL TIMES", "ΝΑ ΚΡΑΤΑΤΕ ΠΑΝΤΑ ΚΛΕΙΣΤΗ ΑΥΤΗ ΤΗΝ ΠΟΡΤΑ"),
        (None, "x"),
        (ENGLISH, GREEK),
    ]
    rows = identify(pairs, is_many).to_pylist()
    assert [(row["line_number"], row["en_label"], row["xx_label"]) for row in rows] == [
        (1, "en", "el"),
        (3, "en", "el"),
    ]
