"""Placeholders are found, masked and restored, and every loss is noticed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.translation import placeholder_rows
from builders.translation.placeholders import (
    has_translatable_text,
    mask_placeholders,
    restore_placeholders,
    split_at_placeholders,
)

TRICKY = st.text(alphabet="ab1 .,:/@_{}[]<>`$=+^-#%()你é\\", max_size=50)


@given(st.text() | TRICKY)
def test_restored_sentence_is_the_sentence(text: str) -> None:
    masked = mask_placeholders(text)
    assert restore_placeholders(masked.text, masked.placeholders) == text
    assert "".join(piece for piece, _ in split_at_placeholders(text)) == text


@given(st.text() | TRICKY | st.from_regex("|".join(row.pattern for row in placeholder_rows().values())))
def test_trigger_is_in_every_span_of_its_row(text: str) -> None:
    for row in placeholder_rows().values():
        assert all(re.search(row.trigger, span[0]) for span in re.finditer(row.pattern, text))


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
def test_placeholders_are_found_and_plain_words_are_not(sentence: str, spans: tuple[str, ...]) -> None:
    assert mask_placeholders(sentence).placeholders == spans


@pytest.mark.parametrize("translation", ["[1] και [2]", "【1】 και [ 2 ]", "[१] और [२]"])
def test_masks_are_recognized_as_models_write_them(translation: str) -> None:
    assert (restore_placeholders(translation, ("{a}", "{b}")) or "").count("{") == 2


@pytest.mark.parametrize("translation", ["και [2]", "[1] [1] [2]", "[2] και [1]", "[1] [2] [3]", ""])
def test_mask_that_is_lost_doubled_moved_or_invented_is_noticed(translation: str) -> None:
    assert restore_placeholders(translation, ("{a}", "{b}")) is None


def test_numbers_addresses_and_formulas_are_not_translatable() -> None:
    assert not any(
        has_translatable_text(text) for text in ("", "12", "x = 5", "https://a.org", "[Name]", "B.", "3 + 4 %")
    )
    assert all(has_translatable_text(text) for text in ("No", "see https://a.org", "你好", "नहीं"))


PROSE = [
    "US$5 million and AU$7 = a lot.",
    "One book costs $5, so three books = $15 in all.",
    "Earn $100 {before tax} and keep $80 for the rent.",
    "He said [as he often did] that it rains.",
    "It costs $5-$10 with {a small discount}.",
    "Prices rose from $3 {or less} to $4 in May.",
    "The $A and the US$ = two signs.",
]


@pytest.mark.parametrize("text", PROSE)
def test_money_and_remarks_in_brackets_are_prose(text):
    assert mask_placeholders(text).placeholders == ()


STAYS = [
    (r"A share such as $\frac{a}{b}$ is fine.", (r"$\frac{a}{b}$",)),
    ("Let $a=b$, then $$c$$.", ("$a=b$", "$$c$$")),
    (
        "Dear [Your Name], [insert your name here] and {user_name}",
        ("[Your Name]", "[insert your name here]", "{user_name}"),
    ),
    ("See [1], [X] and {1, 2} or {{title}}", ("[1]", "[X]", "{1, 2}", "{{title}}")),
    ("Say <|im_end|> and </s> or [INST] x [/INST]", ("<|im_end|>", "</s>", "[INST]", "[/INST]")),
    ("Write <<SYS>> and <start_of_turn> and [CLS]", ("<<SYS>>", "<start_of_turn>", "[CLS]")),
    ("Read [our guide](https://a.example/b_(c)) now.", ("https://a.example/b_(c)",)),
    ("Read [guide](docs/start.md#top) or ![a red boat](img/b.png).", ("docs/start.md#top", "img/b.png")),
]


@pytest.mark.parametrize(("text", "placeholders"), STAYS)
def test_formulas_placeholders_and_addresses_stay_and_words_of_links_do_not(text, placeholders):
    assert mask_placeholders(text).placeholders == placeholders
