"""Segmentation: segments and skeleton merge to the text again, and what is not language is in the skeleton."""

import gzip
import json
import time
from pathlib import Path
from textwrap import fill

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.translation import merge, segment
from builders.translation.placeholders import mask_placeholders, restore_placeholders
from builders.translation.segmentation import join_wrapped_lines
from corpora.catalog import SAMPLE

TRICKY = st.text(alphabet="ab \t\n\r\v\f\u2028\u00a0-*•1.)`~é你", max_size=60)


@given(st.text() | TRICKY)
def test_skeleton_and_segments_merge_to_the_text(text):
    segments, skeleton = segment(text)
    assert merge(skeleton, segments) == text
    assert len(skeleton) == len(segments) + 1


@given(st.text() | TRICKY)
def test_segment_is_one_line_without_space_around_it(text):
    for source in segment(text)[0]:
        assert source == source.strip()
        assert source
        assert "\n" not in source


@given(TRICKY)
def test_segmenting_a_segment_again_loses_nothing(text):
    for source in segment(text)[0]:
        again, skeleton = segment(source)
        assert merge(skeleton, again) == source


@pytest.mark.parametrize(
    ("text", "segments", "skeleton"),
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
def test_indentation_markers_and_empty_lines_are_in_the_skeleton(text, segments, skeleton):
    assert segment(text) == (segments, skeleton)


def test_fenced_code_is_not_translated():
    text = "Run this:\n```python\nprint('hi')\n\n# done\n```\nIt prints hi."
    assert segment(text)[0] == ["Run this:", "It prints hi."]


def test_unclosed_fence_goes_to_the_end():
    assert segment("Look:\n~~~\ncode\nmore code")[0] == ["Look:"]


def test_fence_may_be_indented_and_begins_its_line():
    assert segment("Before\n  ```\ncode\n  ```\nAfter")[0] == ["Before", "After"]
    assert segment("Use ``` to fence code.")[0] == ["Use ``` to fence code."]


def test_merging_other_segments_keeps_the_skeleton():
    _, skeleton = segment("  1. Eggs\n\n```\ncode\n```\n- Milk\n")
    assert merge(skeleton, ["Αυγά", "Γάλα"]) == "  1. Αυγά\n\n```\ncode\n```\n- Γάλα\n"


def test_merging_another_number_of_segments_fails():
    _, skeleton = segment("One.\nTwo.")
    for segments in (["Ένα."], ["Ένα.", "Δύο.", "Τρία."]):
        with pytest.raises(AssertionError):
            merge(skeleton, segments)


def test_time_is_linear_in_a_run_of_spaces():
    begin = time.perf_counter()
    segment("x" + " " * 20_000 + "y")
    assert time.perf_counter() - begin < 0.2


def test_line_is_split_into_sentences_but_not_at_abbreviations():
    assert segment("Dr. Smith is here. He waits!  Will you come?")[0] == [
        "Dr. Smith is here.",
        "He waits!",
        "Will you come?",
    ]


def test_cells_of_a_table_are_segments():
    segments, skeleton = segment("| Name | Age |\n|------|-----|\n| Ann Lee | 12 |")
    assert segments == ["Name", "Age", "Ann Lee"]
    assert merge(skeleton, ["Όνομα", "Ηλικία", "Άννα"]) == "| Όνομα | Ηλικία |\n|------|-----|\n| Άννα | 12 |"


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
    assert segment(code)[0] == []
    assert segment(f"Run this:\n\n{code}\n\nThen wait.")[0] == ["Run this:", "Then wait."]


@pytest.mark.parametrize(
    "text", ["Kind regards,\n{sender}", "Return to the shop.", "If you can, come:", "From now on we rest."]
)
def test_sentences_that_begin_like_code_are_translated(text):
    assert segment(text)[0]


def test_line_that_announces_code_is_translated():
    text = "Code snippet 2:\nif __name__ == '__main__':\n    _MERGE_"
    assert segment(text)[0] == ["Code snippet 2:"]


def test_labels_of_one_letter_are_in_the_skeleton_and_names_of_speakers_are_not():
    assert segment("A: Hello there.\nQ1: Why not?\nAnn: Good day.")[0] == ["Hello there.", "Why not?", "Ann: Good day."]


def test_between_two_chinese_sentences_there_is_no_space():
    _, skeleton = segment("One is here. Two is there.\nThree.")
    assert merge(skeleton, ["一。", "二。", "三。"], spaced=False) == "一。二。\n三。"


def test_texts_of_the_sample_merge_to_themselves():
    path = SAMPLE / "tatsu-lab/stanford_alpaca/main/alpaca_data.json"
    texts = [text for record in json.loads(path.read_text(encoding="utf-8")) for text in record.values()]
    for text in texts:
        segments, skeleton = segment(text)
        assert merge(skeleton, segments) == text


SENTENCE = "The old library by the river opens its doors again in the spring, and the whole town is invited. "
WRAPPED = [
    fill(SENTENCE * 2, 72),
    fill(SENTENCE * 2 + "It was built in 1914 by Tom Smith, who never saw it.", 60),
    fill("Bread is made of flour, water, salt and a little yeast, which has to rest for an hour.", 64),
    fill("Ann said that she would come if her brother Tom came too, but he did not want to leave.", 50),
    fill(SENTENCE * 5, 100),
]
LINES = [
    "- eggs and a large bottle of milk from the shop on the corner\n- bread from the baker who opens at six",
    "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\nRough winds do shake",
    "Two roads diverged in a yellow wood,\nAnd sorry I could not travel both\nAnd be one traveler, long I stood",
    "red\ngreen\nblue",
    "First do this and then wait for the others.\nSecond do that.\nThird go home.",
    "Dear Sir,\n\nthank you for the letter that you wrote to me.\n\nYours",
    "def add(a, b):\n    # adds two numbers that are given to it by the caller\n    return a + b",
    "| Name of the person who is asked | Age |\n|------|-----|\n| Ann Lee who lives in the town | 12 |",
    "1. mix the flour with the water and the salt in a big bowl\n2. leave it to rest for at least an hour",
    "Q: what is the name of the capital city of the country of France\nA: it is Paris",
]


@pytest.mark.parametrize("text", WRAPPED)
def test_lines_of_a_wrapped_paragraph_are_joined(text):
    assert "\n" in text
    assert join_wrapped_lines(text) == text.replace("\n", " ")
    around = "Title\n\n{}\n\n- a\n- b\n"
    assert join_wrapped_lines(around.format(text)) == around.format(text.replace("\n", " "))


@pytest.mark.parametrize("text", LINES)
def test_lists_poems_code_and_tables_stay_lines(text):
    assert join_wrapped_lines(text) == text


REAL = Path(__file__).parents[4] / "shared" / "data" / "alpaca" / "alpaca_random_9229.json.gz"


@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared, which holds real Alpaca records")
def test_9229_alpaca_records_merge_to_themselves():
    records = json.loads(gzip.decompress(REAL.read_bytes()))
    assert len(records) == 9229
    for record in records:
        for text in record.values():
            segments, skeleton = segment(text)
            assert merge(skeleton, segments) == text
            for source in segments:
                masked = mask_placeholders(source)
                assert restore_placeholders(masked.text, masked.placeholders) == source
