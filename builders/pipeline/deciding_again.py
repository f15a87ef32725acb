"""Decide on a few lines again with other thresholds, by the tasks of a build in a temporary work folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.decisions import PartTables, deciding_task
from builders.pipeline.decontamination import contamination_task
from builders.pipeline.deduplication import MATCHES
from builders.pipeline.filters import Filter
from builders.pipeline.measures import language_task, measuring_task
from builders.pipeline.parts import Part
from builders.pipeline.quality_scores import NO_SCORES
from builders.workspace import query_task, temporary_workspace
from corpora.reading import PAIRS

CORPUS = "lines"
CONSTANT = pa.schema([("corpus", pa.string()), ("lang", pa.string())])


def decide_again(
    rows: Sequence[Mapping[str, object]], lang: str, filters: Sequence[Filter], ngrams: Mapping[str, Path]
) -> pl.DataFrame:
    """Return the first filter that rejects each line (null if none does) and the keys by which duplicates are found.

    Filters that compare a line with others, and those over the user's own scores, reject nothing here.

    Args:
        rows: Lines as `pairs` has them.
        lang: Their language.
        filters: Filters with the thresholds to try.
        ngrams: The n-grams of benchmarks by language, as the build has them.

    Returns:
        A row for each line, in their order: reject_reason, en_norm_hash, xx_norm_hash.
    """
    own = tuple(rule for rule in filters if not rule.name.startswith("score_"))
    schema = pa.unify_schemas([CONSTANT, pa.schema(PAIRS)])
    numbered = [{**row, "corpus": CORPUS, "lang": lang, "line_number": n} for n, row in enumerate(rows, 1)]
    with temporary_workspace() as work:
        part = Part(CORPUS, lang, 0, work.folder / "pairs" / "lines.parquet")
        part.pairs.parent.mkdir()
        pq.write_table(pa.Table.from_pylist(numbered, schema), part.pairs)
        measured = work.do(measuring_task(part, own, ngrams, False))
        tables = {name: MATCHES.empty_table() for name in ("duplicates", "near_duplicates", "one_to_many")}
        repeats = work.do(query_task("repeats", part.name, tables, part.bounds))
        language_ids = work.do(language_task(part, own, False))
        contaminated = work.do(contamination_task(part, measured, repeats, ngrams, own))
        made = PartTables(part, measured, language_ids, repeats, contaminated, NO_SCORES.empty_table())
        made = replace(made, decisions=work.do(deciding_task(made, own, [])))
        decided = pl.read_parquet(made.decisions, columns=["line_number", "reject_reason"], glob=False)
        keys = pl.read_parquet(made.measured, columns=["line_number", "en_norm_hash", "xx_norm_hash"], glob=False)
        return decided.join(keys, on="line_number").sort("line_number").drop("line_number")
