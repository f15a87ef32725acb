"""Find benchmark texts in pairs by n-grams of characters, which work for languages with and without spaces."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.pipeline.batches import read_batches
from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.ngram_index import NgramIndex, find_candidates, find_matches, make_index
from builders.pipeline.parts import READER_VERSION, Part
from builders.workspace import Inputs, Query, Task, Workspace, inputs_json, query_task
from corpora.catalog import Corpus, language
from corpora.download import SourceFile
from corpora.language_id import (
    ACCENTS_VERSION,
    COMPILED_THRESHOLD,
    conversion_key,
    in_other_scripts,
    without_accents,
)
from corpora.reading import read_benchmark

NGRAM_SIZE = 30  # characters of English, without spaces and punctuation: about six words
STRIDE = 8  # characters from one tested n-gram of a pair to the next
MIN_LENGTH = 20  # characters of English: shorter sentences occur by chance
REPORT = pl.Schema(
    {"benchmark": pl.String, "lang": pl.String, "num_sentences": pl.Int64, "num_ngrams": pl.Int64, "num_rows": pl.Int64}
)
BENCHMARK_TEXTS = pa.schema([(name, pa.string()) for name in ("benchmark", "lang", "item", "field", "text")])
NGRAMS = pa.schema(
    {
        "benchmark": pa.string(),
        "item": pa.int64(),
        "sentence": pa.string(),
        "num_ngrams": pa.int64(),
        "is_whole_sentence": pa.bool_(),
    }
)
NORMS = pa.schema(
    [("corpus", pa.string()), ("line_number", pa.int64())]
    + [(name, pa.string()) for name in ("en_norm", "xx_norm", "reject_reason")]
)
NORMS_QUERY = f"""
    select {", ".join(NORMS.names)} from measured
    where reject_reason is null and (en_norm is not null or xx_norm is not null)
