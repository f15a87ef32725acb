"""Find benchmark texts in pairs by n-grams of characters, which work for languages with and without spaces."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.parts import READER_VERSION, Part
from builders.workspace import Inputs, Task, Workspace, inputs_json, query_task
from corpora.catalog import Corpus, language
from corpora.download import SourceFile
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
        "ngram": pa.uint64(),
        "num_ngrams": pa.int64(),
        "is_whole_sentence": pa.bool_(),
    }
)


def scale_length(length: int, lang: str) -> int:
    """Return the number of characters that correspond to `length` characters of English, at least eight."""
    return max(8, round(length * language(lang).ratio))


def index_ngrams(files: Sequence[SourceFile], catalog: Mapping[str, Corpus], work: Workspace) -> dict[str, Path]:
    """Submit `benchmark_texts` and `ngrams`, the n-grams of all benchmarks, and return the latter by language."""
    texts: dict[str, list[Path]] = {}
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {"sha256": file.sha256, "format": corpus.reading_key(lang), "reader": READER_VERSION}
        task = Task("benchmark_texts", f"{lang}-{corpus.id}", inputs)
        run = partial(_write, source=file.path, corpus=corpus, lang=lang, inputs=inputs_json(task))
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


def _write(work: Workspace, path: Path, source: Path, corpus: Corpus, lang: str, inputs: str) -> None:
    """Write the texts of a benchmark in a language as rows of `benchmark_texts`."""
    table = read_benchmark(corpus.input_file(source, lang))
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
    return query_task(
        "contaminated",
        part.name,
        tables | {"measured": [measured], "duplicates": [repeats]},
        lengths,
        thresholds=thresholds,
        functions=partial(python_functions, filters, "contaminated"),
        num_rows=part.num_rows,
        reject_reason=reject,
    )


def decontamination_report(ngrams: Mapping[str, Path], contaminated: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """Return what was searched for and what was rejected, by benchmark and language: num_sentences, num_ngrams, rows.

    `rows` are rejected pairs. A pair that overlaps on both sides counts for the side that is not English.
    """
    searched = [
        pl.read_parquet(path, glob=False)
        .group_by("benchmark")
        .agg(num_sentences=pl.col("item").n_unique(), num_ngrams=pl.len())
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
