"""Target tokens per second, packed against padded, on the lengths of a real release.

    python tests/benchmarks/packing.py --release FOLDER [--config CONFIG] [--steps 12] [--recipe tiny] [--set KEY=VALUE]

Target tokens are those that are learned: neither padding nor prompt. Both ways train the same examples in the same
steps. The steps of the two alternate, so that other load on the machine affects both equally.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter
from typing import Any

import torch

from cards.releases import open_release
from trainer.preparation import Batches, TrainConfig, prepare
from trainer.recipe import load_recipe, parse_changes
from trainer.training import build_trainer, training_arguments


def steps_of(config: TrainConfig, count: int) -> Iterator[tuple[int, int, Callable[[], None]]]:
    """Yield target tokens, positions of the model's input, and a function for each of `count` steps."""
    state = prepare(config)
    plan = state.batches(1)
    batches = Batches(plan.micro_batches[: plan.per_step * count], plan.per_step, plan.padding_row)
    trainer = build_trainer(state, batches, training_arguments(config, batches, 1))
    trainer.create_optimizer_and_scheduler(count)
    trainer.model.train()
    loaded = [trainer._prepare_inputs(batch) for batch in trainer.get_train_dataloader()]
    for start in range(0, len(loaded), plan.per_step):
        batch = loaded[start : start + plan.per_step]
        num_targets = trainer._get_num_items_in_batch(batch, torch.device("cpu"))

        def step(batch: list[dict[str, Any]] = batch, num_targets: torch.Tensor = num_targets) -> None:
            for micro_batch in batch:
                trainer.training_step(trainer.model, micro_batch, num_targets)
            trainer.optimizer.step()
            trainer.optimizer.zero_grad()

        yield int(num_targets), sum(micro_batch["input_ids"].numel() for micro_batch in batch), step


def main() -> None:
    """Print target tokens per second both ways, and the ratio by step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", required=True)
    parser.add_argument("--config")
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    release = open_release(options.release, Path("registry"), Path("datasets.lock"))
    ways = {}
    for way in ("padded", "packed"):
        recipe = load_recipe(options.recipe, parse_changes(options.set) | {"packing": way == "packed"})
        config = TrainConfig(recipe, release, Path(mkdtemp()), options.config)
        ways[way] = list(steps_of(config, options.steps))
    seconds: dict[str, list[float]] = {"padded": [], "packed": []}
    for pair in zip(*ways.values(), strict=True):
        for way, (_, _, step) in zip(ways, pair, strict=True):
            began = perf_counter()
            step()
            seconds[way].append(perf_counter() - began)
    for way, steps in ways.items():
        num_targets, positions = sum(step[0] for step in steps[1:]), sum(step[1] for step in steps[1:])
        speed = num_targets / sum(seconds[way][1:])
        print(f"{way}: {num_targets:,} target tokens of {positions:,} positions, {speed:,.0f} target tokens/s")
    ratios = [padded / packed for padded, packed in zip(seconds["padded"][1:], seconds["packed"][1:], strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    print(f"packed is {statistics.median(ratios):.2f} times as fast as padded (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
