"""From upstream's lines to measured pairs: reading bitexts and the cheap measures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.write_tables import READER_VERSION, write_pairs_task
from builders.workspace import Task, Workspace, inputs_json, on_all_cores, sql_task
from corpora.catalog import Corpus, language
from corpora.download import SourceFile
from corpora.language_id import preload_model, variant_patterns

SHARD_ROWS = 1_000_000  # lines that one task measures and decides on
SMALL_INPUT_BYTES = 2 * 2**20  # compressed bytes that are read faster than processes start


def read_bitexts(files: Sequence[SourceFile], catalog: Mapping[str, Corpus], work: Workspace) -> dict[str, list[Path]]:
    """Make `pairs`, the lines of every file, and return its files by language; missing ones are made on all cores."""
    pairs: dict[str, list[Path]] = {}
    missing, size = [], 0
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {"sha256": file.sha256, "format": corpus.reading_key(lang), "reader": READER_VERSION}
        task = Task("pairs", f"{lang}-{corpus.id}", inputs)
        pairs.setdefault(lang, []).append(work.path(task))
        if work.can_reuse(task):
            work.progress.advance(count_rows_of(work.path(task)))
        else:
            missing.append((write_pairs_task, work.path(task), file.path, corpus, lang, inputs_json(task)))
            size += file.path.stat().st_size
    if size > SMALL_INPUT_BYTES and not work.memory:
        preload_model()
    on_all_cores(missing, work.threads if size > SMALL_INPUT_BYTES else 1, work.progress, "reading")
    return pairs


def count_rows_of(path: Path) -> int:
    """Return the number of rows of a Parquet file, from its footer."""
    return int(pq.read_metadata(path).num_rows)


def measure(lang: str, pairs: Sequence[Path], filters: tuple[Filter, ...], work: Workspace) -> list[Path]:
    """Make `measured`: each line's cheap measures, and the first filter on them that rejects it; a file a shard."""
    early, first_parameters = reject_sql(filters, "pairs", lang)
    reject, parameters = reject_sql(filters, "measured", lang)
    functions = python_functions(filters, "pairs", "measured")
    thresholds = first_parameters | parameters
    patterns = script_patterns(language(lang).script) | {"ratio": language(lang).ratio} | variant_patterns(lang)
    measured = []
    for path in pairs:
        num_rows = count_rows_of(path)
        for first in range(0, max(1, num_rows), SHARD_ROWS):
            values = patterns | {"first": first, "last": first + SHARD_ROWS}
            name = f"{path.name.split('.')[0]}-{first // SHARD_ROWS:05}"
            inputs = {"early": early, "reject_reason": reject, "thresholds": thresholds}
            measured.append(
                work.query(
                    sql_task("measured", name, [path], **inputs, **values),
                    {"pairs": [path]},
                    thresholds | values,
                    functions,
                    min(SHARD_ROWS, num_rows - first),
                    reject_reason=reject,
                    early_reject_reason=early,
                )
            )
    return measured


def script_patterns(scripts: Sequence[str]) -> dict[str, str]:
    """Return regular expressions (RE2) for the letters of Unicode scripts, the parameters of `measured.sql`."""
    own = "".join(rf"\p{{{script}}}" for script in scripts)
    latin = "Latin" in scripts
    return {
        "script": f"[{own}]",
        "not_script": rf"(?:[^{own}]|\pM)+",
        "expected": rf"[{own}\pM\pN]*" if latin else rf"[{own}\p{{Latin}}\pM\pN]*",
        "not_letters": r"\PL+" if latin else r"(?:\PL|\p{Latin})+",
    }


def select_kept(lang: str, decisions: Sequence[Path], work: Workspace) -> Path:
    """Make `bitext`: the pairs of a language that no filter rejects."""
    num_rows = sum(map(count_rows_of, decisions))
    return work.query(sql_task("bitext", lang, decisions), {"decisions": decisions}, {}, num_rows=num_rows)
