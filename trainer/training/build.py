"""build_trainer(): TRL's trainer with the model, the tables and the callbacks of a run."""

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from accelerate.utils import DistributedType
from datasets import Dataset
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from transformers.utils import logging as transformers_logging
from trl import SFTConfig

from corpora.errors import InputError
from trainer.preparation import Batches, TrainState
from trainer.processes import is_main
from trainer.training.arguments import is_sharded
from trainer.training.checkpoints import check_disk_space, checkpoint_bytes
from trainer.training.launch_record import RecordLaunch
from trainer.training.model import load_model, lora_config
from trainer.training.planned_trainer import NOT_SHARDED, PlannedSFTTrainer


def build_trainer(
    state: TrainState,
    batches: Batches,
    arguments: SFTConfig,
    callbacks: Sequence[TrainerCallback] = (),
    record: Callable[[dict[str, Any]], None] | None = None,
) -> PlannedSFTTrainer:
    """Return TRL's trainer for a run; `record` is called with what really runs, before the first step.

    Raises:
        InputError: The model cannot be loaded or sharded, or there is no disk space for a checkpoint.
    """
    recipe, sharded = state.config.recipe, is_sharded(state.config.sharding)
    if sharded and arguments.distributed_state.distributed_type in (DistributedType.NO, DistributedType.MULTI_CPU):
        raise InputError(NOT_SHARDED)
    model = _load(state, sharded)
    trainer = PlannedSFTTrainer(
        batches=batches,
        validation=state.validation(),
        model=model,
        args=arguments,
        train_dataset=_dataset(state, "train"),
        eval_dataset=_dataset(state, "validation"),
        processing_class=state.tokenizer,
        peft_config=lora_config(recipe, model),
        callbacks=list(callbacks),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    trainer.num_trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    trainer.checkpoint_bytes = checkpoint_bytes(state.num_parameters, trainer.num_trained)
    check_disk_space(state.config.output, trainer.checkpoint_bytes + 4 * state.num_parameters)
    trainer.keys = state.keys("train")
    trainer.add_callback(RecordLaunch(trainer, sharded, record or (lambda launch: None)))
    return trainer


def silence_libraries() -> None:
    """Turn off the warnings and progress bars of transformers; the trainer reports what matters itself."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)


def _load(state: TrainState, sharded: bool) -> Any:
    """Return the model; of several processes that shard it, the first alone reads the weights.

    transformers reads them in every process, although its documentation of cpu_ram_efficient_loading says otherwise.
    """
    is_sent = sharded and os.environ.get("FSDP_CPU_RAM_EFFICIENT_LOADING", "false") == "true"
    recipe = state.config.recipe
    if sharded and recipe["load_in_4bit"]:
        raise InputError("Parameters in 4 bits cannot be sharded. Set --sharding none, or load_in_4bit to false.")
    reads_weights = is_main() or not is_sent or recipe["use_peft"]
    return load_model(recipe, state.model_config, reads_weights, recipe["load_in_4bit"])


def _dataset(state: TrainState, split: str) -> Dataset:
    """Return a table of examples as TRL takes it: input_ids and labels as arrays."""
    table = state.tables[split].select(["input_ids", "labels"])
    return Dataset(table).with_format("numpy")
