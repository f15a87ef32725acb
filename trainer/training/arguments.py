"""The arguments of TRL that a recipe means on this machine."""

import os
from typing import Any

import torch
from trl import SFTConfig

from corpora.errors import InputError
from trainer.recipe import fsdp_settings
from trainer.training.batches import Batches
from trainer.training.prepare import Request
from trainer.training.tokenizer import first_line

TAKEN = (  # as the recipe has them
    *("learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "adam_beta1", "adam_beta2"),
    *("adam_epsilon", "max_grad_norm", "optim", "loss_type", "seed", "torch_compile", "save_total_limit"),
    "per_device_eval_batch_size",
)


def training_arguments(request: Request, batches: Batches, processes: int) -> SFTConfig:
    """The arguments of TRL that a recipe means, on this machine; InputError if TRL refuses them."""
    recipe, gpu = request.recipe, torch.cuda.is_available()
    fsdp = _fsdp(request.sharding)
    try:
        return SFTConfig(
            **{key: recipe[key] for key in TAKEN},
            **({"fsdp": True, "fsdp_config": fsdp} if fsdp else {}),
            output_dir=str(request.out),
            num_train_epochs=1,  # of the plan, which holds every epoch
            per_device_train_batch_size=recipe["per_device_train_batch_size"],  # in name: the plan decides
            gradient_accumulation_steps=batches.per_step // processes,
            padding_free=recipe["packing"],
            max_length=None,  # the table holds nothing longer
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
            # FSDP's own checkpointing of activations and the trainer's exclude each other.
            activation_checkpointing=recipe["activation_checkpointing"] and not _checkpoints_activations(fsdp),
            bf16=recipe["bf16"] and gpu,
            tf32=True if recipe["tf32"] and gpu else None,
            use_cpu=not gpu and not is_sharded(request.sharding),
            logging_steps=_steps(recipe["logging_steps"], batches),
            eval_strategy="steps",
            eval_steps=_steps(recipe["eval_steps"], batches),
            save_strategy="steps",
            save_steps=_steps(recipe["save_steps"], batches),
            report_to=_reporters(),
            disable_tqdm=True,
            dataloader_pin_memory=gpu,
            average_tokens_across_devices=True,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"Recipe {recipe.name} cannot be trained so: {first_line(error)}") from None


def _fsdp(sharding: str) -> dict[str, Any]:
    """FSDP's settings, unless none was asked for or `accelerate launch` has set them in the environment."""
    return {} if sharding == "none" or _launched_with_fsdp() else fsdp_settings(sharding)


def _launched_with_fsdp() -> bool:
    return os.environ.get("ACCELERATE_USE_FSDP", "false") == "true"


def is_sharded(sharding: str) -> bool:
    return sharding != "none" or _launched_with_fsdp()


def _checkpoints_activations(fsdp: dict[str, Any]) -> bool:
    by_environment = os.environ.get("FSDP_ACTIVATION_CHECKPOINTING", "false") == "true"
    return bool(fsdp.get("activation_checkpointing")) or (_launched_with_fsdp() and by_environment)


def _steps(asked: float, batches: Batches) -> int:
    """A number of steps, or a share of all of them."""
    return max(1, round(asked * batches.num_steps)) if asked < 1 else int(asked)


def _reporters() -> list[str]:
    from transformers.integrations import is_tensorboard_available

    return ["tensorboard"] if is_tensorboard_available() else []
