"""The table of tokenized examples: written once, read by every process, with counts of every row."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.progress import Progress
from corpora.strict_json import load_json
from trainer.preparation.examples import Encoder, Example, limit_length
from trainer.recipe import TrainingRecipe

IGNORE_INDEX = -100  # the label of a token that is not learned
EXAMPLES = pa.schema(
    [(name, pa.string()) for name in ("key", "lang", "task")]
    + [(name, pa.list_(pa.int32())) for name in ("input_ids", "labels")]
)
OUTCOMES = ("kept", "truncated", "dropped", "no_target")  # what the length limit does to a row
COUNTS = ("num_rows", *OUTCOMES, "boundary_merged", "num_tokens", "num_target_tokens", "max_tokens")
Counts = list[dict[str, Any]]  # one row per language and task, with the columns of COUNTS


def write_table(rows: pl.DataFrame, encoder: Encoder, recipe: TrainingRecipe, path: Path, progress: Progress) -> Counts:
    """Write the examples that fit as an Arrow stream, and the counts of all rows as JSON beside it.

    The last row of the table is a padding row from which nothing is learned. It fills the batches of processes that
    would otherwise have fewer than the others, so that no example is trained twice.

    Returns:
        The counts, a row per language and task.
    """
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    fitting = _limit_lengths(_advance(encoder.encode(rows), progress), recipe, counts)
    with atomic_path(path) as temporary, pa.ipc.new_stream(str(temporary), EXAMPLES) as writer:
        for batch in _record_batches(fitting, encoder.tokenizer.eos_token_id):
            writer.write_batch(batch)
    table = [{"lang": lang, "task": task} | row for (lang, task), row in sorted(counts.items())]
    with atomic_path(counts_path(path)) as temporary:
        temporary.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return table


def counts_path(path: Path) -> Path:
    """Return the path of the counts of a table."""
    return path.with_suffix(".json")


def read_counts(path: Path) -> Counts:
    """Return the counts of a table, as `write_table` returned them."""
    return list(load_json(counts_path(path).read_text(encoding="utf-8")))


def open_table(path: Path) -> pa.Table:
    """Return the table, mapped into memory."""
    return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()


def check_lengths(counts: Counts, recipe: TrainingRecipe) -> None:
    """Check that the rows fit the length limit as the recipe demands.

    Raises:
        InputError: A row is too long and the recipe says `on_overflow: error`, or no row is left.
    """
    limit = f"the limit of {recipe['max_length']} tokens (max_length)"
    if recipe["on_overflow"] == "error" and (long := _by_lang(counts, "dropped")):
        raise InputError(f"Rows are longer than {limit}: {long}. Raise it, or --set on_overflow=drop or truncate.")
    if not sum(row["kept"] + row["truncated"] for row in counts):
        num_rows = sum(row["num_rows"] for row in counts)
        raise InputError(f"No row is left to train on: none of {num_rows:,} rows fits {limit}. Raise it.")


def format_length_report(counts: Counts, recipe: TrainingRecipe) -> str | None:
    """Return a sentence with the rows that the length limit changed, by language, or None if there are none."""
    words = {"truncated": "truncated", "dropped": "dropped", "no_target": "dropped because no target would remain"}
    parts = [f"{rows} {word}" for outcome, word in words.items() if (rows := _by_lang(counts, outcome))]
    return f"Rows over {recipe['max_length']} tokens: {'; '.join(parts)}." if parts else None


def _advance(examples: Iterable[Example], progress: Progress) -> Iterator[Example]:
    for example in examples:
        progress.advance()
        yield example


def _by_lang(counts: Counts, outcome: str) -> str:
    totals: dict[str, int] = defaultdict(int)
    for row in counts:
        totals[row["lang"]] += row[outcome]
    return ", ".join(f"{count:,} in {lang}" for lang, count in totals.items() if count)


def _limit_lengths(
    examples: Iterable[Example], recipe: TrainingRecipe, counts: Mapping[tuple[str, str], dict[str, int]]
) -> Iterator[Example]:
    """Yield the examples that are trained, and count all of them by language and task."""
    for example in examples:
        outcome, left = limit_length(example, recipe["max_length"], recipe["on_overflow"])
        row = counts[(example.lang, example.task)]
        row["num_rows"] += 1
        row[outcome] += 1
        row["boundary_merged"] += example.boundary_merged
        row["max_tokens"] = max(row["max_tokens"], len(example.input_ids))
        if left is not None:
            row["num_tokens"] += len(left.input_ids)
            row["num_target_tokens"] += sum(end - max(begin, 1) for begin, end in left.targets())
            yield left


def _record_batches(examples: Iterable[Example], eos: int, size: int = 2_000) -> Iterator[pa.RecordBatch]:
    """Yield the examples and the padding row as batches of EXAMPLES."""
    buffer: list[dict[str, Any]] = []
    for example in examples:
        buffer.append(_to_row(example))
        if len(buffer) == size:
            yield pa.RecordBatch.from_pylist(buffer, schema=EXAMPLES)
            buffer = []
    padding_row = Example("", "", "", [eos] * 2, 2, False)
    yield pa.RecordBatch.from_pylist([*buffer, _to_row(padding_row)], schema=EXAMPLES)


def _to_row(example: Example) -> dict[str, Any]:
    ids = example.input_ids
    labels = [IGNORE_INDEX] * len(ids)
    for begin, end in example.targets():
        labels[begin:end] = ids[begin:end]
    return {"key": example.key, "lang": example.lang, "task": example.task, "input_ids": ids, "labels": labels}
