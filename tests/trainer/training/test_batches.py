"""The plan: every example once an epoch, the same steps on any number of processes, documents whole."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from trainer.recipe import TrainingRecipe, load_recipe
from trainer.training.batches import in_order, pack, plan_batches

LENGTHS = st.lists(st.integers(2, 64), min_size=1, max_size=120)


def recipe_of(*changes: str) -> TrainingRecipe:
    return load_recipe("tiny", ["max_length=64", "num_train_epochs=2", "per_device_train_batch_size=4", *changes])


BY_EXAMPLES = ("examples_per_step=16",)
BY_BLOCKS = ("examples_per_step=null", "blocks_per_step=8")


@pytest.mark.parametrize("changes", [BY_EXAMPLES, (*BY_EXAMPLES, "packing=false"), BY_BLOCKS])
@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS)
def test_every_example_is_trained_once_an_epoch_and_in_the_same_steps_on_any_number_of_processes(
    changes: tuple[str, ...], lengths: list[int]
) -> None:
    keys = [str(number) for number in range(len(lengths))]
    table = np.array([*lengths, 2])
    plans = {count: plan_batches(keys, table, recipe_of(*changes), count) for count in (1, 2, 4, 8)}
    for count, plan in plans.items():
        assert Counter(place for step in plan.steps() for place in step) == dict.fromkeys(range(len(keys)), 2)
        assert not len(plan.micro_batches) % count
        assert not plan.per_step % count
        assert all(plan.micro_batches)
    steps = {count: [sorted(step) for step in plan.steps()] for count, plan in plans.items()}
    assert steps[1] == steps[2] == steps[4] == steps[8]
    if changes != BY_BLOCKS:
        assert all(len(step) == 16 for step in steps[1][:-1])


@settings(max_examples=100, deadline=None)
@given(lengths=LENGTHS)
def test_packing_drops_nothing_and_leaves_no_two_blocks_that_fit_into_one(lengths: list[int]) -> None:
    blocks = pack(range(len(lengths)), np.array(lengths), 64, 0)
    assert sorted(place for block in blocks for place in block) == list(range(len(lengths)))
    filled = [sum(lengths[place] for place in block) for block in blocks]
    assert max(filled) <= 64
    assert sum(sorted(filled)[:2]) > 64 or len(filled) == 1  # no two blocks would have fitted into one


def test_packing_fills_blocks_of_real_lengths_almost_wholly() -> None:
    lengths = np.random.default_rng(0).lognormal(4.6, 0.7, 20_000).astype(int).clip(8, 1024)
    blocks = pack(range(len(lengths)), lengths, 1024, 0)
    assert lengths.sum() / (1024 * len(blocks)) > 0.99


def test_processes_hardly_wait_for_each_other() -> None:
    lengths = np.random.default_rng(0).lognormal(4.6, 0.7, 640).astype(int).clip(8, 512)
    plan = plan_batches([str(n) for n in range(640)], np.array([*lengths, 2]), recipe_of("examples_per_step=128"), 8)
    held = [lengths[batch].sum() for batch in plan.micro_batches]
    random = [lengths[at : at + 4].sum() for at in range(0, 640, 4)]
    assert waiting(held, 8) < 0.12 < 0.3 < waiting(random, 8)


def waiting(tokens: list[int], processes: int) -> float:
    """The share of time that processes wait for the one with the longest micro-batch."""
    rounds = np.array(tokens).reshape(-1, processes)
    return 1 - float(rounds.sum() / (rounds.max(1).sum() * processes))


def test_the_order_depends_on_the_seed_and_the_epoch_and_on_nothing_else() -> None:
    keys = [str(number) for number in range(50)]
    first = in_order(keys, "order", 0, 0)
    assert first == in_order(keys, "order", 0, 0)
    assert first != in_order(keys, "order", 1, 0) != in_order(keys, "order", 0, 1)
    mixed = in_order(keys[::-1], "order", 0, 0)
    assert [keys[::-1][place] for place in mixed] == [keys[place] for place in first]


def test_a_broken_epoch_takes_the_first_part_of_its_order() -> None:
    keys, table = [str(number) for number in range(40)], np.full(41, 10)
    plan = plan_batches(keys, table, recipe_of("examples_per_step=10", "num_train_epochs=1.5"), 1)
    assert sum(map(len, plan.steps())) == 60


def test_a_step_that_cannot_be_shared_evenly_is_refused() -> None:
    with pytest.raises(InputError, match="16 examples cannot be shared evenly by 3 processes"):
        plan_batches(["a"], np.array([3, 2]), recipe_of(), 3)
