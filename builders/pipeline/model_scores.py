"""Tasks that score the pairs of a language by a model: the tables that the filter `unlikely_translation` reads.

A model that was not trained on the corpus needs no halves. Pairs that every other filter keeps are scored, those that
`misaligned` rejects are not: a pair has to pass both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders import alignment
from builders.pipeline.batches import read_batches
from builders.pipeline.decisions import MODEL_SCORES, PartTables, deciding_task
from builders.pipeline.domains import EVERYWHERE
from builders.pipeline.filters import MODEL_FILTER, MODEL_STAGE, Filter
from builders.pipeline.judging import write_shares
from builders.scoring import Scorer, ScoreStore, score_pairs
from builders.workspace import Query, Task, Workspace, inputs_json, sql

VERSION = 1  # of what the model's scores become
BATCH_ROWS = 50_000
MAX_RANDOM_PAIRS = 2_000  # of a corpus: enough for a chance of 0.01, as a model takes its time
MIN_CORPUS_PAIRS = 1_000  # a corpus with fewer is judged by the random pairs of the language
CHANCE_DECIMALS = 4
TEXTS = pa.schema([("digest", pa.int64())] + [(name, pa.string()) for name in ("corpus", "en", "xx")]).insert(
    2, pa.field("line_number", pa.int64())
)
RANDOM = pa.schema([("corpus", pa.string()), ("model_score", pa.float64())])
MODEL_ALIGNMENT = pl.Schema(
    {"lang": pl.String, "corpus": pl.String, "num_pairs": pl.Int64, "num_judged": pl.Int64, "num_rejected": pl.Int64}
    | dict.fromkeys(("share", "share_low", "share_high"), pl.Float64)
)


@dataclass(frozen=True)
class ModelScores:
    """The files that say what a model finds of the pairs of a language; none without a model."""

    scores: Sequence[Path] = ()  # of each part
    shares: Sequence[Path] = ()  # of all corpora


def score_by_model(
    lang: str,
    parts: Sequence[PartTables],
    filters: tuple[Filter, ...],
    scores: Sequence[str],
    scorer: Scorer | None,
    work: Workspace,
) -> ModelScores:
    """Submit the tasks that score the pairs of a language by a model.

    Args:
        lang: The language.
        parts: Its parts, with all tables that decide which pairs other filters keep.
        filters: Filters in use.
        scores: Columns with the user's scores.
        scorer: The model; None for none.
        work: The work folder.
    """
    if scorer is None or not any(rule.table == MODEL_STAGE for rule in filters):
        return ModelScores()
    own = {"model": scorer.fingerprint, "version": VERSION}
    texts = [work.submit(_texts_task(tables, filters, scores)) for tables in parts]
    random = work.submit(_task("random_scores", lang, texts, own, partial(write_random_scores, scorer=scorer)))
    paths = []
    for tables, path in zip(parts, texts, strict=True):
        run = partial(write_model_scores, scorer=scorer, lang=lang)
        paths.append(work.submit(_task("model_scores", tables.part.name, [path, random], own, run)))
    shares = partial(write_shares, table="model_scores", score="model_score", chance="model_chance")
    inputs = {"sql": sql("misaligned_shares")}
    return ModelScores(paths, [work.submit(_task("model_shares", lang, paths, inputs, shares))])


def count_unlikely(tables: Mapping[str, Sequence[PartTables]]) -> pl.DataFrame:
    """Return the share of wrong pairs that a model estimates, by language and corpus, with how many it rejects."""
    rejected = pl.col("reject_reason") == MODEL_FILTER
    frames = []
    for lang, parts in tables.items():
        if shares := parts[0].model_shares if parts else ():
            decided = pl.scan_parquet([own.decisions for own in parts], glob=False)
            counts = decided.group_by("corpus").agg(num_rejected=rejected.sum().cast(pl.Int64)).collect()
            rows = pl.read_parquet(shares[0], glob=False).join(counts, on="corpus").sort("corpus")
            frames.append(rows.select(pl.lit(lang).alias("lang"), *list(MODEL_ALIGNMENT)[1:]))
    return pl.concat(frames) if frames else pl.DataFrame(schema=MODEL_ALIGNMENT)


def write_texts(work: Workspace, path: Path, decisions: Query, pairs: Path, inputs: str) -> None:
    """Write `scored_texts` of a part: the texts of the pairs that `decisions`, without the model, keeps."""
    query = sql("alignment_texts", decisions=sql("decisions", **decisions.texts))
    values = {name: value for name, value in decisions.values.items() if f"${name}" in query}
    functions = decisions.functions() if decisions.functions else {}
    with (
        work.connect({**decisions.tables, "pairs": [pairs]}, functions) as connection,
        pq.ParquetWriter(path, TEXTS.with_metadata({"inputs": inputs}), compression="zstd") as writer,
    ):
        for batch in read_batches(connection.sql(query, params=values), BATCH_ROWS):
            writer.write_table(pa.Table.from_batches([batch]).select(TEXTS.names).cast(TEXTS))


def write_random_scores(
    work: Workspace, path: Path, files: Sequence[Path], name: str, inputs: str, scorer: Scorer
) -> None:
    """Write `random_scores` of a language: the scores of pairs put together at random, by corpus and of all corpora."""
    with work.connect({"scored_texts": list(files)}) as connection:
        query = sql("random_texts")
        sample = pl.from_arrow(connection.sql(query, params={"most": MAX_RANDOM_PAIRS}).to_arrow_table())
    assert isinstance(sample, pl.DataFrame)
    large = sample.group_by("corpus").len().filter(pl.col("len") >= MIN_CORPUS_PAIRS)["corpus"].sort().to_list()
    rows = {corpus: sample.filter(pl.col("corpus") == corpus) for corpus in large}
    if len(large) < sample["corpus"].n_unique():
        rows = {EVERYWHERE: sample.sort("digest").head(MAX_RANDOM_PAIRS), **rows}
    store = _store(work, scorer, name, f"random-{name}")
    names, values = list[str](), list[float]()
    for corpus, own in rows.items():
        en, xx = _random_texts(own, name)
        scores = [score for score in score_pairs(en, xx, name, scorer, store, _check(work)) if score is not None]
        values += sorted(scores)
        names += [corpus] * len(scores)
    table = pa.Table.from_arrays([pa.array(names, pa.string()), pa.array(values, pa.float64())], schema=RANDOM)
    pq.write_table(table.replace_schema_metadata({"inputs": inputs}), path, compression="zstd")


def write_model_scores(
    work: Workspace, path: Path, files: Sequence[Path], name: str, inputs: str, scorer: Scorer, lang: str
) -> None:
    """Write `model_scores` of a part: the score of each pair, and the share of random pairs that score as high."""
    texts, random = (pq.read_table(file) for file in files)
    store = _store(work, scorer, lang, name)
    en, xx = texts["en"].to_pylist(), texts["xx"].to_pylist()
    scores = pa.array(score_pairs(en, xx, lang, scorer, store, _check(work)), pa.float64())
    by_corpus = pl.from_arrow(random)
    assert isinstance(by_corpus, pl.DataFrame)
    corpus = texts["corpus"][0].as_py() if texts.num_rows else EVERYWHERE
    own = by_corpus.filter(pl.col("corpus") == corpus)["model_score"].to_numpy()
    own = own if len(own) else by_corpus.filter(pl.col("corpus") == EVERYWHERE)["model_score"].to_numpy()
    values = scores.to_numpy(zero_copy_only=False)
    chance = np.round(alignment.chances(values, own), CHANCE_DECIMALS)
    columns = [texts["corpus"], texts["line_number"], scores, pa.array(chance, mask=np.isnan(values) | (len(own) == 0))]
    table = pa.Table.from_arrays([*columns], schema=MODEL_SCORES).sort_by("line_number")
    pq.write_table(table.replace_schema_metadata({"inputs": inputs}), path, compression="zstd")


def _random_texts(pairs: pl.DataFrame, lang: str) -> tuple[list[str], list[str]]:
    """Return pairs put together at random, as those by which alignment is judged are: of about the same length."""
    en, xx = pairs["en"].to_arrow().cast(pa.string()), pairs["xx"].to_arrow().cast(pa.string())
    sides = alignment.side_of(alignment.tokenize(en, "en")), alignment.side_of(alignment.tokenize(xx, lang))
    rows, partners = alignment.random_partners(np.diff(sides[1].ends), pairs["digest"].to_numpy(), sides[0])
    return pairs["en"].gather(rows).to_list(), pairs["xx"].gather(partners).to_list()


def _store(work: Workspace, scorer: Scorer, lang: str, part: str) -> ScoreStore:
    return ScoreStore(work.folder / "memory" / "scores" / scorer.fingerprint[:16] / lang, part)


def _check(work: Workspace) -> Any:
    """Return what batches of scores are reported to; it ends the work if the run is over."""

    def check(count: int) -> None:
        if work.is_interrupted:
            raise InterruptedError("the run was stopped")
        work.advance("model_scores", count)

    return check


def _texts_task(tables: PartTables, filters: tuple[Filter, ...], scores: Sequence[str]) -> Task:
    """Return the task of `scored_texts`."""
    deciding = deciding_task(tables, tuple(rule for rule in filters if rule.table != MODEL_STAGE), scores)
    assert isinstance(deciding.run, Query)
    inputs = {**deciding.inputs, "texts_sql": sql("alignment_texts")}
    task = Task("scored_texts", tables.part.name, inputs, (*deciding.needs, tables.part.pairs))
    run = partial(write_texts, decisions=deciding.run, pairs=tables.part.pairs)
    return replace(task, run=partial(run, inputs=inputs_json(task)))


def _task(stage: str, name: str, needs: Sequence[Path], own: Mapping[str, Any], run: Any) -> Task:
    inputs = {"from": [path.name for path in needs], **own}
    task = Task(stage, name, inputs, tuple(needs))
    named = {} if stage == "model_shares" else {"name": name}
    return replace(task, run=partial(run, files=tuple(needs), inputs=inputs_json(task), **named))
