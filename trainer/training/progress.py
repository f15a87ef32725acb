"""What a run shows while it trains: a bar with loss, tokens a second and the time that remains."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Progress(TrainerCallback):
    """A bar over the steps, on the main process; `tokens` are those of each step, all processes together."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens = tokens
        self.bar: Any = None
        self.seen = 0
        self.began = monotonic()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.began = monotonic()
        if state.is_world_process_zero:
            self.bar = tqdm(
                total=state.max_steps, initial=state.global_step, desc="training", unit="step", disable=None
            )

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.seen += self.tokens[state.global_step - 1]
        if self.bar is not None:
            self.bar.update(1)
            speed = self.seen / max(monotonic() - self.began, 1e-9)
            loss = next((row["loss"] for row in reversed(state.log_history) if "loss" in row), float("nan"))
            self.bar.set_postfix_str(f"loss {loss:.3f}, {speed:,.0f} tokens/s")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.bar is not None:
            self.bar.close()
