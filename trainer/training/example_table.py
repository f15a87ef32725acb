"""The table of examples that a run learns from: written once, read by every process, with an account of every row."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora.errors import InputError
from corpora.files import atomic_path
from trainer.recipe import TrainingRecipe
from trainer.training.examples import Encoder, Example, fit

IGNORED = -100  # the label of a token that is not learned
EXAMPLES = pa.schema(
    [(name, pa.string()) for name in ("key", "lang", "task")]
    + [(name, pa.list_(pa.int32())) for name in ("input_ids", "labels")]
)
VERDICTS = ("kept", "cut", "too_long", "emptied")
Counts = list[dict[str, Any]]


def write_table(rows: Any, encoder: Encoder, recipe: TrainingRecipe, path: Path) -> Counts:
    """Write the examples that fit as an Arrow stream and their account beside it; the account.

    The last row of the table is a filler from which nothing is learned: where the examples do not divide among the
    processes, it stands in, so that no example is trained twice.
    """
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    fitted = _fitted(encoder.encode(rows), recipe, counts)
    with atomic_path(path) as temporary, pa.ipc.new_stream(str(temporary), EXAMPLES) as writer:
        for batch in _batches(fitted, encoder.tokenizer.eos_token_id):
            writer.write_batch(batch)
    account = [{"lang": lang, "task": task} | dict(found) for (lang, task), found in sorted(counts.items())]
    with atomic_path(account_of(path)) as temporary:
        temporary.write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")
    return account


def account_of(path: Path) -> Path:
    """Where the account of a table stands."""
    return path.with_suffix(".json")


def read_account(path: Path) -> Counts:
    """The account of a table, as `write_table` returned it."""
    return list(json.loads(account_of(path).read_text(encoding="utf-8")))


def open_table(path: Path) -> pa.Table:
    """The table, mapped into memory rather than read."""
    return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()


def check_lengths(account: Counts, recipe: TrainingRecipe) -> None:
    """InputError if rows are too long and the recipe says to stop, or if no row is left to learn from."""
    limit = f"the limit of {recipe['max_length']} tokens (max_length)"
    if long := {row["lang"]: row["too_long"] for row in account if row["too_long"]}:
        told = ", ".join(f"{count:,} in {lang}" for lang, count in long.items())
        if recipe["too_long"] == "stop":
            raise InputError(f"Rows are longer than {limit}: {told}. Raise it, or --set too_long=drop or cut.")
    if not sum(row["kept"] + row["cut"] for row in account):
        given = sum(row["rows"] for row in account)
        raise InputError(f"Nothing is left to learn from: of {given:,} rows none fits {limit}. Raise it.")


def lengths_said(account: Counts, recipe: TrainingRecipe) -> str | None:
    """What the length limit did to the rows, by language, in a sentence; None if nothing."""
    words = {"cut": "cut", "too_long": "left out", "emptied": "left out, since nothing to learn would remain"}
    told = []
    for verdict, word in words.items():
        found: dict[str, int] = defaultdict(int)
        for row in account:
            found[row["lang"]] += row[verdict]
        if counts := ", ".join(f"{count:,} in {lang}" for lang, count in found.items() if count):
            told.append(f"{counts} {word}")
    return f"Rows over {recipe['max_length']} tokens: {'; '.join(told)}." if told else None


def _fitted(
    examples: Iterable[Example], recipe: TrainingRecipe, counts: Mapping[tuple[str, str], dict[str, int]]
) -> Iterator[Example]:
    """The examples that are trained; every one is counted, by language and task."""
    for example in examples:
        verdict, left = fit(example, recipe["max_length"], recipe["too_long"])
        found = counts[(example.lang, example.task)]
        for name in ("rows", *VERDICTS, "merged", "tokens", "learned", "longest"):
            found.setdefault(name, 0)
        found["rows"] += 1
        found[verdict] += 1
        found["merged"] += example.merged
        found["longest"] = max(found["longest"], len(example.input_ids))
        if left is not None:
            found["tokens"] += len(left.input_ids)
            found["learned"] += len(left.input_ids) - max(left.num_prompt, 1)
            yield left


def _batches(examples: Iterable[Example], end_token: int, size: int = 2_000) -> Iterator[pa.RecordBatch]:
    """The examples and the filler as batches of EXAMPLES."""
    held: list[dict[str, Any]] = []
    for example in examples:
        held.append(_row(example))
        if len(held) == size:
            yield pa.RecordBatch.from_pylist(held, schema=EXAMPLES)
            held = []
    filler = Example("", "", "", [end_token] * 2, 2, False)
    yield pa.RecordBatch.from_pylist([*held, _row(filler)], schema=EXAMPLES)


def _row(example: Example) -> dict[str, Any]:
    ids, num_prompt = example.input_ids, example.num_prompt
    labels = [IGNORED] * num_prompt + ids[num_prompt:]
    return {"key": example.key, "lang": example.lang, "task": example.task, "input_ids": ids, "labels": labels}
