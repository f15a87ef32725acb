"""Which pairs say what others say: exactly, but for case and punctuation, nearly, or on one side alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from builders.pipeline.filters import Filter, verdict
from builders.workspace.workspace import Work, unit_of
from corpora.catalog import language
from corpora.errors import InputError

NEAR_GRAM = 5  # characters of English in an n-gram that near-duplicates share
NEAR_SHORTEST = 40  # characters of English without spaces: shorter pairs differ in meaning when they differ at all
LEAST_SIMILAR = 0.7  # of pairs this alike, five in six are compared; see near_duplicates.sql
SHARED = pl.Schema({"lang": pl.String, "other": pl.String, "sides": pl.Int64})


def charge(
    lang: str, screened: Sequence[Path], corpora: Sequence[str], filters: tuple[Filter, ...], work: Work
) -> list[Path]:
    """`duplicates` and `hubs`: the pairs of a language that are rejected for what its other pairs say."""
    reject, parameters = verdict(filters, "duplicates", lang)
    values = {"corpora": list(corpora), "exact_only": "duplicate_normalised" not in {f.name for f in filters}}
    unit = unit_of("duplicates", lang, screened, verdict=reject, thresholds=parameters, **values)
    duplicates = work.query(unit, {"screened": screened}, parameters | values, verdict=reject)
    found = [duplicates]
    if any(f.table == "near_duplicates" for f in filters):
        found.append(_charge_near(lang, screened, duplicates, corpora, filters, work))
    reject, parameters = verdict(filters, "hubs", lang)
    unit = unit_of("hubs", lang, [*screened, *found], verdict=reject, thresholds=parameters)
    hubs = work.query(unit, {"screened": screened, "duplicates": found}, parameters, verdict=reject)
    return [*found, hubs]


def _charge_near(
    lang: str,
    screened: Sequence[Path],
    duplicates: Path,
    corpora: Sequence[str],
    filters: tuple[Filter, ...],
    work: Work,
) -> Path:
    """`near_duplicates`: the pairs of a language that say nearly what a better-placed one says."""
    reject, parameters = verdict(filters, "near_duplicates", lang)
    similar = parameters["near_duplicate_least"]
    if not LEAST_SIMILAR <= similar <= 1:
        raise InputError(
            f"near_duplicate.least must be {LEAST_SIMILAR} to 1, not {similar:g}: pairs less alike are seldom compared."
        )
    values = {
        "english_n": NEAR_GRAM,
        "foreign_n": max(2, round(NEAR_GRAM * language(lang).ratio)),
        "shortest": NEAR_SHORTEST,
        "foreign_shortest": round(NEAR_SHORTEST * language(lang).ratio),
        "similar": similar,
        "corpora": list(corpora),
    }
    unit = unit_of("near_duplicates", lang, [*screened, duplicates], verdict=reject, thresholds=parameters, **values)
    return work.query(unit, {"screened": screened, "duplicates": [duplicates]}, parameters | values, verdict=reject)


def share_english(bitext: Mapping[str, Path], work: Work) -> pl.DataFrame:
    """`shared_english`: how many English sides each two languages have in common, a row two languages."""
    if not bitext:
        return pl.DataFrame(schema=SHARED)
    unit = unit_of("shared_english", "all", list(bitext.values()))
    return pl.read_parquet(work.query(unit, {"bitext": list(bitext.values())}, {}), glob=False)
