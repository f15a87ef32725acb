"""A dry run: what would be learned, token by token, and what it would take, before a weight is loaded."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import Any

import numpy as np
from tabulate import tabulate

from trainer.training.batches import Batches, in_order, pack
from trainer.training.example_table import IGNORED
from trainer.training.prepare import Prepared, Request, prepare
from trainer.training.resources import find_device, memory_bytes, seconds
from trainer.training.tokens_per_pair import write_costs

WIDTH = 110
Ahead = dict[str, Any]


def look_ahead(request: Request, processes: int, device: str | None, costs: Path | None) -> Ahead:
    """Everything that can be said of a run without its weights; InputError as the run itself would raise it."""
    with TemporaryDirectory() as folder:
        prepared = prepare(replace(request, out=Path(folder)))
        batches = prepared.batches(processes)
        if costs:
            write_costs(prepared.accounts["train"], costs)
        return {
            "release": request.release.said() | {"config": prepared.config, "langs": list(prepared.langs)},
            "recipe": {"name": request.recipe.name, "settings": dict(request.recipe.settings)},
            "examples": [{"split": split} | row for split, found in prepared.accounts.items() for row in found],
            "padding": padding(prepared),
            "plan": _plan(prepared, batches, processes),
            "estimate": _estimate(prepared, batches, processes, device),
            "shown": [_show(prepared, place) for place in _first_of_each_task(prepared)],
        }


def padding(prepared: Prepared) -> dict[str, float]:
    """The share of what goes through the model that is padding: batches padded to their longest, and packed.

    Packed micro-batches are one row of whole examples, so there is none. `unfilled` is what packed blocks of
    max_length leave free, for a recipe that counts its steps in blocks.
    """
    recipe, lengths = prepared.request.recipe, prepared.lengths()
    order = in_order(prepared.keys("train"), "order", recipe["seed"], 0)
    size = recipe["per_device_train_batch_size"]
    held = sum(
        len(batch) * int(lengths[batch].max()) for batch in (order[at : at + size] for at in range(0, len(order), size))
    )
    found = {"padded": 1 - int(lengths[:-1].sum()) / held, "packed": 0.0}
    if recipe["blocks_per_step"]:
        blocks = pack(order, lengths, recipe["max_length"])
        found["unfilled"] = 1 - int(lengths[:-1].sum()) / (len(blocks) * recipe["max_length"])
    return found


def _plan(prepared: Prepared, batches: Batches, processes: int) -> dict[str, Any]:
    lengths = prepared.lengths()
    at_once = [_width(micro_batch, lengths, prepared) for micro_batch in batches.micro_batches]
    return {
        "processes": processes,
        "steps": batches.num_steps,
        "epochs": prepared.request.recipe["num_train_epochs"],
        "tokens": int(sum(lengths[step].sum() for step in batches.steps())),
        "micro_batches_per_step": batches.per_step,
        "most_tokens_at_once": max(at_once),
    }


def _width(micro_batch: Sequence[int], lengths: np.ndarray, prepared: Prepared) -> int:
    """The positions that a micro-batch fills, padding included."""
    if prepared.request.recipe["packing"]:
        return int(lengths[list(micro_batch)].sum())
    return len(micro_batch) * int(lengths[list(micro_batch)].max())


def _estimate(prepared: Prepared, batches: Batches, processes: int, device: str | None) -> dict[str, Any]:
    recipe, plan = prepared.request.recipe, _plan(prepared, batches, processes)
    found = find_device(device)
    checkpointed = recipe["activation_checkpointing"] or prepared.request.sharding != "none"
    num = prepared.num_parameters
    return {
        "device": found.name,
        "parameters": num,
        "memory_bytes": memory_bytes(
            prepared.model_config, num, recipe, plan["most_tokens_at_once"], _shards(prepared, processes), checkpointed
        ),
        "device_bytes": found.memory,
        "seconds": seconds(num, plan["tokens"], found, processes, checkpointed),
        "share_of_peak": found.share,
    }


def _shards(prepared: Prepared, processes: int) -> int:
    return processes if prepared.request.sharding != "none" else 1


def _first_of_each_task(prepared: Prepared) -> list[int]:
    """The place of a short example of every task in every language."""
    table, lengths = prepared.tables["train"], prepared.lengths()
    kinds = list(zip(table["task"].to_pylist()[:-1], table["lang"].to_pylist()[:-1], strict=True))
    shortest: dict[str, int] = {}
    for place, (task, lang) in enumerate(kinds):
        best = shortest.get(task)
        if best is None or (lang != "en", -lengths[place]) > (kinds[best][1] != "en", -lengths[best]):
            shortest[task] = place
    return sorted(shortest.values())


def _show(prepared: Prepared, place: int) -> dict[str, Any]:
    """One example token by token: its id, the text that the token stands for, and whether it is learned."""
    row = prepared.tables["train"].slice(place, 1).to_pylist()[0]
    decoded = [prepared.tokenizer.decode([token]) for token in row["input_ids"]]
    tokens_and_text = zip(row["input_ids"], decoded, strict=True)
    pieces = [f"<{token}>" if "\ufffd" in text else text for token, text in tokens_and_text]  # a part of a letter
    tokens = [
        {"id": token, "text": piece, "learned": label != IGNORED}
        for token, piece, label in zip(row["input_ids"], pieces, row["labels"], strict=True)
    ]
    return {"lang": row["lang"], "task": row["task"], "tokens": tokens}


def dry_run_json(ahead: Ahead) -> str:
    """All of it for a machine."""
    return json.dumps(ahead, indent=2, ensure_ascii=False)


def dry_run_text(ahead: Ahead) -> str:
    """Tables and sentences."""
    release, plan, padded = ahead["release"], ahead["plan"], ahead["padding"]
    full = (
        f"; blocks of {ahead['recipe']['settings']['max_length']} tokens are {1 - padded.get('unfilled', 0):.1%} full"
    )
    lines = [
        f"{ahead['recipe']['name']} on {release['name']}@{release['version']}, config {release['config']}",
        "",
        tabulate([_row(row) for row in ahead["examples"]], headers="keys", intfmt=",", floatfmt=".1f"),
        "",
        f"padding   {padded['padded']:.1%} of what the model reads, were batches padded; none when packed"
        + (full if "unfilled" in padded else ""),
        f"training  {plan['steps']:,} steps over {plan['epochs']:g} epochs, {plan['tokens']:,} tokens, at most "
        f"{plan['most_tokens_at_once']:,} at once in each of {plan['processes']} processes",
        _estimate_text(ahead["estimate"]),
        *[line for shown in ahead["shown"] for line in _shown_lines(shown)],
    ]
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    trained = row["kept"] + row["cut"]
    columns = ("split", "lang", "task", "rows", "too_long", "cut", "emptied", "merged", "tokens", "learned")
    means = {"tokens a row": row["tokens"] / trained if trained else 0.0, "longest": row["longest"]}
    return {name: row[name] for name in columns} | means


def _estimate_text(found: dict[str, Any]) -> str:
    room = f" of {found['device_bytes'] / 1e9:,.0f}" if found["device_bytes"] else ""
    return (
        f"estimate  {found['parameters']:,} parameters on {found['device']}: about {found['memory_bytes'] / 1e9:,.1f}"
        f"{room} GB a process and {_duration(found['seconds'])}, at {found['share_of_peak']:.0%} of the peak speed"
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _shown_lines(shown: dict[str, Any]) -> list[str]:
    """An example with its tokens between bars, those that are learned in brackets."""
    marked = []
    for token in shown["tokens"]:
        text = token["text"].replace("\n", "↵").replace(" ", "·")
        marked.append(f"[{text}]" if token["learned"] else f"|{text}")
    head = f"{shown['task']}, {shown['lang']}: {len(marked)} tokens, those in [brackets] are learned"
    return ["", head, *[f"  {line}" for line in wrap("".join(marked), WIDTH, break_on_hyphens=False)]]
