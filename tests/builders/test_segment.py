"""Segments and frames: the text is cut at what need not be translated, and filled again."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.segment import cut, fill

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
