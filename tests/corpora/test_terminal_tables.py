"""Tables for a terminal: no line is wider than it, nothing is lost without a word, and piped ones are whole."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.printing import print_text
from corpora.terminal_tables import format_table, text_width, wrap_sentences, wrap_text

HEADS = ("lang", "pairs", "noise", "why")
ROWS = [["ar", "1,234", "0.35", "a long reason that goes on for a while"], ["el", "56", "0.40", ""]]


def table(width):
    return format_table(HEADS, ROWS, drop=["noise", "why"], wrap=["why"], width=width)


def test_table_without_limit_has_everything_on_one_line_a_row():
    assert table(None) == (
        "lang  pairs  noise  why\n"
        "----  -----  -----  --------------------------------------\n"
        "ar    1,234   0.35  a long reason that goes on for a while\n"
        "el       56   0.40"
    )


def test_text_wraps_at_spaces_before_a_column_is_dropped():
    assert table(50).splitlines()[2:4] == [
        "ar    1,234   0.35  a long reason that goes on for",
        "                    a while",
    ]


def test_columns_are_dropped_by_priority_and_named():
    assert table(41).splitlines()[0] == "lang  pairs  why"
    assert table(20).splitlines() == [
        "lang  pairs",
        "----  -----",
        "ar    1,234",
        "el       56",
        "Not shown in 20",
        "columns: noise, why.",
    ]


def test_row_is_a_block_where_nothing_can_be_dropped():
    heads = ["lang", "pairs", "value (90%)"]
    assert format_table(heads, [["ar", "1,234", "5.00 [4.00, 6.00]"]], width=24) == (
        "lang ar\n  pairs        1,234\n  value (90%)  5.00\n               [4.00,\n               6.00]"
    )


def test_empty_columns_are_left_out_and_a_table_without_rows_keeps_its_heads():
    assert format_table("ab", [["x", ""], ["y", None]], width=None) == "a\n-\nx\ny"
    assert format_table("ab", [], width=None) == "a  b\n-  -"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("中文", 4), ("हिन्दी", 3), ("مرحبا", 5), ("e\u0301", 1), ("می‌خواهم", 7), ("ｗ", 2)]
)
def test_width_of_a_text_on_a_terminal(text, width):
    assert text_width(text) == width


def test_control_characters_and_newlines_stay_in_their_cell():
    text = format_table("ab", [["x\x1b[31m\ny", "z"]], width=None)
    assert text.splitlines()[2] == r"x\u001b[31m y  z"


TEXT = st.text(st.sampled_from("ab 中नि\u0301-"), max_size=30)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), st.integers(24, 70))
def test_no_line_is_wider_than_the_terminal(rows, width):
    text = format_table(["one", "two", "three"], rows, drop=["two"], wrap=["three"], width=width)
    assert max(map(text_width, text.splitlines())) <= width


@given(TEXT, st.integers(2, 20))
def test_wrapped_text_has_all_words(text, width):
    lines = wrap_text(text, width)
    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert max(map(text_width, lines)) <= width


def test_sentences_are_wrapped_at_spaces_and_paths_stay_whole():
    text = "  one two three four\n\n  /a/very/long/path/that/is/whole\nshort"
    assert wrap_sentences(text, 12) == [
        "  one two",
        "  three four",
        "",
        "  /a/very/long/path/that/is/whole",
        "short",
    ]


def test_heads_are_bold_in_a_terminal_and_plain_with_no_color(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def printed(no_color):
        stream = Terminal()
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setenv("NO_COLOR", no_color)
        monkeypatch.setenv("TERM", "xterm")
        print_text("head\n----\n\x1b[31mred")
        return stream.getvalue()

    assert printed("") == "\x1b[1mhead\x1b[0m\n\x1b[2m----\x1b[0m\n\\u001b[31mred\n"
    assert printed("1") == "head\n----\n\\u001b[31mred\n"
