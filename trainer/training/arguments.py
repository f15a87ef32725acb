"""The SFTConfig that a recipe means on this machine."""

import os
from typing import Any

import torch
from trl import SFTConfig

from corpora.errors import InputError, first_line
from trainer.preparation import Batches, TrainConfig
from trainer.processes import BY_ACCELERATE, NO_SHARDING
from trainer.recipe import fsdp_settings

COPIED_KEYS = (  # with the recipe's values
    *("learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "adam_beta1", "adam_beta2"),
    *("adam_epsilon", "max_grad_norm", "optim", "loss_type", "seed", "torch_compile", "save_total_limit"),
    "per_device_eval_batch_size",
)


def training_arguments(config: TrainConfig, batches: Batches, processes: int) -> SFTConfig:
    """Return TRL's configuration for a run on this machine.

    Raises:
        InputError: TRL refuses a value.
    """
    recipe, gpu = config.recipe, torch.cuda.is_available()
    fsdp = _fsdp(config.sharding)
    os.environ["ACCELERATE_MIXED_PRECISION"] = "bf16" if recipe["bf16"] and gpu else "no"  # the recipe decides
    try:
        return SFTConfig(
            **{key: recipe[key] for key in COPIED_KEYS},
            **({"report_to": [], "logging_nan_inf_filter": False, "logging_first_step": True} | recipe.trl_settings()),
            **({"fsdp": True, "fsdp_config": fsdp} if fsdp else {}),
            output_dir=str(config.output),
            num_train_epochs=1,  # the schedule of batches holds all epochs
            per_device_train_batch_size=recipe["per_device_train_batch_size"],  # not used: batches are scheduled
            gradient_accumulation_steps=batches.per_step // processes,
            padding_free=recipe["packing"],
            max_length=None,  # no row of the table is longer
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
            # FSDP's own activation checkpointing and the trainer's exclude each other.
            activation_checkpointing=recipe["activation_checkpointing"]
            and not _fsdp_checkpoints_activations(config.sharding),
            bf16=recipe["bf16"] and gpu,
            tf32=True if recipe["tf32"] and gpu else None,
            use_cpu=not gpu and not is_sharded(config.sharding),
            logging_steps=min(batches.num_steps, _to_steps(recipe["logging_steps"], batches)),
            eval_strategy="steps",
            eval_steps=_to_steps(recipe["eval_steps"], batches),
            save_strategy="steps",
            save_steps=_to_steps(recipe["save_steps"], batches),
            disable_tqdm=True,
            dataloader_pin_memory=gpu,
            average_tokens_across_devices=True,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"TRL refuses the settings of recipe {recipe.name}: {first_line(error)}") from None


def _fsdp(sharding: str) -> dict[str, Any]:
    """Return FSDP's settings; none without sharding or if `accelerate launch` has set them in the environment."""
    return {} if sharding in (NO_SHARDING, BY_ACCELERATE) else fsdp_settings(sharding)


def is_sharded(sharding: str) -> bool:
    """Return True if the parameters are to be divided among the processes."""
    return sharding != NO_SHARDING


def _fsdp_checkpoints_activations(sharding: str) -> bool:
    by_environment = os.environ.get("FSDP_ACTIVATION_CHECKPOINTING", "false") == "true"
    return by_environment if sharding == BY_ACCELERATE else bool(_fsdp(sharding).get("activation_checkpointing"))


def _to_steps(value: float, batches: Batches) -> int:
    """Return a number of steps; a value below 1 is a share of all steps."""
    return max(1, round(value * batches.num_steps)) if value < 1 else int(value)
