"""The order of training: which examples make a step, and which of them pass through the model together."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import InputError
from trainer.recipe import TrainingRecipe

MicroBatch = list[int]  # indices into the table of examples


@dataclass(frozen=True)
class Batches:
    """All micro-batches of a run in order, `per_step` of them to a step; consecutive ones go to different processes.

    What a step learns depends on the seed alone, neither on the number of processes nor on the size of a micro-batch.
    """

    micro_batches: list[MicroBatch]
    per_step: int
    padding_row: int  # the index of the row from which nothing is learned

    @property
    def num_steps(self) -> int:
        return -(-len(self.micro_batches) // self.per_step)

    def steps(self) -> Iterator[list[int]]:
        """Yield the indices of the examples of each step, without padding rows."""
        for start in range(0, len(self.micro_batches), self.per_step):
            step = self.micro_batches[start : start + self.per_step]
            yield [index for micro_batch in step for index in micro_batch if index != self.padding_row]


def schedule_batches(keys: Sequence[str], lengths: np.ndarray, recipe: TrainingRecipe, num_processes: int) -> Batches:
    """Return the batches of a whole run.

    Every example is trained once an epoch, in an order that depends on its key, the seed and the epoch.

    Args:
        keys: The key of each example, in the order of the table.
        lengths: The tokens of each example, shape (len(keys) + 1,); the padding row is last.
        recipe: Gives batch sizes, packing, epochs and seed.
        num_processes: The processes that train together.

    Raises:
        InputError: A step cannot be divided evenly among the processes.
    """
    batch_size, unit = recipe["global_batch_size"], recipe["batch_unit"]
    if batch_size % num_processes:
        raise InputError(
            f"A global_batch_size of {batch_size} ({unit}) cannot be divided evenly among {num_processes} processes. "
            f"Use a number of processes that divides {batch_size}, or --set global_batch_size=N."
        )
    micro_size = _largest_divisor(batch_size // num_processes, recipe["per_device_train_batch_size"])
    padding_row = len(keys)
    epochs = list(_epoch_orders(keys, recipe["seed"], recipe["num_train_epochs"]))
    if unit == "packed":
        blocks = [
            block
            for epoch, order in enumerate(epochs)
            for block in pack(order, lengths, recipe["max_length"], recipe["seed"], epoch)
        ]
        groups = [_concatenate(blocks[at : at + micro_size]) for at in range(0, len(blocks), micro_size)]
    else:
        groups = list(_partition_steps(_concatenate(epochs), lengths, batch_size, micro_size, num_processes))
    per_step = batch_size // micro_size
    if recipe["max_steps"] is not None:
        groups = groups[: recipe["max_steps"] * per_step]
    while len(groups) % num_processes:
        groups.append([padding_row])
    return Batches(groups, per_step, padding_row)


def order_by_digest(keys: Sequence[str], *salt: object) -> list[int]:
    """Return the indices of keys in the order of the digests of salt and key."""
    prefix = "\t".join(map(str, salt)) + "\t"
    digests = [hashlib.sha256((prefix + key).encode()).digest() for key in keys]
    return sorted(range(len(keys)), key=digests.__getitem__)


def _epoch_orders(keys: Sequence[str], seed: int, epochs: float) -> Iterator[list[int]]:
    """Yield the order of each epoch; of a last epoch that is not whole, the first part."""
    for epoch in range(int(np.ceil(epochs))):
        share = min(1.0, epochs - epoch)
        order = order_by_digest(keys, "order", seed, epoch)
        yield order[: max(1, round(share * len(order)))]


def _largest_divisor(number: int, limit: int) -> int:
    """Return the largest divisor of `number` that is at most `limit`."""
    return max(size for size in range(1, min(number, limit) + 1) if number % size == 0)


def _partition_steps(
    order: Sequence[int], lengths: np.ndarray, batch_size: int, micro_size: int, num_processes: int
) -> Iterator[MicroBatch]:
    """Yield the micro-batches of each step of `batch_size` examples.

    A last step of fewer examples has as many micro-batches as it needs.
    """
    for start in range(0, len(order), batch_size):
        step = order[start : start + batch_size]
        num_bins = -(-len(step) // micro_size)
        num_bins = min(len(step), -(-num_bins // num_processes) * num_processes)
        yield from snake_partition(step, lengths, num_bins)


def snake_partition(indices: Sequence[int], lengths: np.ndarray, num_bins: int) -> list[MicroBatch]:
    """Distribute examples over bins that hold about as many tokens each, so that no process waits for another.

    Examples go to the bins longest first, in rounds of alternating direction (a snake draft).
    """
    bins: list[MicroBatch] = [[] for _ in range(num_bins)]
    for number, index in enumerate(sorted(indices, key=lambda index: (-lengths[index], index))):
        turn, position = divmod(number, num_bins)
        bins[position if turn % 2 == 0 else num_bins - 1 - position].append(index)
    return bins


def pack(order: Sequence[int], lengths: np.ndarray, max_length: int, *salt: object) -> list[MicroBatch]:
    """Pack whole examples into blocks of at most `max_length` tokens by best-fit decreasing.

    Every example is in one block. The blocks are ordered by a digest, so that the full ones do not all come first.
    """
    blocks: list[MicroBatch] = []
    by_space: dict[int, list[MicroBatch]] = {}
    spaces: list[int] = []  # the keys of `by_space`, ascending
    for index in sorted(order, key=lambda index: -lengths[index]):
        length = int(lengths[index])
        assert length <= max_length, "examples over the limit are removed before"
        at = bisect_left(spaces, length)
        space = spaces[at] if at < len(spaces) else max_length
        if at < len(spaces):
            block = by_space[space].pop()
            if not by_space[space]:
                del by_space[space], spaces[at]
        else:
            block = []
            blocks.append(block)
        block.append(index)
        left = space - length
        if left not in by_space:
            by_space[left] = []
            insort(spaces, left)
        by_space[left].append(block)
    shuffled = order_by_digest([str(block[0]) for block in blocks], "blocks", *salt)
    return [blocks[number] for number in shuffled]


def _concatenate(parts: Sequence[Sequence[int]]) -> list[int]:
    return [index for part in parts for index in part]
