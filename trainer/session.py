"""The record of one start of a run: command, code, versions, machines, and how fast it was."""

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trainer.child_processes import git_commit
from trainer.processes import STARTED_HERE, launcher, num_nodes, num_processes

PACKAGES = ("coit-builders", "torch", "transformers", "trl", "accelerate", "peft", "tokenizers", "datasets")


def new_session(device: str, first_step: int, devices: Sequence[str] = (), cuda: str | None = None) -> dict[str, Any]:
    """Return the entry of one start of the command.

    Args:
        device: The processor of the main process.
        first_step: The step from which it continues.
        devices: The names of this machine's GPUs.
        cuda: The version of CUDA that torch was built for.
    """
    return {
        "began": now(),
        "first_step": first_step,
        "device": device,
        "devices": list(devices),
        "cuda": cuda,
        "host": platform.node(),
        "launcher": launcher(),
        "world_size": num_processes(),
        "nodes": num_nodes(),
        "command": os.environ.get(STARTED_HERE) or command_line(),
        "git_commit": git_commit(Path.cwd()),
        "packages": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
    }


def command_line() -> str:
    """Return the command line of this process as a shell reads it."""
    program = Path(sys.argv[0]).name
    return shlex.join(["trainer" if program == "__main__.py" else program, *sys.argv[1:]])


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
