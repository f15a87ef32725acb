"""Programs that the trainer starts: `trainer` itself, servers of models, and Git. No other module starts any."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

Process = subprocess.Popen[bytes]


def start(command: Sequence[str], log: IO[bytes], variables: Mapping[str, str] | None = None) -> Process:
    """Start a program whose output goes to a file, with further variables; FileNotFoundError if there is none."""
    return subprocess.Popen(list(command), stdout=log, stderr=log, env=os.environ | dict(variables or {}))


def stop(process: Process, grace_s: float) -> None:
    """End a program: by SIGTERM, and by SIGKILL where it is still there after some seconds."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def output_of(command: Sequence[str], timeout_s: float = 10.0) -> str | None:
    """Return what a short program prints, or None if it is not there, fails, or takes too long."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=timeout_s)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def git_commit(folder: Path) -> str | None:
    """Return the commit of the Git work tree that holds a folder, with `+changes` if files differ; else None."""
    git = ["git", "--no-optional-locks", "-C", str(folder)]
    commit = output_of([*git, "rev-parse", "HEAD"])
    if not commit:
        return None
    return f"{commit}+changes" if output_of([*git, "status", "--porcelain", "--untracked-files=no"]) else commit
