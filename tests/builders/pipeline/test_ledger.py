"""The ledger: what came in is what was kept and what was rejected, or there is no build."""

from dataclasses import replace

import polars as pl
import pytest

from builders.pipeline.filters import all_filters
from builders.pipeline.ledger import SCHEMA, check, filter_warnings, read_ledger, totals

NUMBERS = ["stage", "corpus", "lang", "reason", "rows"]


def numbers(stage, corpus, lang, **reasons):
    return [{"stage": stage, "corpus": corpus, "lang": lang, "reason": r, "rows": n} for r, n in reasons.items()]


def ledger(*rows):
    return pl.DataFrame([number for group in rows for number in group], schema=SCHEMA)


SCREENED = numbers("measured", "a", "el", **{"in": 10, "kept": 7, "empty": 2, "copy": 1})


def test_an_account_that_adds_up_is_in_order():
    check(ledger(SCREENED, numbers("measured", "b", "el", **{"in": 1, "empty": 1})))
    check(ledger())


@pytest.mark.parametrize(
    "wrong",
    [
        {"in": 10, "kept": 7, "empty": 2},
        {"in": 10, "kept": 7, "empty": 4},
        {"in": 1},
        {"kept": 1},
    ],
)
def test_a_row_too_many_or_too_few_stops_the_build(wrong):
    with pytest.raises(AssertionError, match="does not add up"):
        check(ledger(SCREENED, numbers("decisions", "a", "el", **wrong)))


def test_what_one_corpus_lost_another_cannot_make_good():
    lost = numbers("measured", "a", "el", **{"in": 3, "kept": 2})
    found = numbers("measured", "b", "el", **{"in": 2, "kept": 3})
    with pytest.raises(AssertionError, match=r"'corpus': '[ab]'"):
        check(ledger(lost, found))


def test_what_one_language_lost_another_cannot_make_good():
    lost = numbers("measured", "a", "el", **{"in": 3, "kept": 2})
    found = numbers("measured", "a", "hi", **{"in": 2, "kept": 3})
    with pytest.raises(AssertionError, match="does not add up"):
        check(ledger(lost, found))


def test_several_ledgers_are_read_as_one_and_checked(tmp_path):
    ledger(SCREENED).write_parquet(tmp_path / "el.parquet")
    more = numbers("instructions", "c", "en", **{"in": 2, "kept": 2})
    read = read_ledger([tmp_path / "el.parquet"], more)
    assert read.select(NUMBERS).to_dicts() == [*SCREENED, *more]
    with pytest.raises(AssertionError, match="does not add up"):
        read_ledger([tmp_path / "el.parquet"], numbers("instructions", "c", "en", **{"in": 2, "kept": 1}))


def test_no_ledger_at_all_is_an_empty_one():
    assert read_ledger([]).columns == [*NUMBERS, "share", "examples"]


def test_totals_are_the_pairs_of_all_corpora_of_a_language_in_order():
    rows = ledger(
        SCREENED,
        numbers("measured", "b", "el", **{"in": 5, "kept": 5}),
        numbers("decisions", "a", "el", **{"in": 7, "kept": 4, "wrong_language_en": 3}),
        numbers("decisions", "b", "el", **{"in": 5, "wrong_language_en": 5}),
        numbers("measured", "a", "ar", **{"in": 1, "empty": 1}),
        numbers("instructions", "c", "en", **{"in": 9, "kept": 9}),
    )
    assert totals(rows) == [("el", 15, 4), ("ar", 1, 0)]


def test_a_build_counts_every_line_once_in_every_stage_that_it_reaches(build_small):
    same = (1.2, "The cat sleeps on the warm roof.", "Η γάτα κοιμάται στη ζεστή στέγη.")
    german = "Der alte Mann ging jeden Morgen am Fluss spazieren und fütterte die Enten."
    lines = [same, same, (1.0, "Too low.", "Πολύ χαμηλά."), (1.2, german, "Ο γέρος περπατούσε δίπλα στο ποτάμι.")]
    built = build_small({"small": {"el": lines}})
    assert {(row["stage"], row["reason"]): row["rows"] for row in built.ledger.iter_rows(named=True)} == {
        ("measured", "in"): 4,
        ("measured", "low_margin"): 1,
        ("measured", "kept"): 3,
        ("duplicates", "in"): 3,
        ("duplicates", "duplicate_exact"): 1,
        ("duplicates", "kept"): 2,
        ("contaminated", "in"): 2,
        ("contaminated", "kept"): 2,
        ("decisions", "in"): 2,
        ("decisions", "wrong_language_en"): 1,
        ("decisions", "kept"): 1,
    }
    assert totals(built.ledger) == [("el", 4, 1)]


def test_a_corpus_without_a_line_is_no_error(build_small):
    same = (1.2, "The cat sleeps on the warm roof.", "Η γάτα κοιμάται στη ζεστή στέγη.")
    built = build_small({"small": {"el": [same]}, "hollow": {"el": []}})
    assert totals(built.ledger) == [("el", 1, 1)]


def test_a_filter_that_takes_more_than_its_usual_share_is_told():
    rule = replace(all_filters()["copy"], warn_above=0.05)
    many = read_ledger([], numbers("measured", "a", "el", **{"in": 2000, "kept": 1800, "copy": 200}))
    (sentence,) = filter_warnings(many, [rule])
    assert "copy took 10.0% of a in el, more than the usual 5.0%" in sentence
    assert filter_warnings(many, [replace(rule, warn_above=0.1)]) == []
    few = read_ledger([], numbers("measured", "a", "el", **{"in": 20, "kept": 10, "copy": 10}))
    assert filter_warnings(few, [rule]) == []


def test_a_share_is_of_all_lines_of_the_corpus_in_the_language():
    rows = [
        *numbers("measured", "a", "el", **{"in": 10, "kept": 8, "copy": 2}),
        *numbers("decisions", "a", "el", **{"in": 8, "kept": 4, "wrong_language_en": 4}),
        *numbers("measured", "b", "el", **{"in": 100, "kept": 100}),
    ]
    assert read_ledger([], rows)["share"].to_list() == [1.0, 0.8, 0.2, 0.8, 0.4, 0.4, 1.0, 1.0]


def test_every_reason_comes_with_three_of_its_lines_and_says_nothing_that_an_evaluation_set_says(build_small):
    sentence = "The parliament met for the first time in the old theatre of the harbour town, and nobody was surprised."
    low = [(1.0, f"Low {name}.", f"Χαμηλό {name}.") for name in ("one", "two", "three", "four", "five")]
    taken = (1.2, sentence, "Η βουλή συνήλθε για πρώτη φορά στο παλιό θέατρο, και κανείς δεν ξαφνιάστηκε από αυτό.")
    built = build_small(
        {"small": {"el": [*low, taken, (1.2, "y" * 4000, "Μικρό.")]}}, 'decontaminate_against = ["exam"]\n'
    )
    examples = {row["reason"]: row["examples"] for row in built.ledger.iter_rows(named=True)}
    assert examples["in"] == examples["kept"] == []
    assert len(examples["low_margin"]) == 3
    for example in examples["low_margin"]:
        assert (example["en"], example["xx"]) == low[example["line_number"] - 1][1:]
    assert examples["contaminated"] == [{"line_number": 6, "en": None, "xx": None}]
    assert examples["too_long"] == [{"line_number": 7, "en": "y" * 200, "xx": "Μικρό."}]
