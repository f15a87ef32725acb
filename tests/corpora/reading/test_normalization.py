"""The search for lines that may not be in NFC misses none, and no number of marks in a row holds it up."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.reading.normalization import MAX_MARKS, nfc, normalize_column

TRICKY = (
    "aeoAn \u0301\u0323\u0327\u0338\u05d0\u05b7\u0644\u0627\u0653\u064e\u0651\u0928\u0915\u093c\u094d\u0958\u212b\ufb1d"
)
MARKS = "\u0301\u0323\u0327\u0338\u05b7\u064e\u0651\u093c\u094d\u0f71\u3099" + "\u0344\u0f73\u0f81"  # these fall apart
HANGUL = "\u1100\u1112\u1161\u1175\u11a8\u11c2\uac00\uac01\ud7a3\u11a7"


def check(texts: list[str]) -> None:
    normal = [unicodedata.normalize("NFC", text) for text in texts]
    assert normalize_column(pa.array(texts, pa.string())).to_pylist() == normal


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(st.lists(st.text(TRICKY + HANGUL, max_size=8) | st.text(max_size=8)))
def test_column_is_normalised_as_python_normalises_each_string(texts):
    check(texts)


@pytest.mark.slow
def test_every_character_is_normalised_alone_and_after_a_letter():
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    check(characters)
    check(["a" + character + "\u0301" for character in characters])


@pytest.mark.slow
def test_every_composed_character_is_normalised_before_every_mark():
    characters = [chr(code) for code in range(0x250) if not 0xD800 <= code < 0xE000]
    characters += [
        chr(code) for code in range(0x250, 0x30000) if unicodedata.decomposition(chr(code))[:1] not in ("", "<")
    ]
    marks = [chr(code) for code in range(0x30000) if unicodedata.combining(chr(code))]
    check([character + mark for mark in marks for character in characters])


def test_every_decomposition_is_composed_again():
    check([unicodedata.normalize("NFD", chr(code)) for code in range(0x30000) if not 0xD800 <= code < 0xE000])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(MARKS, max_size=3 * MAX_MARKS) | st.sampled_from(["e", "\u1fb3", "\u0f40", " "]), max_size=6))
def test_consecutive_marks_are_normalised_like_python(parts):
    text = "".join(parts)
    assert nfc(text) == unicodedata.normalize("NFC", text)


def test_million_consecutive_marks_are_sorted():
    text = "e" + "\u0301\u0323" * 500_000
    assert nfc(text) == "\u1eb9" + "\u0323" * 499_999 + "\u0301" * 500_000
    assert nfc("\u0f40" + "\u0f73" * 500_000) == "\u0f40" + "\u0f71" * 500_000 + "\u0f72" * 500_000
