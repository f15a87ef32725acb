"""Checkpoints: which one a run goes on from, and whether there is room for the next."""

import json
import os
import shutil
from pathlib import Path

from corpora.errors import InputError

COMPLETE = "complete.json"  # stands in a checkpoint that was written to its end


def last_checkpoint(run: Path) -> Path | None:
    """The newest whole checkpoint of a run, if there is one."""
    whole = [path.parent for path in run.glob(f"checkpoint-*/{COMPLETE}")]
    return max(whole, key=step_of, default=None)


def check_resumable(checkpoint: Path, sharded: bool) -> None:
    """InputError if a checkpoint was written in shards and the run now keeps whole copies, or the other way round."""
    how = json.loads((checkpoint / COMPLETE).read_text(encoding="utf-8"))
    if how["sharded"] != sharded:
        was = f"in shards by {how['processes']} processes" if how["sharded"] else "whole"
        way = "--processes N --sharding fsdp2" if how["sharded"] else "--sharding none"
        raise InputError(f"{checkpoint} was written {was}, and torch cannot read it otherwise; go on with {way}.")


def step_of(checkpoint: Path) -> int:
    """The number of steps that a checkpoint was written after."""
    return int(checkpoint.name.partition("-")[2])


def remove_broken(run: Path) -> None:
    """Remove the checkpoints that a kill left half-written."""
    for path in run.glob("checkpoint-*"):
        if not (path / COMPLETE).exists():
            shutil.rmtree(path, ignore_errors=True)


def checkpoint_bytes(num_parameters: int, num_trained: int) -> int:
    """What a checkpoint takes: every parameter in float32, and two moments of Adam for each that is trained."""
    return 4 * num_parameters + 8 * num_trained


def check_room(folder: Path, needed: int) -> None:
    """InputError if the disk below a folder has less room than `needed` bytes."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed or not os.access(there, os.W_OK):
        raise InputError(
            f"{folder} has room for {free / 1e9:,.1f} GB and {needed / 1e9:,.1f} GB are needed for a checkpoint. "
            "Make room, or name another folder with --out."
        )
