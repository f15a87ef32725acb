"""Rows of the ledger for one stage, corpus and language."""

from collections.abc import Iterator, Mapping


def count_reasons(stage: str, corpus: str, lang: str, counts: Mapping[str | None, int]) -> Iterator[dict[str, object]]:
    """Yield the row of the totals, then a row for each reason; nothing if no row came in.

    Args:
        stage: The stage of the pipeline.
        corpus: The corpus.
        lang: The language.
        counts: The number of rows by the reason that they are rejected with; None for those that are kept.
    """
    group = {"stage": stage, "corpus": corpus, "lang": lang}
    if num_in := sum(counts.values()):
        yield group | {"reason": None, "num_in": num_in, "num_kept": counts.get(None, 0), "num_rows": None}
    for reason in sorted(reason for reason in counts if reason is not None):
        yield group | {"reason": reason, "num_in": None, "num_kept": None, "num_rows": counts[reason]}
