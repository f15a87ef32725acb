"""Tokens per second and model FLOP utilisation on one GPU: a Llama of about a billion random parameters in bfloat16.

    python tests/benchmarks/mfu.py [--release FOLDER] [--config CONFIG] [--steps 10]

Packed with activation checkpointing, and beside it the setting of 2023 (padded to the longest, 512 tokens). MFU is
6 N tokens/s over the peak of the device (989e12 for an H100 or H200); tokens are real ones, padding does not count.
Floor 20 %, goal 40 %. Needs a CUDA device and says so where there is none.
"""

import argparse
import sys
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter

import torch

from cards.releases import open_release
from trainer.preparation import Batches, TrainConfig, prepare
from trainer.recipe import load_recipe, parse_changes
from trainer.resources import find_device
from trainer.training import build_trainer, training_arguments

BILLION = "model_config={hidden_size: 2048, intermediate_size: 5632, num_hidden_layers: 22, num_attention_heads: 16, "
BILLION += "num_key_value_heads: 16, max_position_embeddings: 2048, tie_word_embeddings: true}"
SETTINGS = {
    "packed blocks of 2,048, 8 at once": (
        "global_batch_size=8",
        "batch_unit=packed",
        "max_length=2048",
        "per_device_train_batch_size=8",
    ),
    "packed examples, 64 at once": ("global_batch_size=64", "per_device_train_batch_size=64", "max_length=512"),
    "padded, 512, 4 at once (2023)": ("global_batch_size=16", "packing=false", "max_length=512"),
}
COMMON = (BILLION, "bf16=true", "tf32=true", "activation_checkpointing=true", "num_train_epochs=1", "on_overflow=drop")


def measure(config: TrainConfig, steps: int) -> tuple[float, int]:
    """Return tokens per second without padding over `steps` steps, after two that are not timed, and parameters."""
    state = prepare(config)
    plan = state.batches(1)
    batches = Batches(plan.micro_batches[: plan.per_step * (steps + 2)], plan.per_step, plan.padding_row)
    trainer = build_trainer(state, batches, training_arguments(config, batches, 1))
    trainer.create_optimizer_and_scheduler(steps + 2)
    trainer.model.train()
    lengths, tokens, began = state.lengths(), 0, 0.0
    loader = iter(trainer.get_train_dataloader())
    for number, indices in enumerate(batches.steps()):
        if number == 2:
            torch.cuda.synchronize()
            began = perf_counter()
        micro_batches = [trainer._prepare_inputs(next(loader)) for _ in range(plan.per_step)]
        num_targets = trainer._get_num_items_in_batch(micro_batches, trainer.args.device)
        for micro_batch in micro_batches:
            trainer.training_step(trainer.model, micro_batch, num_targets)
        trainer.optimizer.step()
        trainer.optimizer.zero_grad()
        tokens += int(lengths[indices].sum()) if number >= 2 else 0
    torch.cuda.synchronize()
    return tokens / (perf_counter() - began), state.num_parameters


def main() -> None:
    """Print a line for each setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", required=True)
    parser.add_argument("--config")
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("There is no CUDA device on this machine, so nothing is measured.")
    device = find_device(None)
    release = open_release(options.release, Path("registry"), Path("datasets.lock"))
    for name, changes in SETTINGS.items():
        recipe = load_recipe("tiny", parse_changes([*COMMON, *changes]))
        config = TrainConfig(recipe, release, Path(mkdtemp()), options.config)
        speed, parameters = measure(config, options.steps)
        share = 6 * parameters * speed / device.peak
        memory = torch.cuda.max_memory_allocated() / 1e9
        print(
            f"{name}: {speed:,.0f} tokens/s, MFU {share:.1%}, {memory:.0f} GB; {parameters:,} parameters, {device.name}"
        )
        torch.cuda.reset_peak_memory_stats()


if __name__ == "__main__":
    main()
