"""A build as text and as HTML: pairs read and kept by language, and the examples of each config."""

from typing import TYPE_CHECKING

import polars as pl
from tabulate import tabulate

from builders.pipeline.ledger import totals

if TYPE_CHECKING:
    from builders.pipeline.build import BuildResult

PAIRS = ("lang", "pairs in", "kept", "share")
EXAMPLES = ("config", "examples")


def build_text(result: "BuildResult") -> str:
    """Return the counts of a build as tables."""
    pairs, examples = _pair_rows(result), _example_rows(result)
    parts = [f"Built {result.recipe.name}"]
    if pairs:
        parts.append(tabulate(pairs, PAIRS, stralign="right", disable_numparse=True) + "\n")
    return "\n".join([*parts, tabulate(examples, EXAMPLES, stralign="right")])


def build_html(result: "BuildResult") -> str:
    """Return the counts of a build as HTML tables, for notebooks."""
    pairs, examples = _pair_rows(result), _example_rows(result)
    tables = [tabulate(pairs, PAIRS, tablefmt="html", disable_numparse=True)] if pairs else []
    tables.append(tabulate(examples, EXAMPLES, tablefmt="html", disable_numparse=True))
    return f"<p><b>{result.recipe.name}</b></p>" + "".join(str(table) for table in tables)


def _pair_rows(result: "BuildResult") -> list[tuple[str, ...]]:
    return [
        (lang, f"{num_in:,}", f"{num_kept:,}", f"{num_kept / num_in:.1%}" if num_in else "-")
        for lang, num_in, num_kept in totals(result.ledger)
    ]


def _example_rows(result: "BuildResult") -> list[tuple[str, str]]:
    counts = result.composition.group_by("config", maintain_order=True).agg(pl.col("num_rows").sum())
    return [(config, f"{num_rows:,}") for config, num_rows in counts.rows()]
