"""A build as text and as HTML: pairs read and kept by language, and the examples of each config."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from tabulate import tabulate

from builders.pipeline.ledger import totals
from builders.workspace import funnel_stages

STAGE = "instructions"  # of the ledger
MAX_REASONS = 3  # of a language without a pair
PAIRS = ("lang", "pairs in", "kept", "share")
EXAMPLES = ("config", "examples")


def build_text(name: str, ledger: pl.DataFrame, composition: pl.DataFrame) -> str:
    """Return the counts of a build as tables."""
    pairs, examples, rows = _pair_rows(ledger), _example_rows(composition), ledger.to_dicts()
    parts = [f"Built {name}"]
    if pairs:
        parts.append(tabulate(pairs, PAIRS, stralign="right", disable_numparse=True) + "\n")
    return "\n".join([*parts, tabulate(examples, EXAMPLES, stralign="right"), *lost_records(rows), *emptied(rows)])


def lost_records(ledger: Sequence[Mapping[str, Any]], min_share: float = 0.0) -> list[str]:
    """Return a sentence for each corpus of instructions of which records were left out, with the reasons.

    Args:
        ledger: The rows of a ledger.
        min_share: The share of a corpus from which on it is worth a sentence.
    """
    lines, rows = [], [row for row in ledger if row["stage"] == STAGE]
    for total in (row for row in rows if row["reason"] is None and row["num_kept"] < row["num_in"]):
        own = [
            row for row in rows if (row["corpus"], row["lang"]) == (total["corpus"], total["lang"]) and row["reason"]
        ]
        reasons = ", ".join(f"{row['num_rows']:,} {row['reason']}" for row in own)
        num_lost = total["num_in"] - total["num_kept"]
        if num_lost < min_share * total["num_in"]:
            continue
        lines.append(f"  {num_lost:,} of {total['num_in']:,} records of {total['corpus']} were left out: {reasons}")
    return lines


def emptied(ledger: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each language of which no sentence pair was kept, with the filters that rejected most."""
    stages = funnel_stages("pairs")
    rows, lines = [row for row in ledger if row["stage"] in stages], []
    for lang in dict.fromkeys(row["lang"] for row in rows):
        own = [row for row in rows if row["lang"] == lang]
        if any(row["num_kept"] for row in own if row["stage"] == stages[-1]):
            continue
        counts = Counter[str]()
        for row in own:
            counts[row["reason"]] += row["num_rows"] or 0
        reasons = ", ".join(f"{name} ({num:,})" for name, num in counts.most_common(MAX_REASONS) if num)
        if reasons:
            lines.append(f"  No sentence pair in {lang} was kept. Most were rejected by: {reasons}.")
    return lines


def build_html(name: str, ledger: pl.DataFrame, composition: pl.DataFrame) -> str:
    """Return the counts of a build as HTML tables, for notebooks."""
    pairs, examples = _pair_rows(ledger), _example_rows(composition)
    tables = [tabulate(pairs, PAIRS, tablefmt="html", disable_numparse=True)] if pairs else []
    tables.append(tabulate(examples, EXAMPLES, tablefmt="html", disable_numparse=True))
    return f"<p><b>{name}</b></p>" + "".join(str(table) for table in tables)


def _pair_rows(ledger: pl.DataFrame) -> list[tuple[str, ...]]:
    return [
        (lang, f"{num_in:,}", f"{num_kept:,}", f"{num_kept / num_in:.1%}" if num_in else "-")
        for lang, num_in, num_kept in totals(ledger)
    ]


def _example_rows(composition: pl.DataFrame) -> list[tuple[str, str]]:
    counts = composition.group_by("config", maintain_order=True).agg(pl.col("num_rows").sum())
    return [(config, f"{num_rows:,}") for config, num_rows in counts.rows()]
