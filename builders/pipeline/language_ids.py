"""Identify the languages of both sides of the lines of a part: the table `language_ids`."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.batches import read_batches
from builders.workspace import Functions, Inputs, Workspace, sql
from corpora.catalog import language
from corpora.language_id import (
    identify_column,
    identify_column_plainly,
    identify_languages,
    identify_with,
    make_word_cache,
)

BATCH_ROWS = 20_480  # lines whose texts are in memory at the same time
BATCHES_AHEAD = 2  # that are read while one is identified
SIDES = ("en", "xx")
LANGUAGE_IDS = pa.schema(
    {
        "line_number": pa.int64(),
        "en_label": pa.string(),
        "en_probability": pa.float64(),
        "xx_label": pa.string(),
        "xx_probability": pa.float64(),
    }
)

Identify = Callable[[pa.StringArray], tuple[pa.Array, pa.Array]]


def write_language_ids(
    work: Workspace,
    path: Path,
    pairs: Path,
    lang: str,
    early: str,
    thresholds: Inputs,
    functions: Functions,
    is_many: bool,
    inputs: str,
    second: Path | None = None,
) -> None:
    """Write the labels and probabilities of both sides of the lines of a part that no early filter rejects.

    Args:
        work: The work folder, for its DuckDB.
        path: File to write.
        pairs: Part of `pairs`.
        lang: Their language.
        early: SQL for the name of the first filter over `pairs` that rejects a row, as `reject_sql` returns it.
        thresholds: Its parameters.
        functions: Returns the Python functions that it calls, by name.
        is_many: Whether to identify by compiled code, in a thread beside the one that reads and writes; the rows are
            the same. Otherwise by fastText itself.
        inputs: What the part is made from, for the metadata of the file.
        second: The file of a model that identifies the other side, where lid.176 does not know its language.
    """
    query = sql("texts", early_reject_reason=early)
    values = {name: value for name, value in thresholds.items() if f"${name}" in query}
    schema = LANGUAGE_IDS.with_metadata({"inputs": inputs})
    with (
        work.connect({"pairs": [pairs]}, functions()) as connection,
        pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer,
    ):
        batches = read_batches(connection.sql(query, params=values), BATCH_ROWS)
        other = partial(identify_with, second, is_many=is_many) if second else None
        rows_of = (
            _identify_ahead(batches, lang, other) if is_many else (_rows(b, _by_fasttext, lang, other) for b in batches)
        )
        for rows in rows_of:
            writer.write_table(rows)


def _identify_ahead(batches: Iterator[pa.RecordBatch], lang: str, other: Identify | None) -> Iterator[pa.Table]:
    """Yield the rows of batches in order, while a thread identifies the next ones."""
    cache = make_word_cache()
    waiting: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for batch in batches:
            waiting.append(pool.submit(_rows, batch, lambda texts: identify_column(texts, cache), lang, other))
            if len(waiting) > BATCHES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _by_fasttext(texts: pa.StringArray) -> tuple[pa.Array, pa.Array]:
    labels, probabilities = identify_languages([text or "" for text in texts.to_pylist()])
    return pa.array(labels, pa.string()), pa.array(probabilities, pa.float64())


def _rows(batch: pa.RecordBatch, identify: Identify, lang: str, other: Identify | None = None) -> pa.Table:
    """Return the rows of `language_ids` for a batch of texts; lines that an early filter rejects have none.

    `other` identifies the side that is not English, if it is given.
    """
    if batch["en"].null_count:
        batch = batch.filter(batch["en"].is_valid())
    columns = [batch["line_number"]]
    for side, code in zip(SIDES, ("en", lang), strict=True):
        if other and side == "xx":
            columns += other(batch[side])
        else:
            columns += identify_column_plainly(batch[side], *identify(batch[side]), code, language(code).labels)
    return pa.Table.from_arrays(columns, schema=LANGUAGE_IDS)
