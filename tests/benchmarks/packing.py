"""Useful tokens a second, packed against padded, on the lengths of a real release.

    python tests/benchmarks/packing.py --release FOLDER [--config CONFIG] [--steps 12] [--recipe tiny] [--set KEY=VALUE]

Useful are the tokens that are learned: neither padding nor prompt. Both ways take the same examples in the same steps,
so they learn the same.
The steps of the two are interleaved, so that whatever else the machine does hits both alike.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter
from typing import Any

import torch

from trainer.recipe import load_recipe
from trainer.release import find_release
from trainer.sft import make_tuner
from trainer.training.arguments import training_arguments
from trainer.training.batches import Batches
from trainer.training.prepare import Request, prepare


def steps_of(request: Request, count: int) -> Iterator[tuple[int, int, Callable[[], None]]]:
    """For each of `count` steps: its learned tokens, the positions that go through the model, and the step itself."""
    prepared = prepare(request)
    plan = prepared.batches(1)
    batches = Batches(plan.micro_batches[: plan.per_step * count], plan.per_step, plan.filler)
    tuner = make_tuner(prepared, batches, training_arguments(request, batches, 1))
    tuner.create_optimizer_and_scheduler(count)
    tuner.model.train()
    loaded = [tuner._prepare_inputs(batch) for batch in tuner.get_train_dataloader()]
    for start in range(0, len(loaded), plan.per_step):
        batch = loaded[start : start + plan.per_step]
        learned = tuner._get_num_items_in_batch(batch, torch.device("cpu"))

        def step(batch: list[dict[str, Any]] = batch, learned: torch.Tensor = learned) -> None:
            for micro_batch in batch:
                tuner.training_step(tuner.model, micro_batch, learned)
            tuner.optimizer.step()
            tuner.optimizer.zero_grad()

        yield int(learned), sum(micro_batch["input_ids"].numel() for micro_batch in batch), step


def main() -> None:
    """Print learned tokens a second both ways, and the ratio by step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", required=True)
    parser.add_argument("--config")
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--steps", type=int, default=12)
    asked = parser.parse_args()
    release = find_release(asked.release, Path("registry"), Path("datasets.lock"))
    ways = {}
    for way in ("padded", "packed"):
        recipe = load_recipe(asked.recipe, [*asked.set, f"packing={str(way == 'packed').lower()}"])
        request = Request(recipe, release, Path(mkdtemp()), asked.config)
        ways[way] = list(steps_of(request, asked.steps))
    seconds: dict[str, list[float]] = {"padded": [], "packed": []}
    for pair in zip(*ways.values(), strict=True):
        for way, (_, _, step) in zip(ways, pair, strict=True):
            began = perf_counter()
            step()
            seconds[way].append(perf_counter() - began)
    for way, steps in ways.items():
        learned, positions = sum(step[0] for step in steps[1:]), sum(step[1] for step in steps[1:])
        speed = learned / sum(seconds[way][1:])
        print(f"{way}: {learned:,} learned tokens of {positions:,} positions, {speed:,.0f} learned tokens/s")
    ratios = [padded / packed for padded, packed in zip(seconds["padded"][1:], seconds["packed"][1:], strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    print(f"packed is {statistics.median(ratios):.2f} times as fast as padded (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
