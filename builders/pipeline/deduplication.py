"""Find pairs that repeat others: exactly, except for case and punctuation, nearly, or on one side alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from builders.pipeline.bitext import count_rows_of
from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.workspace import Workspace, sql_task
from corpora.catalog import language
from corpora.errors import InputError

NEAR_NGRAM_SIZE = 5  # characters of English in an n-gram that near-duplicates share
NEAR_MIN_LENGTH = 40  # characters of English without spaces: shorter pairs differ in meaning when they differ at all
MIN_SIMILARITY = 0.7  # five in six pairs with this similarity are compared; see near_duplicates.sql
OVERLAP = pl.Schema({"lang": pl.String, "other": pl.String, "num_sentences": pl.Int64})


def deduplicate(
    lang: str, measured: Sequence[Path], corpora: Sequence[str], filters: tuple[Filter, ...], work: Workspace
) -> list[Path]:
    """Make `duplicates`, `one_to_many` and, if a filter needs it, `near_duplicates` of a language."""
    reject, parameters = reject_sql(filters, "duplicates", lang)
    values = {"corpora": list(corpora), "exact_only": "duplicate_normalised" not in {f.name for f in filters}}
    task = sql_task("duplicates", lang, measured, reject_reason=reject, thresholds=parameters, **values)
    functions = python_functions(filters, "duplicates")
    num_rows = sum(map(count_rows_of, measured))
    duplicates = work.query(
        task, {"measured": measured}, parameters | values, functions, num_rows, reject_reason=reject
    )
    files = [duplicates]
    if any(f.table == "near_duplicates" for f in filters):
        files.append(_find_near_duplicates(lang, measured, duplicates, corpora, filters, work))
    reject, parameters = reject_sql(filters, "one_to_many", lang)
    task = sql_task("one_to_many", lang, [*measured, *files], reject_reason=reject, thresholds=parameters)
    functions = python_functions(filters, "one_to_many")
    tables = {"measured": measured, "duplicates": files}
    one_to_many = work.query(task, tables, parameters, functions, reject_reason=reject)
    return [*files, one_to_many]


def _find_near_duplicates(
    lang: str,
    measured: Sequence[Path],
    duplicates: Path,
    corpora: Sequence[str],
    filters: tuple[Filter, ...],
    work: Workspace,
) -> Path:
    """Make `near_duplicates`: the pairs of a language that nearly repeat a better one."""
    reject, parameters = reject_sql(filters, "near_duplicates", lang)
    similar = parameters.get("near_duplicate_min", MIN_SIMILARITY)
    if not MIN_SIMILARITY <= similar <= 1:
        raise InputError(
            f"near_duplicate.min must be {MIN_SIMILARITY} to 1, not {similar:g}: less similar ones are rarely compared."
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
    functions = python_functions(filters, "near_duplicates")
    tables = {"measured": measured, "duplicates": [duplicates]}
    return work.query(task, tables, parameters | values, functions, reject_reason=reject)


def english_overlap(bitext: Mapping[str, Path], work: Workspace) -> pl.DataFrame:
    """Return `english_overlap`: the number of English sentences that each two languages have in common."""
    if not bitext:
        return pl.DataFrame(schema=OVERLAP)
    task = sql_task("english_overlap", "all", list(bitext.values()))
    return pl.read_parquet(work.query(task, {"bitext": list(bitext.values())}, {}), glob=False)
