"""The last filters: languages of texts, then a decision on every line with all its measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.bitext import count_rows_of
from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.write_tables import write_language_ids
from builders.workspace import Task, Workspace, on_all_cores, on_all_threads, sql, sql_task
from corpora.catalog import language
from corpora.files import is_intact, remove_sealed, sealed_path
from corpora.language_id import COMPILED_THRESHOLD, MODEL_FINGERPRINT, MODEL_SHA256, VARIANT_LANGS

LANGUAGE_IDS = pa.schema([("text_hash", pa.uuid()), ("label", pa.string()), ("probability", pa.float64())])
SCRIPT_VARIANTS = pl.Schema({"lang": pl.String, "variant": pl.String, "num_rows": pl.Int64})
LANGUAGE_STAGE = "decisions"  # the table of the filters that need the languages of texts
TEXTS_PER_CALL = 20_480  # texts that one call identifies


@dataclass(frozen=True)
class PairTables:
    """The tables of a language that a decision needs; measured and contaminated have a file for each shard."""

    measured: Sequence[Path]
    duplicates: Sequence[Path]
    contaminated: Sequence[Path]
    quality_scores: Sequence[Path] | pa.Table


def identify_languages(tables: Mapping[str, PairTables], filters: tuple[Filter, ...], work: Workspace) -> list[Path]:
    """Return the files of `language_ids`; texts are identified where a decision that needs them is missing."""
    missing = {
        lang: own
        for lang, own in tables.items()
        if not all(work.is_complete(task) for task in _decision_tasks(lang, own, filters))
    }
    return _identify(missing, work)


def apply_filters(
    tables: Mapping[str, PairTables], language_ids: Sequence[Path], filters: tuple[Filter, ...], work: Workspace
) -> dict[str, list[Path]]:
    """Make `decisions`, every line with its measures and the first filter of all that rejects it, by language."""
    functions = python_functions(filters, LANGUAGE_STAGE)
    decisions = {}
    for lang, own in tables.items():
        reject, parameters = reject_sql(filters, LANGUAGE_STAGE, lang)
        shards = zip(_decision_tasks(lang, own, filters), own.measured, own.contaminated, strict=True)
        decisions[lang] = [
            work.query(
                task,
                {
                    "measured": [measured],
                    "duplicates": own.duplicates,
                    "contaminated": [contaminated],
                    "quality_scores": own.quality_scores,
                    "language_ids": language_ids,
                },
                parameters | _labels(lang),
                functions,
                count_rows_of(measured),
                reject_reason=reject,
            )
            for task, measured, contaminated in shards
        ]
    return decisions


def _decision_tasks(lang: str, tables: PairTables, filters: tuple[Filter, ...]) -> list[Task]:
    reject, parameters = reject_sql(filters, LANGUAGE_STAGE, lang)
    scores = () if isinstance(tables.quality_scores, pa.Table) else tables.quality_scores
    inputs = {"reject_reason": reject, "thresholds": parameters, "model": MODEL_FINGERPRINT, **_labels(lang)}
    return [
        sql_task(
            "decisions", measured.name.split(".")[0], [measured, *tables.duplicates, *scores, contaminated], **inputs
        )
        for measured, contaminated in zip(tables.measured, tables.contaminated, strict=True)
    ]


def _labels(lang: str) -> dict[str, list[str]]:
    return {"labels": list(language(lang).labels), "english_labels": list(language("en").labels)}


def _identify(tables: Mapping[str, PairTables], work: Workspace) -> list[Path]:
    """Identify each distinct text of the pairs that are left once, and return the files with all that are known."""
    folder = _store(work)
    files: list[Path] = []
    for lang, own in tables.items():
        files.append(work.scratch / f"unidentified-{lang}.parquet")
        work.scratch.mkdir(exist_ok=True)
        views = {"measured": own.measured, "duplicates": own.duplicates, "contaminated": own.contaminated}
        known = [*sorted(folder.glob("*.parquet")), *files[:-1]]
        with work.connect({**views, "language_ids": known}) as connection:
            copy = f"copy ({sql('unidentified')}) to $path (format parquet, row_group_size {TEXTS_PER_CALL})"
            connection.execute(copy, {"path": str(files[-1])})
        work.progress.extend(count_rows_of(files[-1]))
    is_many = sum(map(count_rows_of, files)) >= COMPILED_THRESHOLD
    groups = [(path, group) for path in files for group in range(pq.read_metadata(path).num_row_groups)]
    calls = [(write_language_ids, *group, folder, is_many) for group in groups]
    threads = work.threads if is_many else 1
    if is_many and work.memory:  # compiled code stays in memory, processes end
        on_all_cores(calls, threads, work.progress, "identifying languages")
    else:
        on_all_threads(calls, threads, work.progress)
    for path in files:
        path.unlink()
    return sorted(folder.glob("*.parquet"))


def _store(work: Workspace) -> Path:
    """Return the folder of identified texts, without damaged files, and with at least one file."""
    folder = work.folder / "language_ids" / MODEL_SHA256[:16]
    for path in folder.glob("*.parquet"):
        if not is_intact(path):
            remove_sealed(path)
    none = folder / "none.parquet"
    if not none.exists():
        with sealed_path(none) as path:
            pq.write_table(LANGUAGE_IDS.empty_table(), path)
    return folder


def script_variants(decisions: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """Return the number of kept pairs by way of writing, for languages with two: lang, variant, rows."""
    share = pl.col("traditional_share")
    variant = (
        pl.when(share == 0)
        .then(pl.lit("simplified"))
        .when(share == 1)
        .then(pl.lit("traditional"))
        .when(share.is_null())
        .then(pl.lit("alike in both"))
        .otherwise(pl.lit("mixed"))
    )
    frames = [
        pl.scan_parquet([str(path) for path in paths], glob=False)
        .filter(pl.col("reject_reason").is_null())
        .group_by(variant=variant)
        .agg(num_rows=pl.len().cast(pl.Int64))
        .select(pl.lit(lang).alias("lang"), "variant", "num_rows")
        .sort("variant")
        .collect()
        for lang, paths in decisions.items()
        if lang in VARIANT_LANGS
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCRIPT_VARIANTS)
