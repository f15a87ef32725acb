"""The lines of the newest build, kept or rejected, with their measures and the filter that rejects them."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from corpora.catalog import language
from corpora.errors import InputError, unknown
from corpora.files import atomic_path

LEADING_COLUMNS = [
    "corpus",
    "line_number",
    "en",
    "xx",
    "margin",
    "reject_reason",
    "matched_corpus",
    "matched_line_number",
]
INTERNAL_COLUMNS = ["en_norm_hash", "xx_norm_hash", "en_hash", "xx_hash", "en_norm", "xx_norm", "signs"]


def read_lines(work: Path, lang: str, recipe: str | None = None, reason: str | None = None) -> pl.LazyFrame:
    """Return the lines of a language in the newest build that has it, ordered by corpus and line number.

    Args:
        work: The work folder.
        lang: The language.
        recipe: The recipe whose build to read; by default that of the newest.
        reason: Only lines that this filter rejects; `kept` for lines that none rejects.

    Raises:
        InputError: There is no such build, language or reason.
    """
    language(lang)
    manifest = _build_manifest(work, lang, recipe)
    reasons = ["kept", *(rule["name"] for rule in manifest["filters"])]
    if reason is not None and reason not in reasons:
        raise unknown("reason", reason, reasons)
    rows = pl.concat(
        part_lines(*(work / files[name] for name in ("pairs", "measured", "decisions")))
        for files in manifest["parts"][lang]
    )
    if reason:
        rows = rows.filter(pl.col("reject_reason").is_null() if reason == "kept" else pl.col("reject_reason") == reason)
    return rows.select(*LEADING_COLUMNS, pl.exclude(*LEADING_COLUMNS, *INTERNAL_COLUMNS)).sort("corpus", "line_number")


def with_unexplained_words(rows: pl.DataFrame, work: Path, lang: str, recipe: str | None = None) -> pl.DataFrame:
    """Return lines with the words of each side that the other does not explain, where alignment was judged.

    Args:
        rows: A few lines of `read_lines`.
        work: The work folder.
        lang: The language.
        recipe: The recipe of the build.
    """
    manifest = _build_manifest(work, lang, recipe)
    links = [work / task for task in sorted(manifest["tasks"]) if task.startswith(f"word_links/{lang}-")]
    judged = rows.filter(pl.col("alignment").is_not_null())
    if not links or judged.is_empty():
        return rows
    hashes = pl.concat(
        pl.scan_parquet(work / files["measured"], glob=False).select("corpus", "line_number", "en_norm_hash")
        for files in manifest["parts"][lang]
    )
    keys = judged.select("corpus", "line_number", "en", "xx").lazy()
    explained = keys.join(hashes, on=["corpus", "line_number"]).collect()
    halves = [half_of(value) for value in explained["en_norm_hash"]]
    frames = [
        _unexplained(explained.filter(pl.Series([half == own for half in halves])), lang, links[1 - own])
        for own in (0, 1)
    ]
    return rows.join(pl.concat(frames), on=["corpus", "line_number"], how="left", maintain_order="left")


def half_of(en_norm_hash: bytes | str) -> int:
    """Return the half of a language that a pair is in: the lowest of the first 60 bits of its key."""
    text = en_norm_hash.hex() if isinstance(en_norm_hash, bytes) else en_norm_hash.replace("-", "")
    return int(text[:15], 16) % 2


def _unexplained(rows: pl.DataFrame, lang: str, path: Path) -> pl.DataFrame:
    from builders.alignment import link_table, unexplained_words

    links = link_table(*(column.to_numpy() for column in pl.read_parquet(path, glob=False)))
    en, xx = unexplained_words(rows["en"].to_list(), rows["xx"].to_list(), lang, links)
    words = [pl.Series(f"{side}_unexplained", own, pl.List(pl.String)) for side, own in (("en", en), ("xx", xx))]
    return rows.select("corpus", "line_number").with_columns(words)


def part_lines(pairs: Path, measured: Path, decisions: Path) -> pl.LazyFrame:
    """Return the lines of a part, with everything that its tables say of them."""
    files = (pairs, measured, decisions)
    texts, measures, decided = (pl.scan_parquet(file, glob=False) for file in files)
    key = ["corpus", "lang", "line_number"]
    rows = measures.drop("reject_reason").join(decided, on=key).join(texts.select(*key, "en", "xx"), on=key)
    cleaned = (pl.coalesce(f"{side}_cleaned", side, pl.lit("")).alias(side) for side in ("en", "xx"))
    return rows.with_columns(cleaned).drop("en_cleaned", "xx_cleaned")


def sample_rejected(rows: pl.LazyFrame, each: int) -> pl.LazyFrame:
    """Return `each` lines that each filter rejects, from all over the corpora and always the same."""
    scattered = rows.filter(pl.col("reject_reason").is_not_null()).sort(
        (pl.col("line_number") * 2654435761) % 2**32, "corpus"
    )
    return (
        scattered.group_by("reject_reason", maintain_order=True)
        .head(each)
        .sort("reject_reason", "corpus", "line_number")
    )


def read_build_manifest(path: Path) -> dict[str, Any]:
    """Return what a recipe's newest build consists of.

    Raises:
        InputError: The file is damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        kinds = {"recipe": str, "filters": list, "parts": dict, "tasks": list}
        manifest = {key: kind(record[key]) for key, kind in kinds.items()}
        return manifest | {"filters": [{**rule} for rule in manifest["filters"]]}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged. Remove it and build again.") from None


def _build_manifest(work: Path, lang: str, recipe: str | None) -> dict[str, Any]:
    """Return what the newest build that has a language consists of, or that of one recipe."""
    builds = sorted((work / "builds").glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    if not builds:
        raise InputError(f"The work folder {work} has no build yet. Run `builders build`, or name another --work.")
    if recipe and recipe not in [path.stem for path in builds]:
        raise unknown("build", recipe, [path.stem for path in builds])
    for path in builds:
        record = read_build_manifest(path)
        if lang in record["parts"] and recipe in (None, path.stem):
            return record
    raise InputError(f"No build in {work} has sentence pairs in {language(lang).name} ({lang}).")


def write_lines(rows: pl.LazyFrame, out: Path) -> int:
    """Write lines as one Parquet file and return their number."""
    with atomic_path(out) as path:
        rows.sink_parquet(path)
    return int(pl.scan_parquet(out, glob=False).select(pl.len()).collect().item())
