"""Reports of `builders translate` and `builders tm` as text and JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from corpora.terminal_tables import format_table

STAGES = ("instructions", "segments", "translations", "translated_instructions")
COUNTS = ("num_in", "num_kept", "num_rows")


def translate_text(ledger: pl.DataFrame, files: Mapping[str, Path], translator: Mapping[str, Any]) -> str:
    """Return what became of the instructions and segments in each language, and the files.

    Args:
        ledger: The ledger of the build.
        files: The file of each language.
        translator: The description of the translations, as a manifest has it.
    """
    order = pl.col("stage").replace_strict(STAGES, range(len(STAGES)), default=None, return_dtype=pl.Int8)
    ledger = ledger.filter(pl.col("stage").is_in(STAGES)).sort(order, maintain_order=True)
    numbers = [pl.col(name).map_elements("{:,}".format, pl.String).fill_null("") for name in COUNTS]
    rows = ledger.select("stage", "lang", pl.col("reason").fill_null(""), *numbers).rows()
    table = format_table(["stage", "lang", "reason", "in", "kept", "rows"], rows)
    unread = _reasons(ledger, "instructions", "en")
    lines = [f"{sum(unread.values()):,} instructions were rejected: {_list(unread)}."] if unread else []
    for lang, path in files.items():
        english = _reasons(ledger, "translated_instructions", lang)
        kept, total = (_total(ledger, "translated_instructions", lang, total) for total in ("num_kept", "num_in"))
        rest = f"; {sum(english.values()):,} stay in English: {_list(english)}" if english else ""
        methods = _list(translator.get("methods", {}).get(lang, {})) or "none"
        lines.append(
            f"{lang}  {path}\n    {kept:,} of {total:,} instructions{rest}.\n    segments by method: {methods}."
            f"{_meaning(translator, lang)}"
        )
    return "\n".join([table, "", *lines])


def _meaning(translator: Mapping[str, Any], lang: str) -> str:
    """Return how many segments were compared by the words of a bitext, if there are segments."""
    counts = translator.get("meaning", {}).get(lang, {"num_checked": 0, "num_unchecked": 0})
    total = sum(counts.values())
    return f"\n    meaning checked by a bitext: {counts['num_checked']:,} of {total:,} segments." if total else ""


def translate_json(ledger: pl.DataFrame, files: Mapping[str, Path], translator: Mapping[str, Any]) -> str:
    """Return the same as JSON, with the description of the translator."""
    paths = {lang: str(path) for lang, path in files.items()}
    return json.dumps({"files": paths, "ledger": ledger.to_dicts(), "translator": dict(translator)}, indent=2)


def _reasons(ledger: pl.DataFrame, stage: str, lang: str) -> dict[str, int]:
    """Return how many instructions of a stage in a language were not kept, by reason, the most frequent first."""
    rejected = ledger.filter((pl.col("stage") == stage) & (pl.col("lang") == lang) & pl.col("reason").is_not_null())
    return dict(rejected.sort("num_rows", "reason", descending=[True, False]).select("reason", "num_rows").rows())


def _total(ledger: pl.DataFrame, stage: str, lang: str, total: str) -> int:
    return int(ledger.filter((pl.col("stage") == stage) & (pl.col("lang") == lang))[total].sum())


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def memory_json(statistics: Mapping[str, Any]) -> str:
    """Return the statistics of a translation memory as JSON."""
    return json.dumps(dict(statistics), indent=2)


def memory_text(statistics: Mapping[str, Any]) -> str:
    """Return the statistics of a translation memory as text."""
    if not statistics["partitions"]:
        return f"The translation memory {statistics['folder']} is empty."
    rows = [
        (p["model"][:16] or p["origin"], p["lang"], p["decoding"], f"{p['segments']:,}", f"{p['failed']:,}")
        for p in statistics["partitions"]
    ]
    headers = ["translator", "lang", "decoding", "segments", "failed a check"]
    table = format_table(headers, rows, drop=["decoding"])
    runs = [
        f"  {run['lang']}: {run['num_known']:,} of {run['num_requested']:,} distinct segments were known "
        f"({run['hit_rate']:.1%})"
        for run in statistics["runs"]
    ]
    size = f"{statistics['bytes'] / 1e6:,.1f} MB in {statistics['folder']}"
    return "\n".join([table, "", size, *(["Newest runs:", *runs] if runs else [])])
