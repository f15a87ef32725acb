"""Find pairs that nearly repeat better ones, without any task that holds a language.

The bands of each part's MinHash signatures are sorted by bucket; a task for each range of buckets finds the pairs to
compare; each part hands the texts of better pairs to the parts that need them, which compare.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import builders.pipeline.parts
from builders.pipeline.deduplication import Candidates
from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.parts import Part
from builders.pipeline.ranges import Range, ranges_of
from builders.workspace import Inputs, Tables, Workspace, query_task
from corpora.catalog import language
from corpora.errors import InputError

NGRAM_SIZE = 5  # characters of English in an n-gram that near duplicates share
MIN_LENGTH = 40  # characters of English without spaces: shorter pairs differ in meaning when they differ at all
MIN_SIMILARITY = 0.7  # five in six pairs with this similarity are compared; see signatures.sql
NUM_BANDS = 30
BUCKETS = 1 << 64


def find_near_duplicates(
    pairs: Candidates, duplicates: Sequence[Path], corpora: Sequence[str], filters: tuple[Filter, ...], work: Workspace
) -> list[Path]:
    """Submit `near_duplicates` of each part of a language; nothing if no filter needs them.

    Raises:
        InputError: The threshold of the filter is out of range.
    """
    if not any(f.table == "near_duplicates" for f in filters):
        return []
    reject, thresholds = reject_sql(filters, "near_duplicates", pairs.lang)
    sizes = _sizes(pairs.lang)
    ranking = {"corpora": list(corpora), "min_similarity": _min_similarity(thresholds)}
    texts = [
        {"pairs": [part.pairs], "measured": [path]} for part, path in zip(pairs.parts, pairs.measured, strict=True)
    ]
    candidates = _find_candidates(pairs, texts, duplicates, sizes, ranking, work)
    tables = [{**own, "near_candidates": candidates} for own in texts]
    better = _collect_texts(pairs.parts, tables, work)
    return [
        work.submit(
            query_task(
                "near_duplicates",
                part.name,
                {**own, "near_texts": better},
                {**part.bounds, "part": part.number, **sizes, **ranking},
                thresholds=thresholds,
                functions=partial(python_functions, filters, "near_duplicates"),
                reject_reason=reject,
            )
        )
        for part, own in zip(pairs.parts, tables, strict=True)
    ]


def _find_candidates(
    pairs: Candidates,
    texts: Sequence[Tables],
    duplicates: Sequence[Path],
    sizes: Inputs,
    ranking: Inputs,
    work: Workspace,
) -> list[Path]:
    """Submit `signatures` of each part, and `near_candidates` of each range of their buckets."""
    signatures = []
    for part, own in zip(pairs.parts, texts, strict=True):
        values = {**part.bounds, **sizes, "num_bands": NUM_BANDS}
        signatures.append(work.submit(query_task("signatures", part.name, {**own, "duplicates": duplicates}, values)))
    ranges = ranges_of(NUM_BANDS * sum(part.num_rows for part in pairs.parts))
    return [
        work.submit(
            query_task(
                "near_candidates",
                f"{pairs.lang}-{own.name}",
                {"signatures": signatures},
                {**ranking, **_buckets(own)},
            )
        )
        for own in ranges
    ]


def _collect_texts(parts: Sequence[Part], tables: Sequence[Tables], work: Workspace) -> list[Path]:
    """Submit `near_texts` of each part: the texts of its pairs that other parts, or itself, compare worse ones with."""
    part_rows = {"part_rows": builders.pipeline.parts.PART_ROWS}
    return [
        work.submit(query_task("near_texts", part.name, own, {**part.bounds, **part_rows}))
        for part, own in zip(parts, tables, strict=True)
    ]


def _min_similarity(thresholds: Inputs) -> float:
    """Return the similarity from which on pairs are near duplicates."""
    similar = float(thresholds.get("near_duplicate_min", MIN_SIMILARITY))
    if not MIN_SIMILARITY <= similar <= 1:
        raise InputError(
            f"near_duplicate.min must be {MIN_SIMILARITY} to 1, not {similar:g}: less similar ones are rarely compared."
        )
    return similar


def _sizes(lang: str) -> Inputs:
    """Return the lengths of n-grams and of the shortest sides that are compared, in characters of each side."""
    ratio = language(lang).ratio
    return {
        "english_n": NGRAM_SIZE,
        "foreign_n": max(2, round(NGRAM_SIZE * ratio)),
        "min_length": MIN_LENGTH,
        "foreign_min_length": round(MIN_LENGTH * ratio),
    }


def _buckets(own: Range) -> Inputs:
    """Return the first bucket in a range, and the last."""
    first, after = (BUCKETS * n // own.count for n in (own.number, own.number + 1))
    return {"first_bucket": first, "last_bucket": after - 1}
