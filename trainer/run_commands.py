"""The commands that train the runs of a sweep one by one, and a process for each."""

import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, current_thread, main_thread
from typing import Any

import yaml

from trainer.child_processes import Process, start
from trainer.preparation import TrainConfig, mixture_text
from trainer.run import ProcessesFailed, RunMetadata, Stopped, read_metadata

STOPPED = 143


def sft_command(
    recipe: str | Path, run: TrainConfig, changes: Mapping[str, Any], options: Mapping[str, object]
) -> list[str]:
    """Return the arguments of `trainer` that train one run.

    Args:
        recipe: The recipe as the user named it.
        run: The run.
        changes: The settings that the user changed.
        options: Further options by name; None and False are left out, lists are repeated.
    """
    settings = dict(changes) | {"seed": run.recipe["seed"]}
    own: dict[str, object] = {"--config": run.config_name, "--langs": ",".join(run.langs), "--size": run.size}
    own |= {"--mixture": mixture_text(run.mixture, run.unique)}
    own |= {"--set": [f"{key}={_as_yaml(value)}" for key, value in settings.items()], "--output": run.output}
    arguments = ["sft", str(recipe)]
    for name, value in (dict(options) | own).items():
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                arguments.append(name)
            elif one not in (None, False, ""):
                arguments += [name, str(one)]
    return arguments


def _as_yaml(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def as_shell(arguments: Sequence[str]) -> str:
    """Return a command line for a shell or a job script."""
    return shlex.join(["trainer", *arguments])


def trainer_command(arguments: Sequence[str]) -> list[str]:
    """Return the command line that starts `trainer` in a process of its own."""
    return [sys.executable, "-m", "trainer", *arguments]


class RunProcesses:
    """The processes of several runs at the same time; a signal to this one reaches all of them."""

    def __init__(self, gpus: Sequence[str] = ()) -> None:
        self.gpus = list(gpus)  # each process takes the next one
        self.lock = Lock()
        self.running: list[Process] = []
        self.count = 0
        self.stopped = False

    @contextmanager
    def forward_signals(self) -> Iterator[None]:
        """Pass SIGTERM, SIGUSR1 and Ctrl-C on to the processes while the block runs."""
        numbers = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT) if current_thread() is main_thread() else ()
        before = {number: signal.signal(number, lambda *_: self._stop()) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def train(self, arguments: Sequence[str], output: Path) -> RunMetadata:
        """Train a run in a process of its own, whose messages go to output.log in its folder.

        Raises:
            Stopped: A signal ended it.
            ProcessesFailed: It ended with an error.
        """
        with (output / "output.log").open("ab") as log:
            process = self._start(arguments, log)
            code = process.wait()
        metadata = read_metadata(output)
        if self.stopped or code == STOPPED:
            raise Stopped(*((metadata.get("step", 0), metadata.get("num_steps", 0)) if metadata else (0, 0)))
        if code or metadata is None:
            raise ProcessesFailed(code or 1)
        return metadata

    def _start(self, arguments: Sequence[str], log: Any) -> Process:
        with self.lock:
            chosen = {"CUDA_VISIBLE_DEVICES": self.gpus[self.count % len(self.gpus)]} if self.gpus else {}
            process = start(trainer_command(arguments), log, chosen)
            self.running.append(process)
            self.count += 1
            if self.stopped:
                process.terminate()
            return process

    def _stop(self) -> None:
        self.stopped = True
        for process in self.running:
            if process.poll() is None:
                process.terminate()


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in named.split(",") if name]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
