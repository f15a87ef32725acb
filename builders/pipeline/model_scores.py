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
from builders.pipeline.decisions import MODEL_SCORES, PartTables
from builders.pipeline.domains import EVERYWHERE
from builders.pipeline.filters import MODEL_STAGE, Filter
from builders.pipeline.kept_texts import kept_texts_task, read_kept_texts
from builders.pipeline.wrong_shares import write_shares
from builders.scoring import Scorer, ScoreStore, score_pairs
from builders.workspace import Query, Task, Workspace, inputs_json, sql, write_groups

VERSION = 1  # of what the model's scores become
MAX_RANDOM_PAIRS = 2_000  # of a corpus: enough for a chance of 0.01, as a model takes its time
MIN_CORPUS_PAIRS = 1_000  # a corpus with fewer is judged by the random pairs of the language
CHANCE_DECIMALS = 4
TEXTS = pa.schema([("digest", pa.int64())] + [(name, pa.string()) for name in ("corpus", "en", "xx")]).insert(
    2, pa.field("line_number", pa.int64())
)
RANDOM = pa.schema([("corpus", pa.string()), ("model_score", pa.float64())])


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
    others = tuple(rule for rule in filters if rule.table != MODEL_STAGE)
    texts = [work.submit(kept_texts_task("scored_texts", tables, others, scores, write_texts, {})) for tables in parts]
    random = work.submit(_task("random_scores", lang, texts, own, partial(write_random_scores, scorer=scorer)))
    paths = []
    for tables, path in zip(parts, texts, strict=True):
        run = partial(write_model_scores, scorer=scorer, lang=lang)
        paths.append(work.submit(_task("model_scores", tables.part.name, [path, random], own, run)))
    shares = partial(write_shares, table="model_scores", score="model_score", chance="model_chance")
    inputs = {"sql": sql("misaligned_shares")}
    return ModelScores(paths, [work.submit(_task("model_shares", lang, paths, inputs, shares))])


def write_texts(work: Workspace, path: Path, decisions: Query, pairs: Path, inputs: str) -> None:
    """Write `scored_texts` of a part: the texts of the pairs that `decisions`, without the model, keeps."""
    batches = read_kept_texts(work, decisions, pairs)
    tables = (pa.Table.from_batches([batch]).select(TEXTS.names).cast(TEXTS) for batch in batches)
    write_groups(path, TEXTS, tables, inputs)


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


def _task(stage: str, name: str, needs: Sequence[Path], own: Mapping[str, Any], run: Any) -> Task:
    inputs = {"from": [path.name for path in needs], **own}
    task = Task(stage, name, inputs, tuple(needs))
    named = {} if stage == "model_shares" else {"name": name}
    return replace(task, run=partial(run, files=tuple(needs), inputs=inputs_json(task), **named))
