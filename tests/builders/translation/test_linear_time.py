"""Texts that make a backtracking pattern slow: each of them is as long as a text may be, and is searched once.

A pattern whose time grows as the square would need from a quarter of an hour to days for one of them.
"""

import pytest

from builders.translation.clauses import split_at_clauses
from builders.translation.do_not_translate import find_do_not_translate
from builders.translation.placeholders import find_placeholders, mask_placeholders
from builders.translation.segmentation import merge, segment

LENGTH = 1_000_000
UNITS = ["1 = ", "= ", "a=", ")", ";", " ", "\n", "\t", "public a", "{;", "| ", "a | ", "translate ", "correct ", "a."]
FIELDS = ("instruction", "input", "output")


def repeat(unit: str, end: str = "!") -> str:
    return (unit * (LENGTH // len(unit)))[:LENGTH] + end


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_a_long_text_is_segmented(unit: str) -> None:
    text = repeat(unit)
    segments, skeleton = segment(text)
    assert merge(skeleton, segments) == text


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["\n", "translate ", "correct ", "; ", "/", "a=", " ", "how many "])
def test_a_long_text_is_searched_for_what_is_not_translated(unit: str) -> None:
    assert find_do_not_translate(dict.fromkeys(FIELDS, repeat(unit, "x"))) is None or unit not in ("\n", " ")


@pytest.mark.slow
@pytest.mark.parametrize("unit", [" ", "\t", ", ", "and "])
def test_a_long_sentence_is_split_at_clauses(unit: str) -> None:
    text = repeat(unit, "x")
    assert "".join(split_at_clauses(text, lambda part: len(part) < LENGTH // 8)) == text


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["1 = ", "a@", "[", "{", "<a", "$", "\\(", "`", "_a", "a.b(", "www.", "a-"])
def test_a_long_text_is_masked(unit: str) -> None:
    text = repeat(unit)
    assert len(mask_placeholders(text).placeholders) == len(find_placeholders(text))


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("x = 1;", True),
        ("a b = c d;", True),
        ('call("x");', True),
        ("});", True),
        ("}) else {", True),
        ("a {b: c}", True),
        ("public static main(", True),
        ("This is a sentence; it goes on.", False),
        ("Is a = b?", False),
    ],
)
def test_lines_of_code_are_recognised(text: str, is_code: bool) -> None:
    segments, _ = segment(text)
    assert (not segments) == is_code


@pytest.mark.parametrize(
    "instruction",
    ["Translate this to French.", "In Greek, what is the\ntranslation?", "Rephrase.\nFind here, then the error."],
)
def test_rules_search_all_of_a_text(instruction: str) -> None:
    found = find_do_not_translate({"instruction": instruction, "input": "a b", "output": "An answer."})
    assert found is not None
