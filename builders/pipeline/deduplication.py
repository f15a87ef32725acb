"""Find pairs that repeat others: exactly, except for case and punctuation, or on one side alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.parts import Part
from builders.pipeline.ranges import Range, ranges_of
from builders.workspace import Inputs, Workspace, query_task

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
NARROW = "corpus, line_number"
DISTINCT = """(
    from measured
    anti join (
        select line_number from duplicates
        where corpus = $corpus and line_number between $first and $last and reject_reason is not null
    ) as duplicates on duplicates.line_number = measured.line_number
    anti join (
        select line_number from near_duplicates where reject_reason is not null
    ) as near_duplicates on near_duplicates.line_number = measured.line_number
    where measured.reject_reason is null
)"""
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
        columns = "corpus, line_number, margin, signs, num_in_capitals, en_hash, xx_hash"
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


def leave_out_repeats(
    pairs: Candidates, duplicates: Sequence[Path], near: Sequence[Path], work: Workspace
) -> Candidates:
    """Submit `keys` of the pairs that are no rejected duplicates; the others would count as counterparts.

    Without near duplicates nothing need be left out: what a duplicate says, the pair that is kept says too.
    """
    if not near:
        return pairs
    keys = []
    for part, measured, own in zip(pairs.parts, pairs.measured, near, strict=True):
        tables = {"measured": [measured], "duplicates": duplicates, "near_duplicates": [own]}
        task = query_task("keys", f"distinct-{part.name}", tables, part.bounds, columns=NARROW, pairs=DISTINCT)
        keys.append(work.submit(task))
    return replace(pairs, keys=keys)


def find_one_to_many(pairs: Candidates, filters: tuple[Filter, ...], work: Workspace) -> list[Path]:
    """Submit `one_to_many` of a language: of both sides if there is one range, else a task for each side and range."""
    reject, thresholds = reject_sql(filters, "one_to_many", pairs.lang)
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
                pairs.tables(),
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
