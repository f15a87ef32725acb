"""What a finished run has measured: tokens in a pair of each language, and tokens that a device trains in an hour."""

import re
from pathlib import Path

from corpora.errors import InputError
from corpora.strict_json import load_json

HOURS = re.compile(r"(\d+(?:\.\d+)?) ?h", re.ASCII)  # of one device
TOKENS_FILE, RUN_FILE = "tokens_per_pair.csv", "run.json"


def read_hours(text: str) -> float | None:
    """Return the hours of a text such as `12h`, or None."""
    match = HOURS.fullmatch(text.strip().lower())
    return float(match[1]) if match else None


def costs_file(costs: Path) -> Path:
    """Return the CSV of lang,tokens: the file itself, or that of the folder of a run."""
    return costs / TOKENS_FILE if costs.is_dir() else costs


def budget_amount(budget: float | str, costs: object) -> float:
    """Return a budget as a number of pairs or tokens; device hours become the tokens that a run has trained in as many.

    Args:
        budget: A number, or device hours such as `12h`.
        costs: What `--costs` names: for hours, the folder of a run.

    Raises:
        InputError: The budget is neither, or its run has not measured how fast it was.
    """
    if not isinstance(budget, str):
        return budget
    hours = read_hours(budget)
    if hours is None:
        raise InputError(f"--budget takes a number, or device hours such as 12h, not '{budget}'.")
    if not isinstance(costs, str | Path) or not Path(costs).is_dir():
        raise InputError(
            f"--budget {budget} is in device hours: name the folder of a run that measured, by --costs RUN."
        )
    return hours * tokens_per_hour(Path(costs))


def tokens_per_hour(run: Path) -> float:
    """Return the tokens that each device of a run trained in an hour, over all of its sessions.

    Raises:
        InputError: The folder is no run, or no session of it has a speed.
    """
    try:
        sessions = load_json((run / RUN_FILE).read_bytes())["sessions"]
        paces = [
            (row["tokens_per_second"], row["seconds"], row["world_size"]) for row in sessions if row.get("seconds")
        ]
        device_seconds = sum(seconds * devices for _, seconds, devices in paces)
        tokens = sum(rate * seconds for rate, seconds, _ in paces)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{run} is not the folder of a run: {RUN_FILE} with its sessions was expected.") from None
    if not (device_seconds > 0 and tokens > 0):
        raise InputError(f"{run / RUN_FILE} has no session with a speed. Name a run that trained at least one step.")
    return float(3600 * tokens / device_seconds)
