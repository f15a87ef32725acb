"""The SFTConfig that a recipe means on this machine."""

import os
from typing import Any

import torch
from trl import SFTConfig

from corpora.errors import InputError, first_line
from trainer.preparation import Batches, TrainConfig
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
    try:
        return SFTConfig(
            **{key: recipe[key] for key in COPIED_KEYS},
            **({"report_to": _reporters()} | recipe.trl_settings()),
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
            activation_checkpointing=recipe["activation_checkpointing"] and not _checkpoints_activations(fsdp),
            bf16=recipe["bf16"] and gpu,
            tf32=True if recipe["tf32"] and gpu else None,
            use_cpu=not gpu and not is_sharded(config.sharding),
            logging_steps=_to_steps(recipe["logging_steps"], batches),
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
    return {} if sharding == "none" or _launched_with_fsdp() else fsdp_settings(sharding)


def _launched_with_fsdp() -> bool:
    return os.environ.get("ACCELERATE_USE_FSDP", "false") == "true"


def is_sharded(sharding: str) -> bool:
    """Return True if the parameters are sharded over the processes."""
    return sharding != "none" or _launched_with_fsdp()


def _checkpoints_activations(fsdp: dict[str, Any]) -> bool:
    by_environment = os.environ.get("FSDP_ACTIVATION_CHECKPOINTING", "false") == "true"
    return bool(fsdp.get("activation_checkpointing")) or (_launched_with_fsdp() and by_environment)


def _to_steps(value: float, batches: Batches) -> int:
    """Return a number of steps; a value below 1 is a share of all steps."""
    return max(1, round(value * batches.num_steps)) if value < 1 else int(value)


def _reporters() -> list[str]:
    from transformers.integrations import is_tensorboard_available

    return ["tensorboard"] if is_tensorboard_available() else []
