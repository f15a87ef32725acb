"""The last tables of a part: the decision on every line, the pairs that are kept, and the counts of the ledger."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa

from builders.pipeline.alignment_files import SCORES, SHARES
from builders.pipeline.domains import DOMAINS
from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import ALIGNMENT_STAGE, LANGUAGE_STAGE, LATE_STAGES, MODEL_STAGE, Filter
from builders.pipeline.parts import Part
from builders.workspace import Task, query_task
from corpora.catalog import language
from corpora.language_id import Variant, find_variants, second_model

SCRIPT_VARIANTS = pl.Schema({"lang": pl.String, "variant": pl.String, "num_rows": pl.Int64})
MODEL_SCORES = pa.schema(
    {"corpus": pa.string(), "line_number": pa.int64(), "model_score": pa.float64(), "model_chance": pa.float64()}
)
MODEL_COLUMNS = ("model_score", "model_chance")
TEXTS = "coalesce(measured.en_cleaned, pairs.en, '') as en, coalesce(measured.xx_cleaned, pairs.xx, '') as xx,"
WITH_TEXTS = "join pairs on pairs.line_number = measured.line_number"


@dataclass(frozen=True)
class PartTables:
    """The tables of a part, each a file."""

    part: Part
    measured: Path
    language_ids: Path
    repeats: Path
    contaminated: Path
    quality_scores: Sequence[Path] | pa.Table
    alignment_scores: Sequence[Path] = ()  # none where the language is not judged
    misaligned_shares: Sequence[Path] = ()
    domains: Sequence[Path] = ()
    model_scores: Sequence[Path] = ()  # none without a model that scores pairs
    model_shares: Sequence[Path] = ()
    decisions: Path = Path()
    bitext: Path = Path()
    ledger: Path = Path()


def deciding_task(tables: PartTables, filters: tuple[Filter, ...], scores: Sequence[str]) -> Task:
    """Return the task of `decisions`: every line with the first filter of all that rejects it."""
    lang = tables.part.lang
    reject, thresholds = reject_sql(filters, LANGUAGE_STAGE, lang)
    late = [reject_sql(filters, stage, lang) for stage in (ALIGNMENT_STAGE, MODEL_STAGE)]
    thresholds |= {name: value for _, own in late for name, value in own.items()}
    columns = [*scores, *(MODEL_COLUMNS if tables.model_scores else ())]
    views = {
        "measured": [tables.measured],
        "repeats": [tables.repeats],
        "contaminated": [tables.contaminated],
        "quality_scores": tables.quality_scores,
        "language_ids": [tables.language_ids],
        "alignment_scores": tables.alignment_scores or SCORES.empty_table(),
        "misaligned_shares": tables.misaligned_shares or SHARES.empty_table(),
        "domains": tables.domains or DOMAINS.empty_table(),
        "model_scores": tables.model_scores or MODEL_SCORES.empty_table(),
        "model_shares": tables.model_shares or SHARES.empty_table(),
    }
    has_texts = needs_texts(filters)
    return query_task(
        "decisions",
        tables.part.name,
        views | ({"pairs": [tables.part.pairs]} if has_texts else {}),
        {"labels": list(expected_labels(lang)), "english_labels": list(language("en").labels)},
        thresholds=thresholds,
        functions=partial(python_functions, filters, *LATE_STAGES),
        num_rows=tables.part.num_rows,
        reject_reason=reject,
        late_reject_reason=", ".join(query for query, _ in late),
        texts=TEXTS if has_texts else "",
        pairs=WITH_TEXTS if has_texts else "",
        scores="".join(f"{name}, " for name in columns),
    )


def expected_labels(lang: str) -> tuple[str, ...]:
    """Return the labels that count as a language: of lid.176, or of the second model where that identifies it."""
    model = second_model(lang)
    return model.labels_of(lang) if model else language(lang).labels


def needs_texts(filters: Iterable[Filter]) -> bool:
    """Return whether a filter over `decisions` may read a text: only then is it joined."""
    own = [rule for rule in filters if rule.table in LATE_STAGES]
    return any(rule.function or re.search(r"\b(en|xx)\b", rule.reject, re.IGNORECASE) for rule in own)


def keeping_task(tables: PartTables) -> Task:
    """Return the task of `bitext`: the pairs of a part that no filter rejects."""
    views = {"pairs": [tables.part.pairs], "measured": [tables.measured], "decisions": [tables.decisions]}
    return query_task("bitext", tables.part.name, views, num_rows=tables.part.num_rows)


def count_script_variants(tables: Mapping[str, Sequence[PartTables]]) -> pl.DataFrame:
    """Return the number of kept pairs by way of writing, for languages with two: lang, variant, num_rows."""
    frames = [
        pl.concat([_kept(own).select(variant=_variant(variants)).collect() for own in parts])
        .group_by("variant")
        .agg(num_rows=pl.len().cast(pl.Int64))
        .select(pl.lit(lang).alias("lang"), "variant", "num_rows")
        .sort("variant")
        for lang, parts in tables.items()
        if (variants := find_variants(lang))
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCRIPT_VARIANTS)


def _variant(variants: tuple[Variant, Variant]) -> pl.Expr:
    """Return the variant of a pair, by the characters that only one of the two has."""
    share = pl.col("variant_share")
    return (
        pl.when(share == 0)
        .then(pl.lit(variants[0].name))
        .when(share == 1)
        .then(pl.lit(variants[1].name))
        .when(share.is_null())
        .then(pl.lit("alike in both"))
        .otherwise(pl.lit("mixed"))
    )


def _kept(tables: PartTables) -> pl.LazyFrame:
    kept = pl.scan_parquet(tables.decisions, glob=False).filter(pl.col("reject_reason").is_null())
    measured = pl.scan_parquet(tables.measured, glob=False).select("line_number", "variant_share")
    return measured.join(kept.select("line_number"), on="line_number", how="semi")
