"""The ledger: for every stage, corpus and language, how many rows came in, were kept, or were rejected, and why."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from builders.pipeline.filters import Filter

EXAMPLE = pl.Struct({"line_number": pl.Int64, "en": pl.String, "xx": pl.String})
NUMBERS = {"stage": pl.String, "corpus": pl.String, "lang": pl.String, "reason": pl.String, "rows": pl.Int64}
SCHEMA = pl.Schema(NUMBERS | {"examples": pl.List(EXAMPLE)})
MIN_LINES = 1_000  # lines of a corpus in a language, fewer of which say nothing about what is usual
GROUP = ["stage", "corpus", "lang"]


def read_ledger(paths: Sequence[Path], more: Iterable[dict[str, object]] = ()) -> pl.DataFrame:
    """The rows of several ledgers as one frame, checked to add up.

    To the columns of SCHEMA comes `share`: of the lines of the corpus in the language, how many this number is; of
    `translations`, whose rows are segments, of the segments.
    """
    frames = [pl.read_parquet(path, glob=False, columns=list(SCHEMA)).cast(SCHEMA) for path in paths]
    ledger = pl.concat([*frames, pl.DataFrame([{"examples": []} | row for row in more], schema=SCHEMA)])
    check(ledger)
    lines = (
        pl.col("rows").filter(pl.col("reason") == "in").max().over("corpus", "lang", pl.col("stage") == "translations")
    )
    return ledger.select(*NUMBERS, share=pl.col("rows") / lines, examples=pl.col("examples"))


def check(ledger: pl.DataFrame) -> None:
    """Raise AssertionError unless rows in = rows kept + rows rejected, for every stage, corpus and language."""
    rows = pl.col("rows")
    sums = ledger.group_by(GROUP).agg(
        given=rows.filter(pl.col("reason") == "in").sum(),
        found=rows.filter(pl.col("reason") != "in").sum(),
    )
    wrong = sums.filter(pl.col("given") != pl.col("found"))
    if wrong.height:
        raise AssertionError(f"The ledger does not add up, this build is wrong: {wrong.to_dicts()}")


def totals(ledger: pl.DataFrame) -> list[tuple[str, int, int]]:
    """(lang, pairs in, pairs kept) for every language with sentence pairs, in ledger order."""
    given = ledger.filter((pl.col("stage") == "measured") & (pl.col("reason") == "in"))
    kept = ledger.filter((pl.col("stage") == "decisions") & (pl.col("reason") == "kept"))
    langs = given["lang"].unique(maintain_order=True)
    return [(lang, _rows(given, lang), _rows(kept, lang)) for lang in langs]


def _rows(frame: pl.DataFrame, lang: str) -> int:
    return int(frame.filter(pl.col("lang") == lang)["rows"].sum())


def filter_warnings(ledger: pl.DataFrame, filters: Sequence[Filter]) -> list[str]:
    """A sentence for each filter that took more of a corpus in a language than is usual, the largest excess first."""
    table = pl.DataFrame(
        [(rule.name, rule.warn_above) for rule in filters], schema=["reason", "warn_above"], orient="row"
    )
    over = ledger.join(table, on="reason").filter(
        (pl.col("share") > pl.col("warn_above")) & (pl.col("rows") / pl.col("share") >= MIN_LINES)
    )
    return [
        f"{row['reason']} took {row['share']:.1%} of {row['corpus']} in {row['lang']}, more than the usual "
        f"{row['warn_above']:.1%}. Look at: builders inspect --lang {row['lang']} --reason {row['reason']}"
        for row in over.sort(pl.col("share") - pl.col("warn_above"), descending=True).iter_rows(named=True)
    ]
