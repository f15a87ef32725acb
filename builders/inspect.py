"""Any line of the newest build, kept or thrown away, with its measures and the filter that rejected it."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from builders.filters import all_filters
from corpora.catalog import language
from corpora.errors import InputError, unknown
from corpora.files import atomic_path

FIRST = ["corpus", "line", "en", "xx", "margin", "rejected_by", "matched_corpus", "matched_line"]
HIDDEN = ["en_key", "xx_key"]


def judged(work: Path, lang: str, recipe: str | None = None, reason: str | None = None) -> pl.LazyFrame:
    """The judged lines of a language in the newest build that has it, ordered by corpus and line.

    `reason` is a filter's name, or `kept`; InputError if there is no such build, language or reason.
    """
    language(lang)
    if reason not in (None, "kept") and reason not in all_filters():
        raise unknown("reason", str(reason), ["kept", *all_filters()])
    rows = pl.concat([pl.scan_parquet(path, glob=False) for path in _shards(work, lang, recipe)])
    if reason:
        rows = rows.filter(pl.col("rejected_by").is_null() if reason == "kept" else pl.col("rejected_by") == reason)
    return rows.select(*FIRST, pl.exclude(*FIRST, *HIDDEN)).sort("corpus", "line")


def sample_rejected(rows: pl.LazyFrame, each: int) -> pl.LazyFrame:
    """Of judged lines, `each` that every filter rejected, scattered over the corpora and always the same."""
    scattered = rows.filter(pl.col("rejected_by").is_not_null()).sort((pl.col("line") * 2654435761) % 2**32, "corpus")
    return scattered.group_by("rejected_by", maintain_order=True).head(each).sort("rejected_by", "corpus", "line")


def read_record(path: Path) -> dict[str, Any]:
    """What a recipe's newest build is made of; InputError if the record is damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {"verdicts": dict(record["verdicts"]), "units": list(record["units"])}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged. Remove it and build again.") from None


def _shards(work: Path, lang: str, recipe: str | None) -> list[Path]:
    """The files of `verdicts` for a language in the newest build, or in that of one recipe."""
    builds = sorted((work / "builds").glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    if not builds:
        raise InputError(f"The work folder {work} holds no build yet. Run `builders build`, or name another --work.")
    if recipe and recipe not in [path.stem for path in builds]:
        raise unknown("build", recipe, [path.stem for path in builds])
    for path in builds:
        record = read_record(path)
        if lang in record["verdicts"] and recipe in (None, path.stem):
            return [work / shard for shard in record["verdicts"][lang]]
    raise InputError(f"No build in {work} has sentence pairs in {language(lang).name} ({lang}).")


def write_judged(rows: pl.LazyFrame, out: Path) -> int:
    """Write the lines as one Parquet file; returns how many there are."""
    with atomic_path(out) as path:
        rows.sink_parquet(path)
    return int(pl.scan_parquet(out, glob=False).select(pl.len()).collect().item())
