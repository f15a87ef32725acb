"""Clauses: only a sentence that is too long is split, at the end of a clause, without a loss."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.translation import Translator, digest
from builders.translation.clauses import split_at_clauses
from builders.translation.placeholders import find_placeholders
from tests.builders.translation.expected import expected
from tests.builders.translation.translating import translate_texts

GREEK = partial(expected, flores="ell_Grek")
LIST = "We need " + ", ".join(f"a box of apples from shop {number} {{name}}" for number in range(30)) + "."
WORDS = "so " * 200


def short(length: int) -> Callable[[str], bool]:
    return lambda text: len(text.strip()) <= length


@given(st.text(alphabet="ab ,;:and{}-—", max_size=80), st.integers(1, 40))
def test_parts_join_to_the_sentence_and_a_sentence_that_fits_is_not_split(text: str, length: int) -> None:
    pieces = split_at_clauses(text, short(length))
    assert "".join(pieces) == text
    assert len(pieces) == 1 or not short(length)(text)
    ends = {sum(map(len, pieces[:number])) for number in range(1, len(pieces))}
    assert not any(begin < end < stop for end in ends for begin, stop in find_placeholders(text))


@pytest.mark.parametrize(
    ("sentence", "length", "pieces"),
    [
        ("One is red; two is blue, and bold.", 40, ["One is red; two is blue, and bold."]),
        ("One is red, bold; two is blue, and bold.", 25, ["One is red, bold; ", "two is blue, and bold."]),
        ("It is red and bold because it wants to.", 20, ["It is red and bold ", "because it wants to."]),
        ("See {a, b, c, d, e, f}, now.", 24, ["See {a, b, c, d, e, f}, ", "now."]),
        ("In 3,000 years (it is said: by all) he comes.", 30, ["In 3,000 years (it is said: ", "by all) he comes."]),
        ("wordswithoutanend", 5, ["wordswithoutanend"]),
    ],
)
def test_split_is_at_the_best_clause_end_near_the_middle(sentence: str, length: int, pieces: list[str]) -> None:
    assert split_at_clauses(sentence, short(length)) == pieces


def test_segment_too_long_for_the_model_is_translated_clause_by_clause(
    converted: Path, translator: Callable[[Path], Translator], tmp_path: Path
) -> None:
    texts = {digest(text): text for text in (LIST, "x" * 600, "Short, and whole.")}
    found = translate_texts(texts, translator(converted), tmp_path)
    assert [(found[key].method, found[key].failed_check) for key in texts] == [
        ("split_at_clauses", ""),
        ("first_pass", "source_too_long"),
        ("first_pass", ""),
    ]
    assert found[digest(LIST)].text == GREEK(LIST).replace(f"{{{GREEK('name')}}}", "{name}")
