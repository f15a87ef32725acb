"""StopOnSignal: SIGTERM, SIGUSR1 or Ctrl-C ends a run after the current step, with a checkpoint, on all processes."""

import signal
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)  # Slurm and others warn by SIGUSR1 or SIGTERM


class StopOnSignal(TrainerCallback):
    """Records a signal within a `with` block, and lets all processes save and stop after the same step."""

    def __init__(self) -> None:
        self.received = False
        self.previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopOnSignal":
        if current_thread() is main_thread():  # others cannot receive signals
            self.previous = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Ask the trainer to save and stop if any process received a signal."""
        self.received = all_agree(args, self.received)
        if self.received and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False


def all_agree(args: TrainingArguments, received: bool) -> bool:
    """Return True on all processes if any of them received a signal: signals reach them at different steps."""
    if args.world_size == 1:
        return received
    flag = torch.tensor([int(received)], device=args.device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag.item())
