"""Records of instructions that are left out are said where the run ends, with the reasons."""

from builders.pipeline import lost_records


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
