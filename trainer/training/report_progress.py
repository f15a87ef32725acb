"""ReportProgress: how far a run is, in trained tokens, with the step and the last loss."""

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from corpora.progress import Progress


class ReportProgress(TrainerCallback):
    """Advances a progress by the tokens of each step, all processes together; the main process alone reports."""

    def __init__(self, progress: Progress, tokens: Sequence[int]) -> None:
        self.progress = progress
        self.tokens = tokens  # of each step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Report the tokens of the step."""
        if state.is_world_process_zero:
            loss = next((row["loss"] for row in reversed(state.log_history) if "loss" in row), None)
            step = f"step {state.global_step:,} of {state.max_steps:,}"
            self.progress.note(step if loss is None else f"{step}, loss {loss:.3f}")
            self.progress.advance(self.tokens[state.global_step - 1])
