"""Which pairs say what others say: exactly, but for case and punctuation, nearly, or on one side alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from builders.pipeline.filters import Filter, reject_sql
from builders.workspace import Workspace, sql_task
from corpora.catalog import language
from corpora.errors import InputError

NEAR_NGRAM_SIZE = 5  # characters of English in an n-gram that near-duplicates share
NEAR_MIN_LENGTH = 40  # characters of English without spaces: shorter pairs differ in meaning when they differ at all
MIN_SIMILARITY = 0.7  # of pairs this alike, five in six are compared; see near_duplicates.sql
OVERLAP = pl.Schema({"lang": pl.String, "other": pl.String, "num_sentences": pl.Int64})


def deduplicate(
    lang: str, measured: Sequence[Path], corpora: Sequence[str], filters: tuple[Filter, ...], work: Workspace
) -> list[Path]:
    """`duplicates` and `one_to_many`: the pairs of a language that are rejected for what its other pairs say."""
    reject, parameters = reject_sql(filters, "duplicates", lang)
    values = {"corpora": list(corpora), "exact_only": "duplicate_normalised" not in {f.name for f in filters}}
    task = sql_task("duplicates", lang, measured, reject_reason=reject, thresholds=parameters, **values)
    duplicates = work.query(task, {"measured": measured}, parameters | values, reject_reason=reject)
    found = [duplicates]
    if any(f.table == "near_duplicates" for f in filters):
        found.append(_find_near_duplicates(lang, measured, duplicates, corpora, filters, work))
    reject, parameters = reject_sql(filters, "one_to_many", lang)
    task = sql_task("one_to_many", lang, [*measured, *found], reject_reason=reject, thresholds=parameters)
    one_to_many = work.query(task, {"measured": measured, "duplicates": found}, parameters, reject_reason=reject)
    return [*found, one_to_many]


def _find_near_duplicates(
    lang: str,
    measured: Sequence[Path],
    duplicates: Path,
    corpora: Sequence[str],
    filters: tuple[Filter, ...],
    work: Workspace,
) -> Path:
    """`near_duplicates`: the pairs of a language that say nearly what a better-placed one says."""
    reject, parameters = reject_sql(filters, "near_duplicates", lang)
    similar = parameters["near_duplicate_min"]
    if not MIN_SIMILARITY <= similar <= 1:
        raise InputError(
            f"near_duplicate.min must be {MIN_SIMILARITY} to 1, not {similar:g}: pairs less alike are seldom compared."
        )
    values = {
        "english_n": NEAR_NGRAM_SIZE,
        "foreign_n": max(2, round(NEAR_NGRAM_SIZE * language(lang).ratio)),
        "min_length": NEAR_MIN_LENGTH,
        "foreign_min_length": round(NEAR_MIN_LENGTH * language(lang).ratio),
        "min_similarity": similar,
        "corpora": list(corpora),
    }
    task = sql_task(
        "near_duplicates", lang, [*measured, duplicates], reject_reason=reject, thresholds=parameters, **values
    )
    return work.query(
        task, {"measured": measured, "duplicates": [duplicates]}, parameters | values, reject_reason=reject
    )


def english_overlap(bitext: Mapping[str, Path], work: Workspace) -> pl.DataFrame:
    """`english_overlap`: how many English sides each two languages have in common, a row two languages."""
    if not bitext:
        return pl.DataFrame(schema=OVERLAP)
    task = sql_task("english_overlap", "all", list(bitext.values()))
    return pl.read_parquet(work.query(task, {"bitext": list(bitext.values())}, {}), glob=False)
