"""The order of training: which examples make a step, and which of them go through the model together."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import InputError
from trainer.recipe import TrainingRecipe

MicroBatch = list[int]  # places in the table of examples


@dataclass(frozen=True)
class Batches:
    """Every micro-batch of a run in order, `per_step` of them to a step; consecutive ones go to different processes.

    What a step learns depends on the seed alone: neither on the number of processes nor on the size of a micro-batch.
    """

    micro_batches: list[MicroBatch]
    per_step: int
    filler: int  # the place of the row from which nothing is learned

    @property
    def num_steps(self) -> int:
        return -(-len(self.micro_batches) // self.per_step)

    def steps(self) -> Iterator[list[int]]:
        """The examples of each step, without fillers."""
        for start in range(0, len(self.micro_batches), self.per_step):
            step = self.micro_batches[start : start + self.per_step]
            yield [place for micro_batch in step for place in micro_batch if place != self.filler]


def plan_batches(keys: Sequence[str], lengths: np.ndarray, recipe: TrainingRecipe, num_processes: int) -> Batches:
    """The batches of a whole run over examples with these keys and lengths in tokens, in the table's order.

    Every example is trained once an epoch, in an order that its key, the seed and the epoch decide. InputError if a
    step cannot be shared evenly by the processes.
    """
    at_once = recipe["per_device_train_batch_size"]
    counted = recipe["examples_per_step"] or recipe["blocks_per_step"]
    if counted % num_processes or counted < num_processes:
        unit = "examples" if recipe["examples_per_step"] else "blocks"
        raise InputError(
            f"A step of {counted} {unit} cannot be shared evenly by {num_processes} processes; "
            f"take a number of processes that divides {counted}, or --set {unit}_per_step=N."
        )
    at_once = _largest_divisor(counted // num_processes, at_once)
    per_step = counted // at_once
    filler = len(keys)
    order = list(_epochs(keys, recipe["seed"], recipe["num_train_epochs"]))
    if recipe["blocks_per_step"]:
        packed = [
            pack(epoch, lengths, recipe["max_length"], recipe["seed"], number) for number, epoch in enumerate(order)
        ]
        blocks = [block for epoch in packed for block in epoch]
        groups = [_together(blocks[at : at + at_once]) for at in range(0, len(blocks), at_once)]
    else:
        groups = list(_dealt([place for epoch in order for place in epoch], lengths, counted, at_once, num_processes))
    while len(groups) % num_processes:
        groups.append([filler])
    return Batches(groups, per_step, filler)


def in_order(keys: Sequence[str], *salt: object) -> list[int]:
    """The places of some keys in the order of the digests of salt and key."""
    prefix = "\t".join(map(str, salt)) + "\t"
    digests = [hashlib.sha256((prefix + key).encode()).digest() for key in keys]
    return sorted(range(len(keys)), key=digests.__getitem__)


def _epochs(keys: Sequence[str], seed: int, epochs: float) -> Iterator[list[int]]:
    """The order of each epoch; of a broken last one, its first part."""
    for epoch in range(int(np.ceil(epochs))):
        share = min(1.0, epochs - epoch)
        order = in_order(keys, "order", seed, epoch)
        yield order[: max(1, round(share * len(order)))]


def _largest_divisor(number: int, most: int) -> int:
    """The largest divisor of `number` that is at most `most`."""
    return max(size for size in range(1, min(number, most) + 1) if number % size == 0)


def _dealt(
    order: Sequence[int], lengths: np.ndarray, per_step: int, at_once: int, num_processes: int
) -> Iterator[MicroBatch]:
    """The micro-batches of each step of `per_step` examples.

    The examples of a step are dealt out by length, to and fro, so that its micro-batches hold about as many tokens
    each and no process waits for another. A last step of fewer examples has as many micro-batches as it needs.
    """
    for start in range(0, len(order), per_step):
        step = sorted(order[start : start + per_step], key=lambda place: (-lengths[place], place))
        hands = -(-len(step) // at_once)
        hands = min(len(step), -(-hands // num_processes) * num_processes)
        dealt: list[MicroBatch] = [[] for _ in range(hands)]
        for turn, place in enumerate(step):
            lap, seat = divmod(turn, hands)
            dealt[seat if lap % 2 == 0 else hands - 1 - seat].append(place)
        yield from dealt


def pack(order: Sequence[int], lengths: np.ndarray, max_length: int, *salt: object) -> list[MicroBatch]:
    """Blocks of at most `max_length` tokens that hold every example once, whole: best fit, longest first.

    Blocks come in the order of a digest, so that the full ones do not all come first.
    """
    blocks: list[MicroBatch] = []
    room: dict[int, list[MicroBatch]] = {}
    spaces: list[int] = []  # the keys of `room`, ascending
    for place in sorted(order, key=lambda place: -lengths[place]):
        length = int(lengths[place])
        assert length <= max_length, "what does not fit was taken out before"
        at = bisect_left(spaces, length)
        space = spaces[at] if at < len(spaces) else max_length
        if at < len(spaces):
            block = room[space].pop()
            if not room[space]:
                del room[space], spaces[at]
        else:
            block = []
            blocks.append(block)
        block.append(place)
        left = space - length
        if left not in room:
            room[left] = []
            insort(spaces, left)
        room[left].append(block)
    shuffled = in_order([str(block[0]) for block in blocks], "blocks", *salt)
    return [blocks[number] for number in shuffled]


def _together(blocks: Sequence[MicroBatch]) -> MicroBatch:
    return [place for block in blocks for place in block]
