"""Outputs: what a model said of each item, in Parquet; made batch by batch, so that a kill costs one batch."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.files import atomic_path, remove_leftovers
from trainer.evaluation.items import Item

Row = dict[str, Any]
Make = Callable[[Sequence[Item]], Iterable[list[Row]]]
KEY = b"key"


def outputs(
    path: Path, key: dict[str, Any], items: Sequence[Item], make: Make, tell: Callable[[int], object]
) -> pl.DataFrame:
    """The outputs of items as a table in their order: read where they are there, made where not, and kept.

    `key` is what they depend on and stands in the file; `make` yields batches of rows with the `place` of their item
    among those it is given; `tell` hears how many are there.
    """
    if path.exists():
        tell(len(items))
        return read_outputs(path, key)
    parts = path.with_suffix(".parts")
    done = _done(parts)
    tell(len(done))
    left = [place for place in range(len(items)) if place not in done]
    for number, rows in enumerate(
        make([items[place] for place in left]) if left else (), len(list(parts.glob("*.json")))
    ):
        batch = {left[row["place"]]: {k: v for k, v in row.items() if k != "place"} for row in rows}
        _write(parts / f"{number:06}.json", batch)
        done |= batch
        tell(len(batch))
    table = pl.DataFrame([_asked(item) | done[place] for place, item in enumerate(items)], infer_schema_length=None)
    with atomic_path(path) as temporary:
        arrow = table.to_arrow()
        text = json.dumps(key, ensure_ascii=False, sort_keys=True)
        pq.write_table(arrow.replace_schema_metadata({KEY: text.encode()}), temporary, compression="zstd")
    shutil.rmtree(parts, ignore_errors=True)
    return table


def read_outputs(path: Path, key: dict[str, Any] | None = None) -> pl.DataFrame:
    """The outputs in a file; InputError if it is damaged or holds others than its name says."""
    try:
        found = json.loads(pq.read_schema(path).metadata[KEY])
        table = pl.read_parquet(path, glob=False)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} is damaged ({str(error).splitlines()[0]}). Remove it; it is made again.") from None
    if key is not None and found != json.loads(json.dumps(key)):
        raise InputError(f"{path} holds the outputs of something else. Remove it; it is made again.")
    return table


def read_key(path: Path) -> dict[str, Any]:
    """What the outputs in a file depend on."""
    read_outputs(path)
    return dict(json.loads(pq.read_schema(path).metadata[KEY]))


def _done(parts: Path) -> dict[int, Row]:
    """The rows of the batches that a stopped run left."""
    parts.mkdir(parents=True, exist_ok=True)
    remove_leftovers(parts)
    return {place: row for path in sorted(parts.glob("*.json")) for place, row in _read(path)}


def _read(path: Path) -> Iterator[tuple[int, Row]]:
    for place, row in json.loads(path.read_text(encoding="utf-8")).items():
        yield int(place), row


def _write(path: Path, batch: dict[int, Row]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(batch, ensure_ascii=False), encoding="utf-8")


def _asked(item: Item) -> Row:
    """An item as columns of a table."""
    return {"item": item.id, "instruction": item.instruction, "input": item.input, "references": list(item.references)}
