"""builders languages: what is listed, and what a user's files say of a row."""

import pytest

import builders
from corpora.errors import InputError

ENGLISH = "The lamp is on the table.\n\nThe door of the old house is open.\nThe cat sleeps.\n"
GREEK = "Η λάμπα είναι στο τραπέζι.\nΤίποτα.\nΗ πόρτα του παλιού σπιτιού είναι ανοιχτή.\nΗ γάτα κοιμάται.\n"


def test_list_shows_all_languages_or_some():
    assert len(builders.list_languages().languages) == 223
    text = repr(builders.list_languages(langs=["zh-hant", "ace"]))
    assert "Chinese (traditional)" in text
    assert "unknown" in text


def test_measured_ratio_is_the_median_over_lines_that_neither_leaves_empty(tmp_path):
    (tmp_path / "en").write_text(ENGLISH, encoding="utf-8")
    (tmp_path / "el").write_text(GREEK, encoding="utf-8")
    measured = builders.measure_languages({"el": tmp_path / "el"}, english=tmp_path / "en")
    (row,) = measured.measurements
    assert (row.num_lines, row.script_share, row.labels) == (3, 1.0, {"el": 1.0})
    assert row.ratio_low <= row.ratio == 16 / 15 <= row.ratio_high
    assert "Fewer than 100 lines say little: el." in repr(measured)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["el"], "'el' is not LANG=FILE"),
        (["xx=en"], "Unknown language 'xx'"),
        (["el=short"], "has 1 lines and .* has 4, not the same lines"),
        (["el=missing"], "There is no file"),
    ],
)
def test_mistakes_are_sentences(tmp_path, monkeypatch, files, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "en").write_text(ENGLISH, encoding="utf-8")
    (tmp_path / "short").write_text("Μία.\n", encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        builders.measure_languages(files, english="en")
