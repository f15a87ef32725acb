"""Find pairs that repeat others: exactly, except for case and punctuation, nearly, or on one side alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.parts import Part
from builders.pipeline.ranges import Range, ranges_of
from builders.workspace import Inputs, Workspace, query_task
from corpora.catalog import language
from corpora.errors import InputError

NEAR_NGRAM_SIZE = 5  # characters of English in an n-gram that near-duplicates share
NEAR_MIN_LENGTH = 40  # characters of English without spaces: shorter pairs differ in meaning when they differ at all
MIN_SIMILARITY = 0.7  # five in six pairs with this similarity are compared; see near_duplicates.sql
MATCHES = pa.schema(
    [
        ("corpus", pa.string()),
        ("line_number", pa.int64()),
        ("matched_corpus", pa.string()),
        ("matched_line_number", pa.int64()),
        ("similarity", pa.float64()),
        ("reject_reason", pa.string()),
    ]
)
MEASURED = "(from measured where reject_reason is null)"
IN_RANGE = "(from keys where bucket >= $first_bucket and bucket < $after_bucket)"
BOTH_SIDES = """(
    select 'en' as side, en_norm_hash as key, xx_norm_hash as other, corpus, line_number from measured
    where reject_reason is null
    union all
    select 'xx', xx_norm_hash, en_norm_hash, corpus, line_number from measured where reject_reason is null
) as sides"""
SIDES = {
    side: f"(select '{side}' as side, {side}_norm_hash as key, {other}_norm_hash as other, corpus, line_number "
    f"from keys where bucket >= $first_bucket and bucket < $after_bucket) as sides"
    for side, other in (("en", "xx"), ("xx", "en"))
}


@dataclass(frozen=True)
class Candidates:
    """The measured pairs of a language, as deduplication reads them: whole if they are few, else by ranges of keys."""

    lang: str
    parts: Sequence[Part]
    measured: Sequence[Path]
    keys: Sequence[Path]  # none if there is one range
    ranges: Sequence[Range]

    def tables(self) -> Mapping[str, Sequence[Path]]:
        """Return the files that a query over the pairs reads."""
        return {"keys": self.keys} if self.keys else {"measured": self.measured}


def candidates(lang: str, parts: Sequence[Part], measured: Sequence[Path], work: Workspace) -> Candidates:
    """Submit `keys`, if the pairs of a language need several ranges."""
    ranges = ranges_of(sum(part.num_rows for part in parts))
    keys: list[Path] = []
    if len(ranges) > 1:
        columns = "corpus, line_number, margin, en_hash, xx_hash"
        keys = [
            work.submit(query_task("keys", part.name, {"measured": [path]}, columns=columns, pairs=MEASURED))
            for part, path in zip(parts, measured, strict=True)
        ]
    return Candidates(lang, parts, measured, keys, ranges)


def find_duplicates(
    pairs: Candidates, corpora: Sequence[str], filters: tuple[Filter, ...], work: Workspace
) -> list[Path]:
    """Submit `duplicates` of a language, a task for each range of keys."""
    reject, thresholds = reject_sql(filters, "duplicates", pairs.lang)
    values = {"corpora": list(corpora), "exact_only": "duplicate_normalised" not in {f.name for f in filters}}
    return [
        work.submit(
            query_task(
                "duplicates",
                f"{pairs.lang}-{own.name}",
                pairs.tables(),
                {**values, **(own.buckets("en") if pairs.keys else {})},
                thresholds=thresholds,
                functions=partial(python_functions, filters, "duplicates"),
                num_rows=sum(part.num_rows for part in pairs.parts) // len(pairs.ranges),
                pairs=IN_RANGE if pairs.keys else MEASURED,
                reject_reason=reject,
            )
        )
        for own in pairs.ranges
    ]


def find_one_to_many(
    pairs: Candidates, near: Sequence[Path], filters: tuple[Filter, ...], work: Workspace
) -> list[Path]:
    """Submit `one_to_many` of a language: of both sides if there is one range, else a task for each side and range."""
    reject, thresholds = reject_sql(filters, "one_to_many", pairs.lang)
    tables = {**pairs.tables(), "near_duplicates": near or MATCHES.empty_table()}
    sources: list[tuple[str, Inputs, str]] = [(f"{pairs.lang}", {}, BOTH_SIDES)]
    if pairs.keys:
        sources = [
            (f"{pairs.lang}-{side}-{own.name}", own.buckets(side), text)
            for side, text in SIDES.items()
            for own in pairs.ranges
        ]
    return [
        work.submit(
            query_task(
                "one_to_many",
                name,
                tables,
                buckets,
                thresholds=thresholds,
                functions=partial(python_functions, filters, "one_to_many"),
                sides=text,
                reject_reason=reject,
            )
        )
        for name, buckets, text in sources
    ]


def find_repeats(
    part: Part, duplicates: Sequence[Path], near: Sequence[Path], one_to_many: Sequence[Path], work: Workspace
) -> Path:
    """Submit `repeats` of a part: what the three tables of all lines say of its lines."""
    tables = {"duplicates": duplicates, "near_duplicates": near or MATCHES.empty_table(), "one_to_many": one_to_many}
    return work.submit(query_task("repeats", part.name, tables, part.bounds))


def find_near_duplicates(
    pairs: Candidates, duplicates: Sequence[Path], corpora: Sequence[str], filters: tuple[Filter, ...], work: Workspace
) -> list[Path]:
    """Submit `near_duplicates` of a language, the pairs that nearly repeat a better one, if a filter needs it."""
    if not any(f.table == "near_duplicates" for f in filters):
        return []
    reject, thresholds = reject_sql(filters, "near_duplicates", pairs.lang)
    similar = thresholds.get("near_duplicate_min", MIN_SIMILARITY)
    if not MIN_SIMILARITY <= similar <= 1:
        raise InputError(
            f"near_duplicate.min must be {MIN_SIMILARITY} to 1, not {similar:g}: less similar ones are rarely compared."
        )
    ratio = language(pairs.lang).ratio
    values = {
        "english_n": NEAR_NGRAM_SIZE,
        "foreign_n": max(2, round(NEAR_NGRAM_SIZE * ratio)),
        "min_length": NEAR_MIN_LENGTH,
        "foreign_min_length": round(NEAR_MIN_LENGTH * ratio),
        "min_similarity": similar,
        "corpora": list(corpora),
    }
    tables = {"pairs": [part.pairs for part in pairs.parts], "measured": pairs.measured, "duplicates": duplicates}
    functions = partial(python_functions, filters, "near_duplicates")
    task = query_task(
        "near_duplicates", pairs.lang, tables, values, thresholds=thresholds, functions=functions, reject_reason=reject
    )
    return [work.submit(task)]
