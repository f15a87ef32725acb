"""The ledger: for every stage, corpus and language, how many rows came in, were kept, or were rejected, and why."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from builders.pipeline.decisions import PartTables
from builders.pipeline.filters import LATE_STAGES, Filter
from builders.workspace import Task, funnel_stages, query_task

EXAMPLE = pl.Struct({"line_number": pl.Int64, "en": pl.String, "xx": pl.String})
GROUP = {"stage": pl.String, "corpus": pl.String, "lang": pl.String}
NUMBERS = GROUP | {"reason": pl.String, "num_in": pl.Int64, "num_kept": pl.Int64, "num_rows": pl.Int64}
SCHEMA = pl.Schema(NUMBERS | {"examples": pl.List(EXAMPLE)})
NUM_EXAMPLES = 3  # lines of a reason, from all over the corpus
MIN_LINES = 1_000  # lines of a corpus in a language that a warning needs


def counting_task(tables: PartTables, filters: tuple[Filter, ...]) -> Task:
    """Return the task of `ledger`: the counts of a part's sentence pairs at every stage."""
    values = {
        "lang": tables.part.lang,
        "stages": funnel_stages("pairs"),
        "late": [f.name for f in filters if f.table in LATE_STAGES],
        "contamination": [f.name for f in filters if f.table == "contaminated"],
    }
    views = {
        "pairs": [tables.part.pairs],
        "measured": [tables.measured],
        "repeats": [tables.repeats],
        "contaminated": [tables.contaminated],
        "decisions": [tables.decisions],
        "bitext": [tables.bitext],
    }
    return query_task("ledger", tables.part.name, views, values)


def read_ledger(paths: Sequence[Path], more: Iterable[dict[str, object]] = ()) -> pl.DataFrame:
    """Return the rows of several ledgers as one frame, checked to be balanced.

    The column `share` is added: `num_rows`, or in the totals `num_kept`, as a share of the lines of the corpus in the
    language; in the stage `translations`, whose rows are segments, of the segments.

    Args:
        paths: Ledgers as Parquet.
        more: Rows of the stages that have no ledger of their own.
    """
    counts = _add_up([pl.read_parquet(path, glob=False) for path in paths])
    ledger = pl.concat([counts, pl.DataFrame([{"examples": []} | row for row in more], schema=SCHEMA)])
    check(ledger)
    lines = pl.col("num_in").max().over("corpus", "lang", pl.col("stage") == "translations")
    return ledger.select(*NUMBERS, share=pl.coalesce("num_rows", "num_kept") / lines, examples=pl.col("examples"))


def _add_up(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the ledger of all parts: their counts added, and the first examples of each reason in random order."""
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    rows, key = pl.concat(parts), [*GROUP, "reason"]
    fields = pl.struct(pl.col("example").struct.field("line_number", "en", "xx"))
    examples = (
        rows.select(*key, example="examples")
        .explode("example")
        .drop_nulls("example")
        .sort(pl.col("example").struct.field("random_order"))
        .group_by(key)
        .agg(examples=fields.head(NUM_EXAMPLES))
    )
    added = rows.group_by(key, maintain_order=True).agg(pl.col("num_in", "num_kept", "num_rows").sum())
    added = added.join(examples, on=key, how="left", nulls_equal=True)
    is_total = pl.col("reason").is_null()
    totals = [pl.when(is_total).then(name).alias(name) for name in ("num_in", "num_kept")]
    numbers = [*totals, pl.when(~is_total).then("num_rows").alias("num_rows"), pl.col("examples").fill_null([])]
    langs, stages = (pl.Enum(names) for names in (rows["lang"].unique(maintain_order=True), funnel_stages("pairs")))
    order = (pl.col("lang").cast(langs), "corpus", pl.col("stage").cast(stages), "reason")
    return added.with_columns(numbers).sort(order).select(list(SCHEMA)).cast(SCHEMA)


def check(ledger: pl.DataFrame) -> None:
    """Raise AssertionError unless rows in = rows kept + rows rejected, for every stage, corpus and language."""
    sums = ledger.group_by(list(GROUP)).agg(pl.col("num_in", "num_kept", "num_rows").sum())
    wrong = sums.filter(pl.col("num_in") != pl.col("num_kept") + pl.col("num_rows"))
    if wrong.height:
        raise AssertionError(f"The ledger is not balanced, this build is wrong: {wrong.to_dicts()}")


def totals(ledger: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Return (lang, pairs in, pairs kept) for every language with sentence pairs, in ledger order."""
    stages = funnel_stages("pairs")
    first, last = (pl.col("stage") == stage for stage in (stages[0], stages[-1]))
    sums = ledger.group_by("lang", maintain_order=True).agg(
        num_in=pl.col("num_in").filter(first).sum(),
        num_kept=pl.col("num_kept").filter(last).sum(),
        has_pairs=first.any(),
    )
    return sums.filter("has_pairs").select("lang", "num_in", "num_kept").rows()


def filter_warnings(ledger: pl.DataFrame, filters: Sequence[Filter]) -> list[str]:
    """Return a sentence for each filter that rejects more of a corpus than `warn_above`, the largest excess first."""
    schema = {"reason": pl.String, "warn_above": pl.Float64}
    table = pl.DataFrame([(rule.name, rule.warn_above) for rule in filters], schema=schema, orient="row")
    over = ledger.join(table, on="reason").filter(
        (pl.col("share") > pl.col("warn_above")) & (pl.col("num_rows") / pl.col("share") >= MIN_LINES)
    )
    over = over.sort(pl.col("share") - pl.col("warn_above"), descending=True)
    return [_warning(row) for row in over.iter_rows(named=True)]


def _warning(row: dict[str, Any]) -> str:
    share, usual = _percent(row["share"], row["warn_above"]), _percent(row["warn_above"], row["share"])
    return (
        f"{row['reason']} rejects {share} of {row['corpus']} in {row['lang']}, more than the usual {usual}. "
        f"Look at: builders inspect --lang {row['lang']} --reason {row['reason']}"
    )


def _percent(value: float, other: float) -> str:
    """Return a share as a percentage, with so many digits that it differs from another one."""
    digits = next((n for n in range(1, 15) if f"{value:.{n}%}" != f"{other:.{n}%}"), 1)
    return f"{value:.{digits}%}"
