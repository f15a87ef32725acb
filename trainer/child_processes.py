"""Programs that the trainer starts: `trainer` itself, servers of models, and Git. No other module starts any."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
Process = subprocess.Popen[bytes]


def start(
    command: Sequence[str],
    log: IO[bytes],
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
    ends_with_parent: bool = False,
) -> Process:
    """Start a program whose output goes to a file; FileNotFoundError if there is none.

    Args:
        command: The program and its arguments.
        log: Where its output and errors go.
        variables: Further environment variables.
        folder: Its current folder; None for that of this process.
        ends_with_parent: Whether Linux sends it SIGTERM when this process ends, however it ends.
    """
    return subprocess.Popen(
        list(command),
        stdout=log,
        stderr=log,
        env=os.environ | dict(variables or {}),
        cwd=folder,
        preexec_fn=end_with_parent if ends_with_parent and sys.platform == "linux" else None,
    )


def start_with_pipes(command: Sequence[str]) -> Process:
    """Start a program that reads from a pipe and writes into one; Ctrl-C of the terminal does not reach it."""
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end_with_parent() -> None:
    """Make Linux send SIGTERM to this process when its parent ends, however it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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


def ends_within(process: Process, seconds: float) -> bool:
    """Return whether a program has ended, or ends within some seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


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
