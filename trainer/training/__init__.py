"""TRL's trainer for a run: its arguments, model, checkpoints, callbacks, and the finished model."""

from trainer.training.arguments import is_sharded, training_arguments
from trainer.training.build import build_trainer, silence_libraries
from trainer.training.checkpoints import (
    COMPLETE,
    check_resumable,
    last_checkpoint,
    remove_checkpoints,
    remove_incomplete,
    step_of,
)
from trainer.training.launch_record import gpu_names, peak_memory_bytes
from trainer.training.model import load_model, lora_config
from trainer.training.planned_trainer import FixedBatchSampler, PlannedSFTTrainer
from trainer.training.report_progress import ReportProgress
from trainer.training.save import check_saved, save_adapter, save_model, saved_dtype, weights_sha256
from trainer.training.step_log import PICTURE, StepLog
from trainer.training.stop_on_signal import StopOnSignal

__all__ = [
    "COMPLETE",
    "PICTURE",
    "FixedBatchSampler",
    "PlannedSFTTrainer",
    "ReportProgress",
    "StepLog",
    "StopOnSignal",
    "build_trainer",
    "check_resumable",
    "check_saved",
    "gpu_names",
    "is_sharded",
    "last_checkpoint",
    "load_model",
    "lora_config",
    "peak_memory_bytes",
    "remove_checkpoints",
    "remove_incomplete",
    "save_adapter",
    "save_model",
    "saved_dtype",
    "silence_libraries",
    "step_of",
    "training_arguments",
    "weights_sha256",
]
