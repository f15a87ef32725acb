"""Checkpoints: which one a run continues from, and whether there is disk space for the next."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpora.errors import InputError, first_line
from corpora.strict_json import load_json

WRITE_FAILED = re.compile(r"I/O error|os error|failed writing|No space left", re.IGNORECASE)
COMPLETE = "complete.json"  # written into a checkpoint when all of its files are on the disk


def last_checkpoint(run: Path) -> Path | None:
    """Return the newest complete checkpoint of a run, or None."""
    complete = [path.parent for path in run.glob(f"checkpoint-*/{COMPLETE}")]
    return max(complete, key=step_of, default=None)


def check_resumable(checkpoint: Path, sharded: bool) -> None:
    """Raise InputError if a checkpoint is sharded and the run is not or the other way round, or if it was converted."""
    written = load_json((checkpoint / COMPLETE).read_text(encoding="utf-8"))
    if written["sharded"] != sharded:
        layout = f"in shards by {written['processes']} processes" if written["sharded"] else "whole"
        options = "--processes N --sharding fsdp2" if written["sharded"] else "--sharding none"
        raise InputError(
            f"{checkpoint} was written {layout}, and torch cannot load it otherwise. Continue with {options}."
        )
    if others := _dtypes(checkpoint) - {"F32"}:
        raise InputError(
            f"{checkpoint} holds weights in {', '.join(sorted(others))}, and a run writes F32: it was converted. "
            "Remove it; the run continues from an older one."
        )


def _dtypes(checkpoint: Path) -> set[str]:
    """Return the precisions of the weights of a whole checkpoint; a sharded one or an adapter has no such file."""
    from safetensors import safe_open

    path = checkpoint / "model.safetensors"
    if not path.is_file():
        return set()
    with safe_open(path, "numpy") as file:
        return {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118


def step_of(checkpoint: Path) -> int:
    """Return the number of steps after which a checkpoint was written."""
    return int(checkpoint.name.partition("-")[2])


def remove_incomplete(run: Path) -> None:
    """Remove the checkpoints that a killed process left incomplete."""
    for path in run.glob("checkpoint-*"):
        if not (path / COMPLETE).exists():
            shutil.rmtree(path, ignore_errors=True)


def remove_checkpoints(run: Path) -> None:
    """Remove the checkpoints of a finished run."""
    for path in run.glob("checkpoint-*"):
        shutil.rmtree(path, ignore_errors=True)


def checkpoint_bytes(num_parameters: int, num_trained: int) -> int:
    """Return the size of a checkpoint: each parameter in float32, and two moments of Adam for each trained one."""
    return 4 * num_parameters + 8 * num_trained


def check_disk_space(folder: Path, needed: int) -> None:
    """Raise InputError if the disk of a folder has less than `needed` free bytes or cannot be written."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < needed or not os.access(existing, os.W_OK):
        raise InputError(
            f"{folder} has {free / 1e9:,.1f} GB of free space, and a checkpoint needs {needed / 1e9:,.1f} GB. "
            "Free some space, or name another folder with --output."
        )


@contextmanager
def errors_of_saving(folder: Path) -> Iterator[None]:
    """Turn what a full disk, a quota or a limit on files makes safetensors and torch raise into an InputError."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if not (isinstance(error, OSError) or WRITE_FAILED.search(str(error))):
            raise
        raise InputError(
            f"{folder} could not be written: {first_line(error)} Free some space, raise the quota, or name another "
            "folder with --output. The same command continues from the last complete checkpoint."
        ) from None
