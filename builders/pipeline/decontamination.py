"""Which pairs say what an evaluation set says: n-grams of characters, so that Chinese is searched like Greek."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.filters import Filter, verdict
from builders.pipeline.write_tables import READER
from builders.workspace.workspace import Unit, Work, inputs_text, unit_of
from corpora.catalog import Corpus, language
from corpora.download.pull import Fetched
from corpora.reading.readers import read_evaluation

GRAM = 30  # characters of English, without spaces and punctuation: about six words
STRIDE = 8  # characters from one tested n-gram of a pair to the next
SHORTEST = 20  # characters of English: shorter sentences of a set are said by chance
REPORT = pl.Schema(
    {"set_name": pl.String, "lang": pl.String, "sentences": pl.Int64, "grams": pl.Int64, "rows": pl.Int64}
)
EVALUATION = pa.schema([(name, pa.string()) for name in ("set_name", "lang", "item", "field", "text")])
GRAMS = pa.schema(
    {"set_name": pa.string(), "item": pa.int64(), "gram": pa.uint64(), "num_grams": pa.int64(), "whole": pa.bool_()}
)


def in_english_measure(length: int, lang: str) -> int:
    """How many characters of a language say what `length` characters of English say, at least eight."""
    return max(8, round(length * language(lang).ratio))


def collect(files: Sequence[Fetched], catalog: Mapping[str, Corpus], work: Work) -> dict[str, Path]:
    """`grams`: the n-grams of all evaluation sets, by language."""
    texts: dict[str, list[Path]] = {}
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        unit = Unit("evaluation", f"{lang}-{corpus.id}", {"sha256": file.sha256, "reader": READER})
        write = partial(_write, source=file.path, corpus=corpus, lang=lang, inputs=inputs_text(unit))
        texts.setdefault(lang, []).append(work.make(unit, write))
    grams = {}
    for lang, paths in texts.items():
        values = {"n": in_english_measure(GRAM, lang), "stride": STRIDE, "shortest": in_english_measure(SHORTEST, lang)}
        unit = unit_of("grams", lang, paths, **values)
        grams[lang] = work.query(unit, {"evaluation": paths}, values)
    return grams


def _write(path: Path, source: Path, corpus: Corpus, lang: str, inputs: str) -> None:
    """Write the texts of an evaluation set in a language as rows of `evaluation`."""
    table = read_evaluation(source, corpus.format, lang, corpus.upstream_code(lang))
    constant = [pa.repeat(value, table.num_rows) for value in (corpus.id, lang)]
    schema = EVALUATION.with_metadata({"inputs": inputs})
    pq.write_table(pa.Table.from_arrays([*constant, *table.columns], schema=schema), path, compression="zstd")


def find(
    lang: str,
    screened: Sequence[Path],
    duplicates: Sequence[Path],
    grams: Mapping[str, Path],
    filters: tuple[Filter, ...],
    work: Work,
) -> list[Path]:
    """`contaminated`: the pairs of a language with a side that says what an evaluation set says."""
    reject, parameters = verdict(filters, "contaminated", lang)
    lengths = {
        "english_n": in_english_measure(GRAM, "en"),
        "foreign_n": in_english_measure(GRAM, lang),
        "stride": STRIDE,
    }
    sides = {"english_grams": grams.get("en"), "foreign_grams": grams.get(lang)}
    made = []
    for path in screened:
        known = [grams_path for grams_path in sides.values() if grams_path]
        unit = unit_of(
            "contaminated",
            path.name.split(".")[0],
            [path, *duplicates, *known],
            verdict=reject,
            thresholds=parameters,
            **lengths,
        )
        tables = {name: [found] if found else GRAMS.empty_table() for name, found in sides.items()}
        tables |= {"screened": [path], "duplicates": duplicates}
        made.append(work.query(unit, tables, parameters | lengths, verdict=reject))
    return made


def report(grams: Mapping[str, Path], contaminated: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """What was searched for and what it cost, a row a set and language: sentences, grams, rows (pairs rejected).

    A pair found on both sides counts for the foreign one; a set that was searched for in vain stands here with 0.
    """
    searched = [
        pl.read_parquet(path, glob=False)
        .group_by("set_name")
        .agg(sentences=pl.col("item").n_unique(), grams=pl.len())
        .with_columns(lang=pl.lit(lang))
        for lang, path in grams.items()
    ]
    found = [
        pl.read_parquet(path, glob=False)
        .filter(pl.col("rejected_by").is_not_null())
        .select("set_name", lang=pl.when(pl.col("side") == "en").then(pl.lit("en")).otherwise(pl.lit(lang)))
        for lang, paths in contaminated.items()
        for path in paths
    ]
    if not searched:
        return pl.DataFrame(schema=REPORT)
    rows = pl.concat(searched).join(
        pl.concat(found).group_by("set_name", "lang").agg(rows=pl.len()), on=["set_name", "lang"], how="left"
    )
    return rows.with_columns(pl.col("rows").fill_null(0)).select(REPORT.names()).cast(REPORT).sort("set_name", "lang")
