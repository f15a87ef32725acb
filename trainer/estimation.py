"""estimate_run(): what a run would train on, token by token, and what it would need, before weights are loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from trainer.format import estimate_html, estimate_text
from trainer.preparation import (
    IGNORE_INDEX,
    Batches,
    TrainConfig,
    TrainState,
    order_by_digest,
    pack,
    prepare,
    write_tokens_per_pair,
)
from trainer.resources import Device, devices, estimate_memory, estimate_seconds, find_device, processes_that_fit


@dataclass(frozen=True, repr=False)
class Estimate:
    """What a run would train on and need; `print` shows it as text, a notebook as tables."""

    release: dict[str, Any]
    """Name, version, digest, config and languages."""
    recipe: dict[str, Any]
    """Name and settings."""
    example_counts: list[dict[str, Any]]
    """Rows and tokens by split, language and task."""
    padding: dict[str, float]
    """Shares of padding: of padded batches, of packed ones, and the unfilled part of packed blocks."""
    schedule: dict[str, Any]
    """Processes, steps, epochs, tokens, and the most tokens of a micro-batch."""
    resources: dict[str, Any]
    """Device, parameters, bytes of memory, seconds."""
    samples: list[dict[str, Any]]
    """A short example of every task, token by token."""

    def __repr__(self) -> str:
        return estimate_text(vars(self))

    def _repr_html_(self) -> str:
        return estimate_html(vars(self))


def estimate_run(
    config: TrainConfig,
    processes: int = 1,
    device: str | None = None,
    prices: Mapping[str, float] | None = None,
    tokens_per_pair: Path | None = None,
) -> Estimate:
    """Return what a run would train on and need.

    Args:
        config: The run; nothing is written to its folder.
        processes: The processes that would train together.
        device: A name of DEVICES or `cpu`; by default the device of this machine.
        prices: The price of an hour by name of a device.
        tokens_per_pair: A CSV file to write with the tokens of a translation by language.

    Raises:
        InputError: The run cannot be trained as configured.
    """
    with TemporaryDirectory() as folder:
        state = prepare(replace(config, output=Path(folder)))
        batches = state.batches(processes)
        if tokens_per_pair:
            write_tokens_per_pair(state.counts["train"], tokens_per_pair)
        schedule = _schedule(state, batches, processes)
        return Estimate(
            release=config.release.describe() | {"config": state.config_name, "langs": list(state.langs)},
            recipe={"name": config.recipe.name, "settings": dict(config.recipe.settings)},
            example_counts=[{"split": split} | row for split, rows in state.counts.items() for row in rows],
            padding=padding_shares(state),
            schedule=schedule,
            resources=_resources(state, schedule, device, prices or {}),
            samples=[_sample(state, index) for index in _shortest_of_each_task(state)],
        )


def padding_shares(state: TrainState) -> dict[str, float]:
    """Return the shares of a model's input that are padding, if batches are padded and if they are packed.

    A packed micro-batch is one row of whole examples, so it has no padding. `unfilled` is the free part of packed
    blocks of max_length, for recipes with batch_unit: packed.
    """
    recipe, lengths = state.config.recipe, state.lengths()
    order = order_by_digest(state.keys("train"), "order", recipe["seed"], 0)
    size = recipe["per_device_train_batch_size"]
    batches = (order[at : at + size] for at in range(0, len(order), size))
    num_positions = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    shares = {"padded": 1 - int(lengths[:-1].sum()) / num_positions, "packed": 0.0}
    if recipe["batch_unit"] == "packed":
        blocks = pack(order, lengths, recipe["max_length"])
        shares["unfilled"] = 1 - int(lengths[:-1].sum()) / (len(blocks) * recipe["max_length"])
    return shares


def _schedule(state: TrainState, batches: Batches, processes: int) -> dict[str, Any]:
    lengths = state.lengths()
    return {
        "processes": processes,
        "num_steps": batches.num_steps,
        "num_train_epochs": state.config.recipe["num_train_epochs"],
        "num_tokens": int(sum(lengths[step].sum() for step in batches.steps())),
        "micro_batches_per_step": batches.per_step,
        "max_tokens_at_once": max(_num_positions(batch, lengths, state) for batch in batches.micro_batches),
    }


def _num_positions(micro_batch: Sequence[int], lengths: np.ndarray, state: TrainState) -> int:
    """Return the positions of a micro-batch, padding included."""
    if state.config.recipe["packing"]:
        return int(lengths[list(micro_batch)].sum())
    return len(micro_batch) * int(lengths[list(micro_batch)].max())


def _resources(
    state: TrainState, schedule: dict[str, Any], device_name: str | None, prices: Mapping[str, float]
) -> dict[str, Any]:
    device, processes = find_device(device_name), schedule["processes"]
    shards = processes if state.config.sharding != "none" else 1
    memory = _memory(state, schedule)
    return {
        "device": device.name,
        "num_parameters": state.num_parameters,
        "memory_bytes": memory(shards),
        "device_bytes": 1e9 * device.memory,
        "processes_that_fit": processes_that_fit(memory, device),
        "seconds": _seconds(state, schedule, device, processes, shards > 1),
        "share_of_peak": device.share,
        "devices": [_device_row(state, schedule, row, prices.get(name)) for name, row in devices().items()],
    }


def _memory(state: TrainState, schedule: dict[str, Any]) -> Callable[[int], float]:
    """Return the memory of a process as a function of how many share the parameters."""
    recipe, tokens = state.config.recipe, schedule["max_tokens_at_once"]

    def memory(shards: int) -> float:
        checkpointed = recipe["activation_checkpointing"] or shards > 1
        return estimate_memory(state.model_config, state.num_parameters, recipe, tokens, shards, checkpointed)

    return memory


def _seconds(state: TrainState, schedule: dict[str, Any], device: Device, processes: int, sharded: bool) -> float:
    checkpointed = state.config.recipe["activation_checkpointing"] or sharded
    return estimate_seconds(state.num_parameters, schedule["num_tokens"], device, processes, checkpointed)


def _device_row(state: TrainState, schedule: dict[str, Any], device: Device, price: float | None) -> dict[str, Any]:
    """Return how many of a device the run needs, its time on them, and what that costs."""
    memory = _memory(state, schedule)
    count = processes_that_fit(memory, device)
    if count is None:
        return {"device": device.name, "memory": device.memory, "processes": None, "bytes": None, "hours": None}
    hours = _seconds(state, schedule, device, count, count > 1) / 3600
    row = {"device": device.name, "memory": device.memory, "processes": count, "bytes": memory(count), "hours": hours}
    cost = None if price is None else price * hours * count
    return row | {"device_hours": hours * count, "cost": cost}


def _shortest_of_each_task(state: TrainState) -> list[int]:
    """Return the index of a short example of every task, in another language than English if there is one."""
    table, lengths = state.tables["train"], state.lengths()
    kinds = list(zip(table["task"].to_pylist()[:-1], table["lang"].to_pylist()[:-1], strict=True))
    shortest: dict[str, int] = {}
    for index, (task, lang) in enumerate(kinds):
        best = shortest.get(task)
        if best is None or (lang != "en", -lengths[index]) > (kinds[best][1] != "en", -lengths[best]):
            shortest[task] = index
    return sorted(shortest.values())


def _sample(state: TrainState, index: int) -> dict[str, Any]:
    """Return one example token by token: its id, its text, and whether it is learned."""
    row = state.tables["train"].slice(index, 1).to_pylist()[0]
    decoded = [state.tokenizer.decode([token]) for token in row["input_ids"]]
    texts = [  # a token may be a part of a character
        f"<{token}>" if "\ufffd" in text else text for token, text in zip(row["input_ids"], decoded, strict=True)
    ]
    tokens = [
        {"id": token, "text": text, "is_target": label != IGNORE_INDEX}
        for token, text, label in zip(row["input_ids"], texts, row["labels"], strict=True)
    ]
    return {"lang": row["lang"], "task": row["task"], "tokens": tokens}
