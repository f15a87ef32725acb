"""The table `measured`: compiled code makes the rows that SQL makes, for any text in any script."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import all_filters, choose_filters
from builders.pipeline.measuring import write_measured
from builders.workspace import Workspace
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.reading import PAIRS

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[4] / "corpora" / "sample" / "laser" / "WikiMatrix" / "v1"
LANGS = ["ar", "el", "hi", "tr", "vi", "zh", "zh-Hant", "sr", "ja", "nl", "th"]  # scripts, variants, shared words
PIECES = [
    *["the", "The", "thiſ", "THIS", "of,", "aof", "ofa", "which", "Ǆ", "ǅ", "ǆ", "İ", "ı", "I", "ς", "Σ", "σ", "ΑΣ"],
    *[
        "a\u0301",
        "\u0301",
        "क्षि",
        "क\u094d",
        "🇬",
        "🇬🇷",
        "👩\u200d👩",
        "\ufe0f",
        "漢字",
        "汉字",
        "后",
        "Ａ",
        "Ⅷ",
        "Ⓐ",
        "ß",
    ],
    *["12", "1 2", "٣٤", "३४", "１２", "1,000.50", "²", "½", "://", "http://a.b/c", "https:", "||", "{{x}}", "<b>"],
    *["â€™", "Ã©", "Â»", "\ufffd", "\x00", "\x01", "\x0b", "\x7f", "\x85", "\xa0", "\u2028", "\u200b", "\ufeff", "[["],
    *[
        "\u2060",
        "\u3000",
        " ",
        "\t",
        "\n",
        "\r",
        "&amp;",
        "&AMP;lt;",
        "&nbsp;",
        "&#39;",
        "&",
        "Р°Р",
        "Ξ±Ξ",
        "ط§ظ",
        "Ă¶",
        "Ĺ‚",
        "锟斤拷",
        "锛",
        "\ue000",
        "\ufdd0",
        "á»‡",
        "ä½Ÿ",
        "a" * 26,
        "α" * 26,
    ],
    *["Ⓐ", "Αυτό είναι", "Bu bir", "هذا نص", "यह एक", "\U000e0100", "\U0010ffff"],
]
TEXT = st.one_of(
    st.text(max_size=60),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=40).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join),
)
ANY = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
Sides = tuple[str | None, str | None]


@pytest.fixture
def measure(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """The rows of `measured` for pairs of texts, by SQL or by compiled code."""
    work = Workspace(tmp_path / "work", threads=2)

    def run(pairs: Sequence[Sides], lang: str, is_compiled: bool, disable: Sequence[str] = ()) -> list[dict[str, Any]]:
        filters = choose_filters({}, (), disable, [])
        path, measured = tmp_path / "pairs.parquet", tmp_path / "measured.parquet"
        pq.write_table(table_of(pairs, lang), path, row_group_size=20_000)
        early, thresholds = reject_sql(filters, "pairs", lang)
        reject, more = reject_sql(filters, "measured", lang)
        functions = partial(python_functions, filters, "pairs", "measured")
        write_measured(work, measured, path, lang, early, reject, thresholds | more, functions, is_compiled, "{}")
        return pq.read_table(measured).to_pylist()

    return run


def table_of(pairs: Sequence[Sides], lang: str) -> pa.Table:
    """A part of `pairs`; a side that is None could not be read."""
    rows = [
        {"line_number": number, "en": en, "xx": xx, "margin": 1.1, "read_error": None if en and xx else "invalid_utf8"}
        for number, (en, xx) in enumerate(pairs, 1)
    ]
    table = pa.Table.from_pylist(rows, PAIRS)
    names = [pa.repeat(value, len(rows)) for value in ("any", lang)]
    return pa.table([*names, *table.columns], ["corpus", "lang", *table.column_names])


def check_equal(
    measure: Callable[..., list[dict[str, Any]]], pairs: Sequence[Sides], lang: str, disable: Sequence[str] = ()
) -> None:
    """Compare every column of both ways."""
    by_sql, compiled = (measure(pairs, lang, way, disable) for way in (False, True))
    assert len(by_sql) == len(compiled) == len(pairs)
    for one, other, sides in zip(by_sql, compiled, pairs, strict=True):
        assert list(one) == list(other)
        assert all(map(is_same, one.values(), other.values())), (sides, differences(one, other))


def is_same(one: object, other: object) -> bool:
    return one == other or (one != one and other != other)  # NaN is what 0 / 0 is


def differences(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    return {name: (one[name], other[name]) for name in one if not is_same(one[name], other[name])}


@pytest.mark.parametrize("lang", LANGS)
def test_compiled_code_measures_real_sentences_as_sql_does(measure, lang):
    path = SAMPLE / f"WikiMatrix.{'-'.join(sorted(('en', lang)))}.tsv.gz"
    if not path.exists():
        path = SAMPLE / "WikiMatrix.en-vi.tsv.gz"  # another language in Latin script
    lines = [line.split("\t") for line in gzip.decompress(path.read_bytes()).decode("utf-8", "replace").split("\n")]
    swap = path.name.startswith(f"WikiMatrix.{lang}-")
    pairs = [(line[2], line[1]) if swap else (line[1], line[2]) for line in lines if len(line) == 3]
    assert len(pairs) > 100
    check_equal(measure, pairs, lang)


@pytest.mark.parametrize("lang", ["el", "zh"])
@ANY
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=30))
def test_compiled_code_measures_any_text_as_sql_does(measure, lang, pairs):
    check_equal(measure, pairs, lang)


@pytest.mark.parametrize("lang", ["el", "zh"])
def test_compiled_code_knows_every_character_as_sql_does(measure, lang):
    points = [point for point in range(1, 0x110000) if not 0xD800 <= point < 0xE000]
    texts = ["x" + "".join(map(chr, points[n : n + 8])) + "x" for n in range(0, 0x32000, 8)]
    texts += ["x" + "".join(map(chr, points[n : n + 512])) + "x" for n in range(0x32000, len(points), 512)]
    check_equal(measure, [(text, text[::-1]) for text in texts], lang)


def test_compiled_code_measures_texts_that_have_nothing_and_lines_of_a_mebibyte_as_sql_does(measure):
    long = [
        piece * (2**20 // len(piece.encode())) for piece in ("a", "the ", "σ", "漢", "\U0001d7d8", " ", "1", "&amp;")
    ]
    unread: list[Sides] = [(None, None), ("a", None), (None, "a"), ("", ""), (" ", "&nbsp;")]
    for disable in ((), ("too_long",)):
        check_equal(measure, [*unread, *zip(long, reversed(long), strict=True), ("Yes", "Ναι")], "el", disable)


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_part_without_lines_has_no_rows(measure, is_compiled):
    assert measure([], "el", is_compiled) == []


@pytest.mark.parametrize("table", ["pairs", "measured"])
def test_filters_of_the_user_read_texts_on_both_ways(measure, tmp_path, table):
    (tmp_path / "filters.toml").write_text(
        f'[shouting]\ntable = "{table}"\nfunction = "my_filters:is_shouting"\n'
        'description = "Capitals."\n'
        f'[hello]\ntable = "{table}"\nreject = "starts_with(xx, \'Γεια\')"\ndescription = "Greets."\n'
    )
    (tmp_path / "my_filters.py").write_text(
        "def is_shouting(frame):\n    return frame['en'] == frame['en'].str.to_uppercase()\n"
    )
    pairs = [("HELLO YOU", "γεια σου"), ("Hello & you", "Γεια σου"), ("Good morning", "Καλημέρα")]
    with extend([tmp_path]):
        for is_compiled in (False, True):
            reasons = [row["reject_reason"] for row in measure(pairs, "el", is_compiled)]
            assert reasons == ["shouting", "hello", None]


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("table", ["pairs", "measured"])
def test_a_filter_that_fails_is_a_sentence_on_both_ways(measure, tmp_path, table, is_compiled):
    row = f'[odd]\ntable = "{table}"\nfunction = "my_filters:odd"\nthresholds = {{ min = 3 }}\n'
    row += 'description = "Odd."\n'
    (tmp_path / "filters.toml").write_text(row)
    (tmp_path / "my_filters.py").write_text("def odd(frame, min):\n    return frame['nothing']\n")
    with extend([tmp_path]), pytest.raises(InputError, match="The filter odd failed"):
        measure([("Hello", "Γεια σου")], "el", is_compiled)


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_text_is_written_again_only_where_cleaning_changed_it(measure, is_compiled):
    pairs: list[Sides] = [("\u3000Tom & I", "Ο Τομ κι εγώ"), ("Yes", "\u200bΝαι "), (None, "x")]
    rows = measure(pairs, "el", is_compiled)
    assert [(row["en_cleaned"], row["xx_cleaned"]) for row in rows] == [("Tom & I", None), (None, "Ναι"), (None, None)]


def test_compiled_code_keeps_the_order_of_lines(measure):
    pairs = [(f"Sentence {number}", f"Πρόταση {number}") for number in range(60_000)]
    rows = measure(pairs, "el", True)
    assert [row["line_number"] for row in rows] == list(range(1, len(pairs) + 1))
    assert "measured" in {rule.table for rule in all_filters().values()}
