"""Records of instructions that are left out are said where the run ends, with the reasons."""

from builders.pipeline import lost_records
from builders.pipeline.format import emptied


def row(corpus: str, reason: str | None = None, **numbers: int) -> dict[str, object]:
    counts = dict.fromkeys(("num_in", "num_kept", "num_rows"))
    return {"stage": "instructions", "corpus": corpus, "lang": "en", "reason": reason, **counts, **numbers}


def test_lost_records_are_counted_by_corpus_and_reason():
    ledger = [
        row("mine", num_in=2000, num_kept=995),
        row("mine", "empty_output", num_rows=1000),
        row("mine", "not_a_string", num_rows=5),
        row("whole", num_in=3, num_kept=3),
        row("mine", num_in=9, num_kept=1) | {"stage": "measured"},
    ]
    assert lost_records(ledger) == [
        "  1,005 of 2,000 records of mine were left out: 1,000 empty_output, 5 not_a_string"
    ]
    assert lost_records([]) == []


def test_few_lost_records_are_not_said_where_a_share_is_asked_for():
    ledger = [row("mine", num_in=100, num_kept=97), row("mine", "empty_output", num_rows=3)]
    assert lost_records(ledger, min_share=0.1) == []
    assert len(lost_records(ledger)) == 1


def test_language_without_a_pair_names_the_filters_that_emptied_it():
    measured = [
        row("mine", num_in=9, num_kept=0),
        row("mine", "length_ratio", num_rows=6),
        row("mine", "empty", num_rows=3),
    ]
    last = [row("mine", num_in=0, num_kept=0)]
    ledger = [own | {"stage": "measured", "lang": "el"} for own in measured]
    ledger += [own | {"stage": "decisions", "lang": "el"} for own in last]
    assert emptied(ledger) == ["  No sentence pair in el was kept. Most were rejected by: length_ratio (6), empty (3)."]
    ledger[-1] |= {"num_in": 1, "num_kept": 1}
    assert emptied(ledger) == []
