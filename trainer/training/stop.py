"""Stopping: a SIGTERM or Ctrl-C ends a run after the step under way, with a checkpoint, on all processes together."""

import signal
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop(TrainerCallback):
    """Notes a signal, and lets every process save and stop after the same step."""

    def __init__(self) -> None:
        self.asked = False
        self.before = {number: signal.signal(number, self._note) for number in SIGNALS}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self._agreed(args) and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False

    def _agreed(self, args: TrainingArguments) -> bool:
        """Whether any process was asked: signals reach them at different steps."""
        if args.world_size == 1:
            return self.asked
        asked = torch.tensor([int(self.asked)], device=args.device)
        torch.distributed.all_reduce(asked, op=torch.distributed.ReduceOp.MAX)
        self.asked = bool(asked.item())
        return self.asked

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for number, before in self.before.items():
            signal.signal(number, before)
