"""TRL's trainer for a run: its arguments, model, checkpoints, callbacks, and the finished model."""

from trainer.training.arguments import is_sharded, training_arguments
from trainer.training.build import build_trainer, silence_libraries
from trainer.training.checkpoints import COMPLETE, check_resumable, last_checkpoint, remove_incomplete, step_of
from trainer.training.model import load_model, lora_config
from trainer.training.planned_trainer import FixedBatchSampler, PlannedSFTTrainer
from trainer.training.report_progress import ReportProgress
from trainer.training.save import check_saved, save_adapter, save_model
from trainer.training.stop_on_signal import StopOnSignal

__all__ = [
    "COMPLETE",
    "FixedBatchSampler",
    "PlannedSFTTrainer",
    "ReportProgress",
    "StopOnSignal",
    "build_trainer",
    "check_resumable",
    "check_saved",
    "is_sharded",
    "last_checkpoint",
    "load_model",
    "lora_config",
    "remove_incomplete",
    "save_adapter",
    "save_model",
    "silence_libraries",
    "step_of",
    "training_arguments",
]
