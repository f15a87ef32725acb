"""Checks that a run's numbers are finite, and the sentence that ends it where they are not."""

import math
from collections.abc import Sequence

MAX_ROWS = 8  # that the sentence lists
ADVICE = (
    "Try a lower learning_rate, more warmup_steps, a smaller max_grad_norm or bf16=false with another --output, "
    "or look at these rows"
)


def is_finite(*numbers: float) -> bool:
    """Return True if no number is infinite or NaN."""
    return all(math.isfinite(number) for number in numbers)


def divergence(what: str, value: float, step: int, keys: Sequence[str], checkpoint: str | None) -> str:
    """Return the sentence that ends a run.

    Args:
        what: The number that is not finite.
        value: Its value.
        step: The step in which it was computed, counted from 1.
        keys: The keys of the rows of that batch, with tabs between their parts.
        checkpoint: The last checkpoint, which is from before.
    """
    listed = ", ".join(" ".join(key.split("\t")).strip() for key in keys[:MAX_ROWS])
    more = f" and {len(keys) - MAX_ROWS:,} more" if len(keys) > MAX_ROWS else ""
    left = f"{checkpoint} is from before" if checkpoint else "no checkpoint had been saved"
    return (
        f"The {what} of step {step:,} is {value}, so training would only spread it; the run ended, and {left}. "
        f"{ADVICE}: {listed}{more}."
    )