"""
INDEX_LOCK = threading.Lock()
BATCH_ROWS = 50_000  # rows of `measured` whose texts are in memory at the same time


def scale_length(length: int, lang: str) -> int:
    """Return the number of characters that correspond to `length` characters of English, at least eight."""
    return max(8, round(length * language(lang).ratio))


def index_ngrams(files: Sequence[SourceFile], catalog: Mapping[str, Corpus], work: Workspace) -> dict[str, Path]:
    """Submit `benchmark_texts` and `ngrams`, the n-grams of all benchmarks, and return the latter by language."""
    texts: dict[str, list[Path]] = {}
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {"sha256": file.sha256, "format": corpus.reading_key(lang), "reader": READER_VERSION}
        inputs |= {"accents": ACCENTS_VERSION}
        inputs |= {"conversion": key} if (key := conversion_key(lang)) else {}
        task = Task("benchmark_texts", f"{lang}-{corpus.id}", inputs)
        run = partial(write_benchmark_texts, source=file.path, corpus=corpus, lang=lang, inputs=inputs_json(task))
        texts.setdefault(lang, []).append(work.submit(replace(task, run=run)))
    ngrams = {}
    for lang, paths in texts.items():
        values = {
            "n": scale_length(NGRAM_SIZE, lang),
            "stride": STRIDE,
            "shortest": scale_length(MIN_LENGTH, lang),
        }
        ngrams[lang] = work.submit(query_task("ngrams", lang, {"benchmark_texts": paths}, values))
    return ngrams


def write_benchmark_texts(work: Workspace, path: Path, source: Path, corpus: Corpus, lang: str, inputs: str) -> None:
    """Write the texts of a benchmark as rows of `benchmark_texts`: in all scripts of the language, without accents."""
    table = read_benchmark(corpus.input_file(source, lang))
    ways = [
        row | {"text": without_accents(text.lower())}
        for row in table.to_pylist()
        for text in (row["text"], *in_other_scripts(row["text"], lang))
    ]
    table = pa.Table.from_pylist(ways, table.schema)
    constant = [pa.repeat(value, table.num_rows) for value in (corpus.id, lang)]
    schema = BENCHMARK_TEXTS.with_metadata({"inputs": inputs})
    pq.write_table(pa.Table.from_arrays([*constant, *table.columns], schema=schema), path, compression="zstd")


def contamination_task(
    part: Part, measured: Path, repeats: Path, ngrams: Mapping[str, Path], filters: tuple[Filter, ...]
) -> Task:
    """Return the task of `contaminated`: the pairs of a part that share n-grams with a benchmark."""
    reject, thresholds = reject_sql(filters, "contaminated", part.lang)
    lengths: Inputs = {
        "english_n": scale_length(NGRAM_SIZE, "en"),
        "foreign_n": scale_length(NGRAM_SIZE, part.lang),
        "stride": STRIDE,
    }
    indexes = {"english_ngrams": ngrams.get("en"), "foreign_ngrams": ngrams.get(part.lang)}
    tables = {name: [index] if index else NGRAMS.empty_table() for name, index in indexes.items()}
    task = query_task(
        "contaminated",
        part.name,
        tables | {"measured": [measured], "duplicates": [repeats]},
        lengths,
        thresholds=thresholds,
        functions=partial(python_functions, filters, "contaminated"),
        num_rows=part.num_rows,
        reject_reason=reject,
    )
    assert isinstance(task.run, Query)
    run = partial(write_contaminated, query=task.run, measured=measured, ngrams=dict(ngrams), lang=part.lang)
    return replace(task, run=run)


def load_indexes(ngrams: Mapping[str, Path], lang: str, work: Workspace) -> tuple[NgramIndex, NgramIndex]:
    """Return the indexes of English and of another language."""
    return load_index(ngrams.get("en"), "en", work), load_index(ngrams.get(lang), lang, work)


def load_index(sentences: Path | None, lang: str, work: Workspace) -> NgramIndex:
    """Return the index of the n-grams of a language, from its file of `ngrams`; an empty one if there is none."""
    lengths = scale_length(NGRAM_SIZE, lang), STRIDE, scale_length(MIN_LENGTH, lang)
    if sentences is None:
        return make_index(NGRAMS.empty_table(), *lengths)
    try:
        with INDEX_LOCK:  # tasks that begin together share an index
            return _index_of(sentences, *lengths)
    except (OSError, pa.ArrowInvalid) as error:
        with work.connect({"ngrams": [sentences]}):
            raise duckdb.IOException(str(error)) from None


@lru_cache(maxsize=8)
def _index_of(sentences: Path, size: int, stride: int, shortest: int) -> NgramIndex:
    return make_index(pq.read_table(sentences), size, stride, shortest)


def write_contaminated(
    work: Workspace, path: Path, query: Query, measured: Path, ngrams: Mapping[str, Path], lang: str
) -> None:
    """Write a part of `contaminated`: `query` over the few rows and sentences that may have an n-gram in common."""
    indexes = dict(zip(("en", "xx"), load_indexes(ngrams, lang, work), strict=True))
    rows, items = _find_matches(measured, indexes, work)
    tables = {"measured": rows, "duplicates": query.tables["duplicates"]}
    for side, name, code in (("en", "english_ngrams", "en"), ("xx", "foreign_ngrams", lang)):
        sentences = pq.read_table(ngrams[code]) if code in ngrams else NGRAMS.empty_table()
        tables[name] = sentences.filter(pc.is_in(sentences["item"], pa.array(items[side], pa.int64())))
    replace(query, tables=tables)(work, path)


def _find_matches(
    measured: Path, indexes: Mapping[str, NgramIndex], work: Workspace
) -> tuple[pa.Table, dict[str, list[int]]]:
    """Return the kept rows that may contain a sentence, and the numbers of the sentences, by side."""
    is_many = pq.read_metadata(measured).num_rows >= COMPILED_THRESHOLD
    rows: list[pa.RecordBatch] = []
    items: dict[str, set[int]] = {side: set() for side in indexes}
    with work.connect({"measured": [measured]}) as connection:
        for batch in read_batches(connection.sql(NORMS_QUERY), BATCH_ROWS):
            is_match = np.zeros(batch.num_rows, np.bool_)
            for side, index in indexes.items():
                is_match |= find_candidates(batch[f"{side}_norm"], index, is_many)
            rows.append(batch.filter(pa.array(is_match)))
            for side, index in indexes.items():
                items[side].update(find_matches(rows[-1][f"{side}_norm"], index)[1].tolist())
    return pa.Table.from_batches(rows, NORMS), {side: sorted(numbers) for side, numbers in items.items()}


def decontamination_report(ngrams: Mapping[str, Path], contaminated: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """Return what was searched for and what was rejected, by benchmark and language: num_sentences, num_ngrams, rows.

    `rows` are rejected pairs. A pair that overlaps on both sides counts for the side that is not English.
    """
    searched = [
        pl.read_parquet(path, glob=False)
        .group_by("benchmark")
        .agg(num_sentences=pl.len(), num_ngrams=pl.col("num_ngrams").sum())
        .with_columns(lang=pl.lit(lang))
        for lang, path in ngrams.items()
    ]
    rejected = [
        pl.read_parquet(path, glob=False)
        .filter(pl.col("reject_reason").is_not_null())
        .select("benchmark", lang=pl.when(pl.col("side") == "en").then(pl.lit("en")).otherwise(pl.lit(lang)))
        for lang, paths in contaminated.items()
        for path in paths
    ]
    if not searched:
        return pl.DataFrame(schema=REPORT)
    rows = pl.concat(searched).join(
        pl.concat(rejected).group_by("benchmark", "lang").agg(num_rows=pl.len()), on=["benchmark", "lang"], how="left"
    )
    return (
        rows.with_columns(pl.col("num_rows").fill_null(0)).select(REPORT.names()).cast(REPORT).sort("benchmark", "lang")
    )
