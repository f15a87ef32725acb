"""The schedule of batches: every example once an epoch, equal steps on any number of processes, documents whole."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from trainer.preparation import order_by_digest, pack, schedule_batches, snake_partition
from trainer.recipe import TrainingRecipe, load_recipe, parse_changes

LENGTHS = st.lists(st.integers(2, 64), min_size=1, max_size=120)
BY_EXAMPLES = ("global_batch_size=16",)
PACKED = ("global_batch_size=8", "batch_unit=packed")


def recipe_of(*changes: str) -> TrainingRecipe:
    settings = {"max_length": 64, "num_train_epochs": 2, "per_device_train_batch_size": 4}
    return load_recipe("tiny", settings | parse_changes(changes))


def schedule(lengths: Any, recipe: TrainingRecipe, num_processes: int = 1) -> Any:
    """Return the batches of examples with these lengths; a padding row is added."""
    keys = [str(number) for number in range(len(lengths))]
    return schedule_batches(keys, np.array([*lengths, 2]), recipe, num_processes)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [BY_EXAMPLES, (*BY_EXAMPLES, "packing=false"), PACKED])
@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS)
def test_steps_are_equal_on_any_number_of_processes(changes: tuple[str, ...], lengths: list[int]) -> None:
    plans = {count: schedule(lengths, recipe_of(*changes), count) for count in (1, 2, 4, 8)}
    for count, plan in plans.items():
        assert Counter(index for step in plan.steps() for index in step) == dict.fromkeys(range(len(lengths)), 2)
        assert not len(plan.micro_batches) % count
        assert not plan.per_step % count
        assert all(plan.micro_batches)
    steps = {count: [sorted(step) for step in plan.steps()] for count, plan in plans.items()}
    assert steps[1] == steps[2] == steps[4] == steps[8]
    if changes != PACKED:
        assert all(len(step) == 16 for step in steps[1][:-1])


@settings(max_examples=100, deadline=None)
@given(lengths=LENGTHS)
def test_packing_keeps_every_example_and_leaves_no_two_blocks_that_fit_into_one(lengths: list[int]) -> None:
    blocks = pack(range(len(lengths)), np.array(lengths), 64, 0)
    assert sorted(index for block in blocks for index in block) == list(range(len(lengths)))
    filled = [sum(lengths[index] for index in block) for block in blocks]
    assert max(filled) <= 64
    assert sum(sorted(filled)[:2]) > 64 or len(filled) == 1


def test_packed_blocks_of_real_lengths_are_99_percent_full() -> None:
    lengths = np.random.default_rng(0).lognormal(4.6, 0.7, 20_000).astype(int).clip(8, 1024)
    blocks = pack(range(len(lengths)), lengths, 1024, 0)
    assert lengths.sum() / (1024 * len(blocks)) > 0.99


def test_processes_wait_less_with_the_snake_partition() -> None:
    lengths = np.random.default_rng(0).lognormal(4.6, 0.7, 640).astype(int).clip(8, 512)
    plan = schedule(lengths, recipe_of("global_batch_size=128"), 8)
    partitioned = [lengths[batch].sum() for batch in plan.micro_batches]
    random = [lengths[at : at + 4].sum() for at in range(0, 640, 4)]
    assert waiting(partitioned, 8) < 0.12 < 0.3 < waiting(random, 8)


def waiting(tokens: list[int], processes: int) -> float:
    """Return the share of time that processes wait for the one with the longest micro-batch."""
    rounds = np.array(tokens).reshape(-1, processes)
    return 1 - float(rounds.sum() / (rounds.max(1).sum() * processes))


def test_snake_partition_alternates_its_direction() -> None:
    lengths = np.array([9, 8, 7, 6, 5, 4])
    assert snake_partition(range(6), lengths, 3) == [[0, 5], [1, 4], [2, 3]]


def test_order_depends_only_on_keys_seed_and_epoch() -> None:
    keys = [str(number) for number in range(50)]
    first = order_by_digest(keys, "order", 0, 0)
    assert first == order_by_digest(keys, "order", 0, 0)
    assert first != order_by_digest(keys, "order", 1, 0) != order_by_digest(keys, "order", 0, 1)
    reversed_order = order_by_digest(keys[::-1], "order", 0, 0)
    assert [keys[::-1][index] for index in reversed_order] == [keys[index] for index in first]


def test_part_of_an_epoch_is_the_first_part_of_its_order() -> None:
    plan = schedule(np.full(40, 10), recipe_of("global_batch_size=10", "num_train_epochs=1.5"))
    assert sum(map(len, plan.steps())) == 60


def test_batch_that_processes_cannot_share_is_refused() -> None:
    with pytest.raises(InputError, match=r"global_batch_size of 16 \(examples\) cannot be divided .* 3 processes"):
        schedule([3], recipe_of(), 3)
