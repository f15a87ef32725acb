"""The processes of a run: how many train together, and which of them writes and reports."""

import os

LAUNCHED = "WORLD_SIZE"  # set by torchrun and accelerate in the processes that they start
STARTED_HERE = "COIT_TRAINER_STARTED"  # set by `trainer` in the processes that it starts and reports for


def num_processes() -> int:
    """Return how many processes train together, as their launcher says."""
    return int(os.environ.get(LAUNCHED, "1"))


def is_launched() -> bool:
    """Return True in a process that torchrun or accelerate started."""
    return LAUNCHED in os.environ


def is_main() -> bool:
    """Return True in the process that writes files for all."""
    return int(os.environ.get("RANK", "0")) == 0


def reports_result() -> bool:
    """Return True in the process that prints the result: the one that the user started, or the first of several."""
    return is_main() and STARTED_HERE not in os.environ
