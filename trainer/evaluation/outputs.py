"""Outputs of models in Parquet, a row for each item; written batch by batch, so that a kill costs one batch.

Columns are item_id, instruction, input, references, and those of an output type: `generate_until` has text,
num_prompt_tokens, num_new_tokens, truncated and ended; `loglikelihood` has num_top1_matches, num_reference_tokens and
truncated; `lm_eval` has text, is_correct and truncated; a scorer's table has score.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.files import atomic_path, remove_leftovers
from corpora.strict_json import load_json
from trainer.evaluation.items import Item

Row = dict[str, Any]
Make = Callable[[Sequence[Item]], Iterable[list[Row]]]
KEY = b"key"


def compute_outputs(
    path: Path, key: dict[str, Any], items: Sequence[Item], make: Make, advance: Callable[[int], object]
) -> pl.DataFrame:
    """Return the outputs of items, in their order, read from a file or computed and written to it.

    Args:
        path: The file.
        key: Everything that the outputs depend on; it is written into the file.
        items: The items.
        make: Yields batches of rows, each with the `index` of its item among those that it gets.
        advance: Called with the number of items that are done.
    """
    if path.exists():
        advance(len(items))
        return read_outputs(path, key)
    parts = path.with_suffix(".parts")
    done = _finished_rows(parts)
    advance(len(done))
    remaining = [index for index in range(len(items)) if index not in done]
    first = len(list(parts.glob("*.json")))
    batches = make([items[index] for index in remaining]) if remaining else ()
    for number, rows in enumerate(batches, first):
        batch = {remaining[row["index"]]: {k: v for k, v in row.items() if k != "index"} for row in rows}
        _write_batch(parts / f"{number:06}.json", batch)
        done |= batch
        advance(len(batch))
    table = pl.DataFrame([_columns(item) | done[index] for index, item in enumerate(items)], infer_schema_length=None)
    _write_outputs(path, table, key)
    shutil.rmtree(parts, ignore_errors=True)
    return table


def _write_outputs(path: Path, table: pl.DataFrame, key: dict[str, Any]) -> None:
    text = json.dumps(key, ensure_ascii=False, sort_keys=True)
    arrow = table.to_arrow().replace_schema_metadata({KEY: text.encode()})
    with atomic_path(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd")


def read_outputs(path: Path, key: dict[str, Any] | None = None) -> pl.DataFrame:
    """Return the outputs in a file.

    Raises:
        InputError: The file is damaged, or its key is not the expected one.
    """
    try:
        stored = load_json(pq.read_schema(path).metadata[KEY])
        table = pl.read_parquet(path, glob=False)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is damaged ({reason}). Remove it; the same command computes it again.") from None
    if key is not None and stored != json.loads(json.dumps(key)):
        raise InputError(f"{path} holds other outputs. Remove it; the same command computes it again.")
    return table


def read_key(path: Path) -> dict[str, Any]:
    """Return what the outputs in a file depend on."""
    read_outputs(path)
    return dict(load_json(pq.read_schema(path).metadata[KEY]))


def _finished_rows(parts: Path) -> dict[int, Row]:
    """Return the rows of the batches that a stopped run left, by index."""
    parts.mkdir(parents=True, exist_ok=True)
    remove_leftovers(parts)
    return {index: row for path in sorted(parts.glob("*.json")) for index, row in _read_batch(path)}


def _read_batch(path: Path) -> Iterator[tuple[int, Row]]:
    for index, row in load_json(path.read_text(encoding="utf-8")).items():
        yield int(index), row


def _write_batch(path: Path, batch: dict[int, Row]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(batch, ensure_ascii=False), encoding="utf-8")


def _columns(item: Item) -> Row:
    return {
        "item_id": item.id,
        "instruction": item.instruction,
        "input": item.input,
        "references": list(item.references),
    }
