"""StepLog: a line for each logged step in the log, a row in losses.jsonl, and the picture of the losses."""

import logging
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from cards.plots import draw_losses
from corpora.messages import PROGRESS
from corpora.progress import duration, format_bytes
from trainer.losses import LOSSES, append_loss, keep_losses, read_losses_file
from trainer.run import finite
from trainer.training.launch_record import peak_memory_bytes

logger = logging.getLogger(PROGRESS)
PICTURE = "losses.png"


class StepLog(TrainerCallback):
    """Reports the steps that transformers logs, and the last one; the main process alone writes."""

    def __init__(self, run: Path, title: str, tokens: Sequence[int], flops_per_token: float, peak_flops: float) -> None:
        self.run = run
        self.title = title
        self.tokens = tokens  # of each step
        self.flops_per_token = flops_per_token
        self.peak_flops = peak_flops  # of all processes together; 0 if the GPU is not known
        self.began = self.step_began = 0.0
        self.first_step = 0
        self.tokens_since = 0
        self.seconds_since = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kw: Any) -> None:
        """Remove the rows of steps that are trained again, and take the intervals of this start of the command."""
        # transformers takes them from the checkpoint, so that a change would be ignored
        state.logging_steps, state.eval_steps, state.save_steps = args.logging_steps, args.eval_steps, args.save_steps
        self.began, self.first_step = monotonic(), state.global_step
        if state.is_world_process_zero:
            keep_losses(self.run / LOSSES, state.global_step)

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kw: Any) -> None:
        """Start the clock."""
        self.step_began = monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kw: Any) -> None:
        """Count the step, and log the last one in any case."""
        self.seconds_since += monotonic() - self.step_began
        self.tokens_since += self.tokens[state.global_step - 1]
        if state.global_step >= state.max_steps:
            control.should_log = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kw: Any) -> None:
        """Write the line and the row of a logged step."""
        logs = kw.get("logs") or {}
        if "loss" not in logs or not state.is_world_process_zero:
            return
        row = self._row(state, logs)
        append_loss(self.run / LOSSES, row)
        logger.info(format_step(row, state.max_steps))
        self.tokens_since, self.seconds_since = 0, 0.0

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kw: Any) -> None:
        """Draw the losses so far."""
        if state.is_world_process_zero:
            draw_losses(read_losses_file(self.run / LOSSES), self.title, self.run / PICTURE)

    def _row(self, state: TrainerState, logs: dict[str, Any]) -> dict[str, Any]:
        rate = self.tokens_since / self.seconds_since if self.seconds_since else 0.0
        done = sum(self.tokens[self.first_step : state.global_step])
        left = sum(self.tokens[state.global_step :])
        elapsed = monotonic() - self.began
        return {
            "step": state.global_step,
            **{key: finite(logs[key]) for key in ("loss", "learning_rate", "grad_norm") if key in logs},
            "num_tokens": sum(self.tokens[: state.global_step]),
            "tokens_per_second": round(rate, 1),
            "mfu": round(rate * self.flops_per_token / self.peak_flops, 4) if self.peak_flops else None,
            "memory_bytes": peak_memory_bytes(),
            "seconds": round(elapsed, 3),
            "seconds_left": round(left * elapsed / done, 1) if done else None,
        }


def format_step(row: dict[str, Any], max_steps: int) -> str:
    """Return the line of a logged step."""
    parts = [
        f"loss {row['loss']:.4g}",
        f"learning rate {row['learning_rate']:.2e}" if "learning_rate" in row else "",
        f"gradient norm {row['grad_norm']:.3g}" if row.get("grad_norm") is not None else "",
        f"{row['tokens_per_second']:,.0f} tokens/s",
        f"MFU {row['mfu']:.1%}" if row["mfu"] is not None else "",
        f"{format_bytes(row['memory_bytes'])} memory",
        f"{duration(row['seconds_left'])} left" if row["seconds_left"] else "",
    ]
    return f"step {row['step']:,} of {max_steps:,}: {', '.join(filter(None, parts))}"
