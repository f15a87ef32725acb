"""The ledger: what came in is what was kept and what was rejected, or there is no build."""

from dataclasses import replace

import polars as pl
import pytest

from builders.pipeline.filters import all_filters
from builders.pipeline.ledger import SCHEMA, check, filter_warnings, read_ledger, totals
from tests.builders.conftest import ledger_counts

NUMBERS = ["stage", "corpus", "lang", "reason", "num_in", "num_kept", "num_rows"]


def numbers(stage, corpus, lang, num_in, num_kept=0, **reasons):
    """Return the row of the totals, and one for each reason."""
    group = {"stage": stage, "corpus": corpus, "lang": lang}
    totals = group | {"reason": None, "num_in": num_in, "num_kept": num_kept, "num_rows": None}
    nulls = {"num_in": None, "num_kept": None}
    return [totals, *(group | nulls | {"reason": reason, "num_rows": n} for reason, n in reasons.items())]


def ledger(*rows):
    return pl.DataFrame([number for group in rows for number in group], schema=SCHEMA)


SCREENED = numbers("measured", "a", "el", 10, 7, empty=2, copy=1)


def test_balanced_ledger_passes():
    check(ledger(SCREENED, numbers("measured", "b", "el", 1, empty=1)))
    check(ledger())


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_in": 10, "num_kept": 7, "empty": 2},
        {"num_in": 10, "num_kept": 7, "empty": 4},
        {"num_in": 1},
        {"num_in": 0, "num_kept": 1},
    ],
)
def test_unbalanced_ledger_stops_the_build(wrong):
    with pytest.raises(AssertionError, match="is not balanced"):
        check(ledger(SCREENED, numbers("decisions", "a", "el", **wrong)))


def test_ledger_balances_per_corpus():
    lost = numbers("measured", "a", "el", 3, 2)
    found = numbers("measured", "b", "el", 2, 3)
    with pytest.raises(AssertionError, match=r"'corpus': '[ab]'"):
        check(ledger(lost, found))


def test_ledger_balances_per_language():
    lost = numbers("measured", "a", "el", 3, 2)
    found = numbers("measured", "a", "hi", 2, 3)
    with pytest.raises(AssertionError, match="is not balanced"):
        check(ledger(lost, found))


def test_ledgers_of_parts_are_added_with_the_first_examples_in_random_order(tmp_path):
    shown = [{"random_order": order, "line_number": line, "en": "a", "xx": "b"} for order, line in ((2, 7), (9, 1))]
    part = pl.DataFrame([row | {"examples": [] if row["reason"] is None else shown} for row in SCREENED])
    for number in (0, 1):
        part.write_parquet(tmp_path / f"el-{number}.parquet")
    more = numbers("instructions", "c", "en", 2, 2)
    read = read_ledger(sorted(tmp_path.glob("*.parquet")), more)
    assert read.select(NUMBERS).to_dicts() == [*numbers("measured", "a", "el", 20, 14, copy=2, empty=4), *more]
    lines = [[example["line_number"] for example in examples] for examples in read["examples"]]
    assert lines == [[], [7, 7, 1], [7, 7, 1], []]
    with pytest.raises(AssertionError, match="is not balanced"):
        read_ledger(sorted(tmp_path.glob("*.parquet")), numbers("instructions", "c", "en", 2, 1))


def test_no_ledger_is_an_empty_one():
    assert read_ledger([]).columns == [*NUMBERS, "share", "examples"]


def test_totals_sum_the_corpora_of_a_language():
    rows = ledger(
        SCREENED,
        numbers("measured", "b", "el", 5, 5),
        numbers("decisions", "a", "el", 7, 4, wrong_language_en=3),
        numbers("decisions", "b", "el", 5, wrong_language_en=5),
        numbers("measured", "a", "ar", 1, empty=1),
        numbers("instructions", "c", "en", 9, 9),
    )
    assert totals(rows) == [("el", 15, 4), ("ar", 1, 0)]


def test_build_counts_each_line_once_per_stage(build_small):
    same = (1.2, "The cat sleeps on the warm roof.", "Η γάτα κοιμάται στη ζεστή στέγη.")
    german = "Der alte Mann ging jeden Morgen am Fluss spazieren und fütterte die Enten."
    lines = [same, same, (1.0, "Too low.", "Πολύ χαμηλά."), (1.2, german, "Ο γέρος περπατούσε δίπλα στο ποτάμι.")]
    built = build_small({"small": {"el": lines}})
    counts = ledger_counts(built.ledger.iter_rows(named=True))
    assert {(stage, key): n for (stage, _, _, key), n in counts.items()} == {
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


def test_empty_corpus_is_no_error(build_small):
    same = (1.2, "The cat sleeps on the warm roof.", "Η γάτα κοιμάται στη ζεστή στέγη.")
    built = build_small({"small": {"el": [same]}, "hollow": {"el": []}})
    assert totals(built.ledger) == [("el", 1, 1)]


def test_filter_that_rejects_more_than_usual_is_reported():
    rule = replace(all_filters()["copy"], warn_above=0.05)
    many = read_ledger([], numbers("measured", "a", "el", 2000, 1800, copy=200))
    (sentence,) = filter_warnings(many, [rule])
    assert "copy rejects 10.0% of a in el, more than the usual 5.0%" in sentence
    assert filter_warnings(many, [replace(rule, warn_above=0.1)]) == []
    few = read_ledger([], numbers("measured", "a", "el", 20, 10, copy=10))
    assert filter_warnings(few, [rule]) == []


def test_share_is_of_the_lines_of_corpus_and_language():
    rows = [
        *numbers("measured", "a", "el", 10, 8, copy=2),
        *numbers("decisions", "a", "el", 8, 4, wrong_language_en=4),
        *numbers("measured", "b", "el", 100, 100),
    ]
    assert read_ledger([], rows)["share"].to_list() == [0.8, 0.2, 0.4, 0.4, 1.0]


def test_reasons_have_three_examples_without_text_of_benchmarks(build_small):
    sentence = "The parliament met for the first time in the old theatre of the harbour town, and nobody was surprised."
    low = [(1.0, f"Low {name}.", f"Χαμηλό {name}.") for name in ("one", "two", "three", "four", "five")]
    taken = (1.2, sentence, "Η βουλή συνήλθε για πρώτη φορά στο παλιό θέατρο, και κανείς δεν ξαφνιάστηκε από αυτό.")
    built = build_small(
        {"small": {"el": [*low, taken, (1.2, "y" * 4000, "Μικρό.")]}}, 'decontaminate_against = ["exam"]\n'
    )
    examples = {row["reason"]: row["examples"] for row in built.ledger.iter_rows(named=True)}
    assert examples[None] == []
    assert len(examples["low_margin"]) == 3
    for example in examples["low_margin"]:
        assert (example["en"], example["xx"]) == low[example["line_number"] - 1][1:]
    assert examples["contaminated"] == [{"line_number": 6, "en": None, "xx": None}]
    assert examples["too_long"] == [{"line_number": 7, "en": "y" * 200, "xx": "Μικρό."}]
