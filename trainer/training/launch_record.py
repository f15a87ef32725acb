"""RecordLaunch: what really ran, read from the wrapped model before the first step and from the GPU after the last."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from corpora.errors import InputError
from trainer.training.planned_trainer import NOT_SHARDED, PlannedSFTTrainer


class RecordLaunch(TrainerCallback):
    """Calls a function with how parameters are divided and in which precision they are kept, before the first step."""

    def __init__(self, trainer: PlannedSFTTrainer, sharded: bool, record: Callable[[dict[str, Any]], None]) -> None:
        self.trainer = trainer
        self.sharded = sharded
        self.record = record

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Record what runs; InputError if the parameters are not sharded and should be."""
        launch = describe_launch(self.trainer)
        if self.sharded and launch["sharding"] != "fsdp2":
            raise InputError(NOT_SHARDED)
        self.record(launch)


def describe_launch(trainer: PlannedSFTTrainer) -> dict[str, Any]:
    """Return how the parameters are divided, and the precision of parameters, of computation and of reductions."""
    from torch.distributed.tensor import DTensor

    parameters = [parameter for parameter in trainer.model.parameters() if parameter.requires_grad]
    is_sharded = any(isinstance(parameter, DTensor) for parameter in parameters)
    kept = _name(parameters[0].dtype)
    mixed = trainer.accelerator.mixed_precision
    computed = {"bf16": "bfloat16", "fp16": "float16"}.get(mixed, kept)
    policy = getattr(getattr(trainer.accelerator.state, "fsdp_plugin", None), "mixed_precision_policy", None)
    reduced = getattr(policy, "reduce_dtype", None)
    copies = "copies" if trainer.args.world_size > 1 else "none"
    return {
        "sharding": "fsdp2" if is_sharded else copies,
        "parameter_dtype": kept,
        "compute_dtype": computed,
        "reduce_dtype": _name(reduced) if reduced is not None else kept,
    }


def gpu_names() -> list[str]:
    """Return the names of this machine's GPUs."""
    return [str(torch.cuda.get_device_name(index)) for index in range(torch.cuda.device_count())]


def peak_memory_bytes() -> int:
    """Return the most memory that this process has had: of its GPU, or of the machine if it has none."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    import resource
    import sys

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else 1024 * used


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
