"""From upstream's lines to kept sentence pairs, with a verdict and an ledger_rows of every line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.filters import Filter, reject_sql
from builders.pipeline.write_tables import READER_VERSION, write_language_ids, write_pairs_task
from builders.workspace import Tables, Task, Workspace, inputs_json, on_all_cores, on_all_threads, sql, sql_task
from corpora.catalog import Corpus, language
from corpora.download import SourceFile
from corpora.files import is_whole, remove_sealed, sealed
from corpora.language_id import (
    COMPILED_THRESHOLD,
    MODEL_FINGERPRINT,
    MODEL_SHA256,
    VARIANT_LANGS,
    preload_model,
    variant_patterns,
)

SHARD_ROWS = 1_000_000  # lines: what one task screens and judges
SMALL_INPUT_BYTES = 2 * 2**20  # compressed bytes that are read sooner than processes start
LANGUAGE_IDS = pa.schema([("text_hash", pa.uuid()), ("label", pa.string()), ("probability", pa.float64())])
SCRIPT_VARIANTS = pl.Schema({"lang": pl.String, "variant": pl.String, "num_rows": pl.Int64})
LANGUAGE_STAGE = "decisions"  # the table of the filters that need the language of the texts


def read_bitexts(files: Sequence[SourceFile], catalog: Mapping[str, Corpus], work: Workspace) -> dict[str, list[Path]]:
    """`pairs`: every line of every file, by language; the files that are missing are read on all cores."""
    found: dict[str, list[Path]] = {}
    missing, size = [], 0
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {"sha256": file.sha256, "format": corpus.reading_key(lang), "reader": READER_VERSION}
        task = Task("pairs", f"{lang}-{corpus.id}", inputs)
        found.setdefault(lang, []).append(work.path(task))
        if not work.can_reuse(task):
            missing.append((write_pairs_task, work.path(task), file.path, corpus, lang, inputs_json(task)))
            size += file.path.stat().st_size
    if size > SMALL_INPUT_BYTES and not work.memory:
        preload_model()
    on_all_cores(missing, work.threads if size > SMALL_INPUT_BYTES else 1, "reading", "lines")
    return found


def measure(lang: str, pairs: Sequence[Path], filters: tuple[Filter, ...], work: Workspace) -> list[Path]:
    """`measured`: what is cheap to measure about each line, and the first filter that rejects it for that."""
    early, first_parameters = reject_sql(filters, "pairs", lang)
    reject, parameters = reject_sql(filters, "measured", lang)
    thresholds = first_parameters | parameters
    own = script_patterns(language(lang).script) | {"ratio": language(lang).ratio} | variant_patterns(lang)
    made = []
    for path in pairs:
        for first in range(0, max(1, pq.read_metadata(path).num_rows), SHARD_ROWS):
            values = own | {"first": first, "last": first + SHARD_ROWS}
            name = f"{path.name.split('.')[0]}-{first // SHARD_ROWS:05}"
            task = sql_task(
                "measured", name, [path], early=early, reject_reason=reject, thresholds=thresholds, **values
            )
            tables = {"pairs": [path]}
            made.append(work.query(task, tables, thresholds | values, reject_reason=reject, early_reject_reason=early))
    return made


def script_patterns(scripts: Sequence[str]) -> dict[str, str]:
    """Regular expressions (RE2) for the letters of some Unicode scripts, as `measured.sql` wants them."""
    own = "".join(rf"\p{{{script}}}" for script in scripts)
    latin = "Latin" in scripts
    return {
        "script": f"[{own}]",
        "not_script": rf"(?:[^{own}]|\pM)+",
        "expected": rf"[{own}\pM\pN]*" if latin else rf"[{own}\p{{Latin}}\pM\pN]*",
        "not_letters": r"\PL+" if latin else r"(?:\PL|\p{Latin})+",
    }


def apply_filters(known: Mapping[str, Tables], filters: tuple[Filter, ...], work: Workspace) -> dict[str, list[Path]]:
    """`decisions`: every line with its measures and the first filter of all that rejects it, by language.

    `known` are the tables measured, duplicates, contaminated and scores of each language; where all decisions stand,
    nothing is identified.
    """
    tasks = {lang: _decision_tasks(lang, tables, filters) for lang, tables in known.items()}
    missing = {lang: known[lang] for lang in known if not all(work.is_complete(task) for task in tasks[lang])}
    identified = identify(missing, work)
    made = {}
    for lang, tables in known.items():
        reject, parameters = reject_sql(filters, LANGUAGE_STAGE, lang)
        values = parameters | _labels(lang)
        shards = zip(tasks[lang], tables["measured"], tables["contaminated"], strict=True)
        made[lang] = [
            work.query(
                task,
                {**tables, "measured": [measured], "contaminated": [contaminated], "language_ids": identified},
                values,
                reject_reason=reject,
            )
            for task, measured, contaminated in shards
        ]
    return made


def _decision_tasks(lang: str, tables: Tables, filters: tuple[Filter, ...]) -> list[Task]:
    reject, parameters = reject_sql(filters, LANGUAGE_STAGE, lang)
    others = [
        *tables["duplicates"],
        *(() if isinstance(tables["quality_scores"], pa.Table) else tables["quality_scores"]),
    ]
    inputs = {"reject_reason": reject, "thresholds": parameters, "model": MODEL_FINGERPRINT, **_labels(lang)}
    return [
        sql_task("decisions", path.name.split(".")[0], [path, *others, searched], **inputs)
        for path, searched in zip(tables["measured"], tables["contaminated"], strict=True)
    ]


def _labels(lang: str) -> dict[str, list[str]]:
    return {"labels": list(language(lang).labels), "english_labels": list(language("en").labels)}


def identify(known: Mapping[str, Tables], work: Workspace) -> list[Path]:
    """`identified`: the language of each distinct text that is left, each heard once, in files of a folder."""
    folder = work.folder / "language_ids" / MODEL_SHA256[:16]
    for path in folder.glob("*.parquet"):
        if not is_whole(path):
            remove_sealed(path)
    none = folder / "none.parquet"
    if not none.exists():
        with sealed(none) as path:
            pq.write_table(LANGUAGE_IDS.empty_table(), path)
    files: list[Path] = []
    for lang, tables in known.items():
        files.append(work.scratch / f"unidentified-{lang}.parquet")
        work.scratch.mkdir(exist_ok=True)
        with work.connect({**tables, "language_ids": [*sorted(folder.glob("*.parquet")), *files[:-1]]}) as connection:
            copy = f"copy ({sql('unidentified')}) to $path (format parquet, row_group_size 20480)"
            connection.execute(copy, {"path": str(files[-1])})
    many = sum(pq.read_metadata(path).num_rows for path in files) >= COMPILED_THRESHOLD
    groups = [(path, group) for path in files for group in range(pq.read_metadata(path).num_row_groups)]
    tasks = [(write_language_ids, *place, folder, many) for place in groups]
    run = on_all_cores if many and work.memory else on_all_threads  # compiled code stays in memory, processes end
    run(tasks, work.threads if many else 1, "identifying", "texts")
    for path in files:
        path.unlink()
    return sorted(folder.glob("*.parquet"))


def select_kept(lang: str, decisions: Sequence[Path], work: Workspace) -> Path:
    """`bitext`: the pairs of a language that no filter rejects."""
    return work.query(sql_task("bitext", lang, decisions), {"decisions": decisions}, {})


def script_variants(decisions: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """How many kept pairs a language written in two ways has in each, a row a variant: lang, variant, rows."""
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


def ledger_rows(lang: str, tables: Mapping[str, Sequence[Path]], filters: tuple[Filter, ...], work: Workspace) -> Path:
    """`ledger`: the ledger_rows of a language's sentence pairs, from the tables of every stage."""
    values = {
        "lang": lang,
        "late": [f.name for f in filters if f.table == LANGUAGE_STAGE],
        "contamination": [f.name for f in filters if f.table == "contaminated"],
    }
    task = sql_task("ledger", lang, [path for paths in tables.values() for path in paths], **values)
    return work.query(task, tables, values)
