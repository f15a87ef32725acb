"""Spans: what must survive is masked, restored, and every loss is seen."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.translation.placeholders import mask, parts, rows, says_something, unmask

TRICKY = st.text(alphabet="ab1 .,:/@_{}[]<>`$=+^-#%()你é\\", max_size=50)


@given(st.text() | TRICKY)
def test_a_masked_sentence_with_its_spans_put_back_is_the_sentence(text: str) -> None:
    masked = mask(text)
    assert unmask(masked.text, masked.spans) == text
    assert "".join(piece for piece, _ in parts(text)) == text


@given(st.text() | TRICKY | st.from_regex("|".join(row["pattern"] for row in rows("placeholders").values())))
def test_the_sign_of_a_row_is_in_every_span_of_it(text: str) -> None:
    for row in rows("placeholders").values():
        assert all(re.search(row["sign"], span[0]) for span in re.finditer(row["pattern"], text))


@pytest.mark.parametrize(
    ("sentence", "spans"),
    [
        ("Visit https://a.org/x?y=1, or write to me@b.com.", ("https://a.org/x?y=1", "me@b.com")),
        ("Dear {name}, your {{order}} of ${n} is here.", ("{name}", "{{order}}", "${n}")),
        ("Fill in ____ and [X], not <noinput>.", ("____", "[X]", "<noinput>")),
        ("Call `print(x)` or sum() on file_name in data.csv.", ("`print(x)`", "sum()", "file_name", "data.csv")),
        ("Replace \\_MERGE_ by __init__ in the .html file.", ("_MERGE_", "__init__", ".html")),
        ("Solve x^2 + 3x = 10 for x.", ("x^2 + 3x = 10",)),
        ("It follows that $E = mc^2$ holds.", ("$E = mc^2$",)),
        ("Use #GoGreen and @green 😀!", ("#GoGreen", "@green", "😀")),
        ("It costs $5 and then $10 more, and/or 24/7 well-known service.", ()),
        ("He said: no. E.g. this (or that) is 5.5 % of 3,000.", ()),
        ("Is A > B? I love C++ and AC/DC.", ()),
    ],
)
def test_what_must_survive_is_found_and_plain_words_are_not(sentence: str, spans: tuple[str, ...]) -> None:
    assert mask(sentence).spans == spans


@pytest.mark.parametrize("translation", ["[1] και [2]", "【1】 και [ 2 ]", "[१] और [२]"])
def test_masks_are_known_again_as_models_write_them(translation: str) -> None:
    assert (unmask(translation, ("{a}", "{b}")) or "").count("{") == 2


@pytest.mark.parametrize("translation", ["και [2]", "[1] [1] [2]", "[2] και [1]", "[1] [2] [3]", ""])
def test_a_mask_lost_doubled_moved_or_invented_is_seen(translation: str) -> None:
    assert unmask(translation, ("{a}", "{b}")) is None


def test_numbers_addresses_and_formulas_alone_say_nothing() -> None:
    assert not any(says_something(text) for text in ("", "12", "x = 5", "https://a.org", "[Name]", "B.", "3 + 4 %"))
    assert all(says_something(text) for text in ("No", "see https://a.org", "你好", "नहीं"))
