"""Duplicates: one of several equal pairs is kept, and the others name it."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.pipeline.deduplication import MEASURED
from builders.pipeline.filter_sql import reject_sql
from builders.pipeline.filters import choose_filters
from builders.workspace import Workspace, sql

pytestmark = pytest.mark.slow

PAIR = ("The cat sleeps on the warm roof.", "Η γάτα κοιμάται στη ζεστή στέγη.")
SHOUTED = ("THE CAT sleeps, on the warm roof", "η γάτα κοιμάται στη ζεστή ΣΤΈΓΗ!")


def told(judged):
    """(corpus, line) -> reason and the pair that says the same."""
    return {
        (row["corpus"], row["line_number"]): (row["reject_reason"], row["matched_corpus"], row["matched_line_number"])
        for row in judged
    }


def test_highest_margin_is_kept_of_equal_pairs(judge):
    assert told(judge([(1.1, *PAIR), (1.3, *PAIR), (1.2, *PAIR)])) == {
        ("small", 1): ("duplicate_exact", "small", 2),
        ("small", 2): (None, None, None),
        ("small", 3): ("duplicate_exact", "small", 2),
    }


def test_missing_margin_ranks_lowest(judge):
    found = told(judge({"first": [(None, *PAIR)], "second": [(1.05, *PAIR)]}))
    assert found["first", 1] == ("duplicate_exact", "second", 1)
    assert found["second", 1] == (None, None, None)


def test_first_corpus_is_kept_for_equal_margins(judge):
    found = told(judge({"zulu": [(1.2, "Yes, we can.", "Ναι, μπορούμε."), (1.2, *PAIR)], "alpha": [(1.2, *PAIR)]}))
    assert found["zulu", 2] == (None, None, None)
    assert found["alpha", 1] == ("duplicate_exact", "zulu", 2)


def test_first_corpus_is_kept_without_margins(judge):
    found = told(judge({"zulu": [(None, *PAIR)], "alpha": [(None, *PAIR)]}))
    assert (found["zulu", 1][0], found["alpha", 1]) == (None, ("duplicate_exact", "zulu", 1))


def test_earliest_line_is_kept_within_a_corpus(judge):
    found = told(judge([(1.2, "Yes, we can.", "Ναι, μπορούμε."), *[(1.2, *PAIR)] * 3]))
    assert [found["small", line][0] for line in (2, 3, 4)] == [None, "duplicate_exact", "duplicate_exact"]
    assert {found["small", line][1:] for line in (3, 4)} == {("small", 2)}


def test_case_spacing_and_punctuation_make_no_difference(judge):
    found = told(judge([(1.3, *PAIR), (1.2, *SHOUTED), (1.1, *SHOUTED), (1.05, f" {PAIR[0]}", f"{PAIR[1]}\u3000")]))
    assert [found["small", line][0] for line in (2, 3, 4)] == [
        "duplicate_normalised",
        "duplicate_normalised",
        "duplicate_exact",
    ]
    assert {found["small", line][2] for line in (2, 3, 4)} == {1}


def test_equal_sides_alone_are_no_duplicates(judge):
    judged = judge(
        [(1.2, *PAIR), (1.2, PAIR[0], "Το ίδιο, αλλιώς ειπωμένο."), (1.2, "It is said in other words.", PAIR[1])]
    )
    assert [row["reject_reason"] for row in judged] == [None] * 3


def test_rejected_pairs_do_not_reject_their_duplicates(judge):
    found = told(judge([(1.0, *PAIR), (1.2, *PAIR)]))
    assert found == {("small", 1): ("low_margin", None, None), ("small", 2): (None, None, None)}


def test_languages_are_deduplicated_separately(build_small):
    same = (1.2, "Anna Maria Garcia", "Anna María García")
    built = build_small({"small": {"vi": [same], "tr": [same]}}, 'disable_filters = ["copy"]')
    kept = built.ledger.filter((built.ledger["stage"] == "duplicates") & built.ledger["reason"].is_null())
    assert dict(kept.select("lang", "num_kept").iter_rows()) == {"vi": 1, "tr": 1}


def test_final_sigma_equals_sigma(judge):
    judged = judge([(1.2, "The road", "Ο δρόμος"), (1.2, "THE ROAD", "Ο ΔΡΌΜΟΣ")])
    assert [row["reject_reason"] for row in judged] == [None, "duplicate_normalised"]


def test_pairs_with_other_numbers_are_kept(judge):
    judged = judge([(1.2, "Chapter 1 begins", "Κεφάλαιο 1"), (1.2, "Chapter 2 begins", "Κεφάλαιο 2")])
    assert [row["reject_reason"] for row in judged] == [None, None]


CORPORA = ("zulu", "alpha", "mike")
KEYS = st.sampled_from("abc")
ROWS = st.lists(
    st.tuples(st.sampled_from(CORPORA), st.none() | st.sampled_from([1.04, 1.1, 1.5]), KEYS, KEYS, KEYS, KEYS),
    max_size=25,
)


def charged(rows, folder) -> dict[tuple[str, int], tuple[str, int]]:
    """What `duplicates.sql` says of pairs whose keys are given: (corpus, line) -> the winner's."""
    names = ("corpus", "margin", "en_norm_hash", "xx_norm_hash", "en_hash", "xx_hash")
    kinds = (pa.string(), pa.float64(), *[pa.string()] * 4)
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], names=list(names))
    table = table.append_column("line_number", pa.array(range(1, len(rows) + 1), pa.int64()))
    table = table.append_column("signs", pa.repeat("", len(rows)))
    table = table.append_column("num_in_capitals", pa.repeat(pa.scalar(0, pa.int8()), len(rows)))
    table = table.append_column("reject_reason", pa.nulls(len(rows), pa.string()))
    reject, _ = reject_sql(choose_filters({}, ()), "duplicates", "el")
    with Workspace(folder, threads=2).connect({"measured": table}) as connection:
        found = connection.execute(
            sql("duplicates", pairs=MEASURED, reject_reason=reject), {"corpora": list(CORPORA), "exact_only": False}
        ).fetchall()
    return {(corpus, line): (other, place) for corpus, line, other, place, *_ in found}


@settings(deadline=None, max_examples=20)
@given(ROWS)
def test_one_pair_of_each_group_is_kept_and_named_by_the_others(tmp_path_factory, rows):
    losers = charged(rows, tmp_path_factory.getbasetemp())
    places = {(row[0], line): row for line, row in enumerate(rows, 1)}
    survivors = Counter(row[2:4] for place, row in places.items() if place not in losers)
    assert survivors == Counter({row[2:4]: 1 for row in rows})
    for place, winner in losers.items():
        assert winner not in losers
        assert places[winner][2:4] == places[place][2:4]

    def order(place):
        return (-(places[place][1] or float("-inf")), CORPORA.index(place[0]), place[1])

    assert all(order(winner) < order(place) for place, winner in losers.items())


def test_english_overlap_counts_common_sentences(build_small):
    same, own = "The old bridge was closed for repairs.", "The new school opened in the autumn."
    greek = [(1.2, same, "Η παλιά γέφυρα έκλεισε για επισκευές."), (1.2, own, "Το νέο σχολείο άνοιξε το φθινόπωρο.")]
    turkish = [(1.2, same.upper(), "Eski köprü onarım için kapatıldı."), (1.0, own, "Yeni okul sonbaharda açıldı.")]
    built = build_small({"small": {"el": greek, "tr": turkish}})
    assert built.english_overlap.rows() == [("el", "el", 2), ("el", "tr", 1), ("tr", "el", 1), ("tr", "tr", 1)]
