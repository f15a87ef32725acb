"""Translated instructions of a build: which are worst, and one of them sentence by sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from builders.lines import Build
from builders.translation import TranslationTables, digest, split_at_placeholders
from corpora.catalog import language
from corpora.errors import InputError, unknown

FIELDS = ("instruction", "input", "output")
MAX_RATIO = 1e6


@dataclass(frozen=True)
class Sentence:
    """A segment of an instruction: its parts with masked spans marked, its translation, and what checked it."""

    sha256: str
    en: str
    pieces: list[tuple[str, str]]
    text: str | None
    method: str
    failed_check: str


@dataclass(frozen=True)
class Frame:
    """A field of an instruction: what surrounds its segments, and the segments."""

    name: str
    skeleton: list[str]
    sentences: list[Sentence]


def translated_corpora(build: Build) -> dict[str, list[str]]:
    """Return the languages into which each corpus of instructions is translated."""
    corpora: dict[str, list[str]] = {}
    for segments in build.files("segments"):
        name = segments.name.split(".")[0]
        for path in build.files("translations"):
            lang, _, corpus = path.name.split(".")[0].partition(f"-{name}")
            if path.name.split(".")[0] == f"{lang}-{name}" and not corpus:
                corpora.setdefault(name, []).append(lang)
    return corpora


def tables_of(build: Build, corpus: str, lang: str) -> TranslationTables:
    """Return the tables of a corpus in a language.

    Raises:
        InputError: The build does not translate the corpus into the language.
    """
    known = translated_corpora(build)
    if corpus not in known:
        raise unknown("corpus", corpus, known)
    if lang not in known[corpus]:
        raise unknown("language", lang, known[corpus])
    (segments,) = build.files("segments", f"{corpus}.")
    (translations,) = build.files("translations", f"{lang}-{corpus}.")
    (translated,) = build.files("translated_instructions", f"{lang}-{corpus}.")
    return TranslationTables(segments, {lang: translations}, {lang: translated})


def records(tables: TranslationTables, lang: str) -> pl.DataFrame:
    """Return a row for each instruction, the worst first: id, line_number, reject_reason, num_failed and length_ratio.

    Worst are those that stay in English, by the number of segments that failed a check; then those whose translations
    are much shorter or longer than their sources.
    """
    return _records(tables.segments, tables.translations[lang], tables.translated[lang], language(lang).ratio)


@lru_cache(maxsize=16)
def _records(segments: Path, translations: Path, translated: Path, ratio: float) -> pl.DataFrame:
    lengths = [pl.col(name).str.len_chars() + 10 for name in ("text", "en")]
    deviation = (lengths[0] / (pl.col("en").str.len_chars() * ratio + 10)).log().abs()
    texts = pl.read_parquet(translations, glob=False).select(
        "en", "failed_check", deviation=pl.when(pl.col("failed_check") == "").then(deviation)
    )
    by_record = (
        pl.read_parquet(segments, columns=["id", "segments"], glob=False)
        .explode("segments")
        .drop_nulls("segments")
        .join(texts, left_on="segments", right_on="en", how="left")
        .group_by("id")
        .agg(
            num_segments=pl.len(),
            num_failed=(pl.col("failed_check") != "").sum(),
            failed_check=pl.col("failed_check").filter(pl.col("failed_check") != "").first(),
            deviation=pl.col("deviation").max(),
        )
    )
    rows = pl.read_parquet(translated, columns=["id", "line_number", "reject_reason"], glob=False)
    joined = rows.join(by_record, on="id", how="left").with_columns(pl.col("num_failed", "num_segments").fill_null(0))
    order = [pl.col("reject_reason").is_null(), -pl.col("num_failed").cast(pl.Int64), -pl.col("deviation").fill_null(0)]
    return joined.with_columns(length_ratio=pl.col("deviation").exp()).sort([*order, "line_number"])


def english_shares(rows: pl.DataFrame) -> dict[str, Any]:
    """Return how many instructions there are, how many stay in English, and why."""
    reasons = rows["reject_reason"].drop_nulls().value_counts(sort=True).rows()
    return {"num_records": rows.height, "num_english": sum(count for _, count in reasons), "reasons": reasons}


def search_records(tables: TranslationTables, lang: str, text: str) -> list[str]:
    """Return the ids of instructions that contain a text in English or in translation."""
    needle = text.lower()
    rows = pl.scan_parquet(tables.translated[lang], glob=False)
    contains = [pl.col(name).str.to_lowercase().str.contains(needle, literal=True) for name in FIELDS]
    hits = rows.filter(pl.any_horizontal(contains))
    sources = pl.scan_parquet(tables.segments, glob=False).explode("segments")
    english = sources.filter(pl.col("segments").str.to_lowercase().str.contains(needle, literal=True))
    return list({*hits.select("id").collect()["id"], *english.select("id").collect()["id"]})


def read_record(tables: TranslationTables, lang: str, id: str) -> list[Frame]:
    """Return the fields of an instruction, each with its segments.

    Raises:
        InputError: The corpus has no such instruction.
    """
    rows = pl.scan_parquet(tables.segments, glob=False).filter(pl.col("id") == id).collect()
    if rows.is_empty():
        raise InputError("The build has no such instruction. Reload the page.")
    digests = sorted({digest(text) for texts in rows["segments"] for text in texts})
    own = pl.scan_parquet(tables.translations[lang], glob=False).filter(pl.col("sha256").is_in(digests)).collect()
    known = {row["sha256"]: row for row in own.iter_rows(named=True)}
    return [
        Frame(row["field"], row["skeleton"], [_sentence(text, known) for text in row["segments"]])
        for row in rows.iter_rows(named=True)
    ]


def _sentence(text: str, known: Mapping[str, Mapping[str, Any]]) -> Sentence:
    row = known.get(digest(text), {})
    pieces = [(part, "masked" if is_masked else "") for part, is_masked in split_at_placeholders(text)]
    return Sentence(
        digest(text), text, pieces, row.get("text"), row.get("method", ""), row.get("failed_check", "untranslated")
    )
