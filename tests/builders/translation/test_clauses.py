"""Clauses: only a sentence that is too long is cut, where a clause ends, and nothing of it is lost."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.translation.clauses import clauses
from builders.translation.memory import digest
from builders.translation.outcomes import outcomes
from builders.translation.placeholders import span_places
from builders.translation.translator import Translator
from tests.builders.translation.tiny_model import expected

GREEK = partial(expected, flores="ell_Grek")
LIST = "We need " + ", ".join(f"a box of apples from shop {number} {{name}}" for number in range(30)) + "."
WORDS = "so " * 200


def short(length: int) -> Callable[[str], bool]:
    return lambda text: len(text.strip()) <= length


@given(st.text(alphabet="ab ,;:and{}-—", max_size=80), st.integers(1, 40))
def test_the_pieces_of_a_sentence_are_the_sentence_and_none_is_cut_that_fits(text: str, length: int) -> None:
    pieces = clauses(text, short(length))
    assert "".join(pieces) == text
    assert len(pieces) == 1 or not short(length)(text)
    ends = {sum(map(len, pieces[:number])) for number in range(1, len(pieces))}
    assert not any(begin < end < stop for end in ends for begin, stop in span_places(text))


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
def test_a_sentence_is_cut_at_the_best_end_of_a_clause_near_its_middle(
    sentence: str, length: int, pieces: list[str]
) -> None:
    assert clauses(sentence, short(length)) == pieces


def test_a_sentence_that_is_too_long_for_the_model_is_translated_clause_by_clause(
    converted: Path, translator: Callable[[Path, Path], Translator], tmp_path: Path
) -> None:
    texts = {digest(text): text for text in (LIST, "x" * 600, "Short, and whole.")}
    found = outcomes(texts, "el", translator(converted, tmp_path))
    assert [(found[key].how, found[key].stopped_by) for key in texts] == [
        ("in_clauses", ""),
        ("kept", "too_long"),
        ("kept", ""),
    ]
    assert found[digest(LIST)].text == GREEK(LIST).replace(f"{{{GREEK('name')}}}", "{name}")
