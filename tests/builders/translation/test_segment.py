"""Segments and frames: the text is cut at what need not be translated, and filled again."""

import gzip
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.translation.placeholders import mask, unmask
from builders.translation.segment import cut, fill
from corpora.catalog import SAMPLE

TRICKY = st.text(alphabet="ab \t\n\r\v\f\u2028\u00a0-*•1.)`~é你", max_size=60)


@given(st.text() | TRICKY)
def test_a_frame_filled_with_its_own_segments_is_the_text(text):
    segments, frame = cut(text)
    assert fill(frame, segments) == text
    assert len(frame) == len(segments) + 1


@given(st.text() | TRICKY)
def test_a_segment_says_something_and_is_one_line_without_space_around_it(text):
    for segment in cut(text)[0]:
        assert segment == segment.strip()
        assert segment
        assert "\n" not in segment


@given(TRICKY)
def test_cutting_a_segment_again_finds_no_more_than_a_marker_to_take_off(text):
    for segment in cut(text)[0]:
        again, frame = cut(segment)
        assert fill(frame, again) == segment


@pytest.mark.parametrize(
    ("text", "segments", "frame"),
    [
        ("", [], [""]),
        ("\n\n", [], ["\n\n"]),
        ("Hello.", ["Hello."], ["", ""]),
        ("  Hello.  \nBye.", ["Hello.", "Bye."], ["  ", "  \n", ""]),
        ("One.\r\nTwo.", ["One.", "Two."], ["", "\r\n", ""]),
        ("- eggs\n* milk\n• tea", ["eggs", "milk", "tea"], ["- ", "\n* ", "\n• ", ""]),
        ("1. First\n12) Twelfth", ["First", "Twelfth"], ["1. ", "\n12) ", ""]),
        ("    - deep", ["deep"], ["    - ", ""]),
        ("-5 degrees", ["-5 degrees"], ["", ""]),
        ("3.14 is pi", ["3.14 is pi"], ["", ""]),
        ("- ", [], ["- "]),
        ("tea - coffee", ["tea - coffee"], ["", ""]),
    ],
)
def test_indentation_markers_and_empty_lines_belong_to_the_frame(text, segments, frame):
    assert cut(text) == (segments, frame)


def test_fenced_code_is_not_translated():
    text = "Run this:\n```python\nprint('hi')\n\n# done\n```\nIt prints hi."
    assert cut(text)[0] == ["Run this:", "It prints hi."]


def test_code_that_is_never_closed_goes_to_the_end():
    assert cut("Look:\n~~~\ncode\nmore code")[0] == ["Look:"]


def test_an_indented_fence_is_a_fence_and_one_within_a_line_is_not():
    assert cut("Before\n  ```\ncode\n  ```\nAfter")[0] == ["Before", "After"]
    assert cut("Use ``` to fence code.")[0] == ["Use ``` to fence code."]


def test_filling_with_other_words_keeps_the_frame():
    _, frame = cut("  1. Eggs\n\n```\ncode\n```\n- Milk\n")
    assert fill(frame, ["Αυγά", "Γάλα"]) == "  1. Αυγά\n\n```\ncode\n```\n- Γάλα\n"


def test_a_segment_too_few_or_too_many_is_never_filled_in():
    _, frame = cut("One.\nTwo.")
    for segments in (["Ένα."], ["Ένα.", "Δύο.", "Τρία."]):
        with pytest.raises(AssertionError):
            fill(frame, segments)


def test_a_long_run_of_spaces_within_a_line_costs_no_more_than_its_length():
    begin = time.perf_counter()
    cut("x" + " " * 20_000 + "y")
    assert time.perf_counter() - begin < 0.2


def test_a_line_is_cut_into_its_sentences_and_abbreviations_end_none():
    assert cut("Dr. Smith is here. He waits!  Will you come?")[0] == [
        "Dr. Smith is here.",
        "He waits!",
        "Will you come?",
    ]


def test_the_cells_of_a_table_are_segments_and_its_rule_is_not():
    segments, frame = cut("| Name | Age |\n|------|-----|\n| Ann Lee | 12 |")
    assert segments == ["Name", "Age", "Ann Lee"]
    assert fill(frame, ["Όνομα", "Ηλικία", "Άννα"]) == "| Όνομα | Ηλικία |\n|------|-----|\n| Άννα | 12 |"


@pytest.mark.parametrize(
    "code",
    [
        "def add(a, b):\n    # adds two numbers\n    return a + b",
        "SELECT name, age\nFROM users\nWHERE age > 3;",
        "<ul>\n  <li>Milk</li>\n</ul>",
        'for (int i = 0; i < 3; i++) {\n  System.out.println("hi there");\n}',
        '{\n  "name": "Ann",\n  "likes": ["tea"]\n}',
        "x = 5",
    ],
)
def test_code_without_a_fence_is_not_translated(code):
    assert cut(code)[0] == []
    assert cut(f"Run this:\n\n{code}\n\nThen wait.")[0] == ["Run this:", "Then wait."]


@pytest.mark.parametrize(
    "text", ["Kind regards,\n{sender}", "Return to the shop.", "If you can, come:", "From now on we rest."]
)
def test_words_that_begin_like_code_are_translated(text):
    assert cut(text)[0]


def test_a_line_that_announces_code_is_translated_and_the_code_is_not():
    text = "Code snippet 2:\nif __name__ == '__main__':\n    _MERGE_"
    assert cut(text)[0] == ["Code snippet 2:"]


def test_labels_of_one_letter_belong_to_the_frame_and_names_of_speakers_to_the_sentence():
    assert cut("A: Hello there.\nQ1: Why not?\nAnn: Good day.")[0] == ["Hello there.", "Why not?", "Ann: Good day."]


def test_between_two_chinese_sentences_there_is_no_space():
    _, frame = cut("One is here. Two is there.\nThree.")
    assert fill(frame, ["一。", "二。", "三。"], spaced=False) == "一。二。\n三。"


def test_every_text_of_the_bundled_sample_comes_back_whole():
    path = SAMPLE / "tatsu-lab/stanford_alpaca/main/alpaca_data.json"
    texts = [text for record in json.loads(path.read_text(encoding="utf-8")) for text in record.values()]
    for text in texts:
        segments, frame = cut(text)
        assert fill(frame, segments) == text


REAL = Path(__file__).parents[4] / "shared" / "data" / "alpaca" / "alpaca_random_9229.json.gz"


@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared, which holds real Alpaca records")
def test_all_9229_real_records_come_back_whole():
    records = json.loads(gzip.decompress(REAL.read_bytes()))
    assert len(records) == 9229
    for record in records:
        for text in record.values():
            segments, frame = cut(text)
            assert fill(frame, segments) == text
            for segment in segments:
                masked = mask(segment)
                assert unmask(masked.text, masked.spans) == segment
