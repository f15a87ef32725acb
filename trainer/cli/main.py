"""The command `trainer`: a verb parses its options, calls one function of the Python API, and prints."""

import os
import sys
from typing import NoReturn

import click

from corpora.cli import INPUT_ERROR, SETTINGS, Program, run
from corpora.printing import say
from trainer.cli.evaluation import VERBS as EVALUATION_VERBS
from trainer.cli.training import VERBS as TRAINING_VERBS

STOPPED = 143  # the exit code of a shell for a process that SIGTERM ended


@click.group(cls=Program, context_settings=SETTINGS)
@click.version_option(package_name="coit-builders")
def cli() -> None:
    """Train language models on releases, and evaluate them.

    \b
    trainer sft tiny --release coit-sample --config el          a first model, on a CPU
    trainer sft x-llama --release coit --config el --dry-run    what a run would train on, and need
    trainer sft m-llama --release muit --processes 8            FSDP2 on eight GPUs

    A file builders.toml in the working folder gives defaults for options that name data.
    """


cli.add_verbs("Train", TRAINING_VERBS)
cli.add_verbs("Evaluate", EVALUATION_VERBS)


def main() -> NoReturn:
    """Run the command `trainer`."""
    # Waiting threads must sleep: on a shared machine, spinning ones make a run ten times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(run(cli, "The same command continues from the last checkpoint.", _answer, _write))


def _answer(error: BaseException) -> tuple[str, int] | None:
    """Return the sentence and exit code for errors of training and evaluation."""
    from trainer.run import ProcessesFailed, Stopped

    if isinstance(error, Stopped):
        step, num_steps = error.args
        return f"Stopped after step {step:,} of {num_steps:,}. The same command continues from there.", STOPPED
    if isinstance(error, ProcessesFailed):
        return "", int(error.args[0])
    if isinstance(error, ModuleNotFoundError):
        return f"Error: {error.name} is not installed. Install the extra: pip install 'coit-builders[eval]'.", 2
    return None


def _write(sentence: str, code: int) -> None:
    """Write a sentence in one of the processes of a run."""
    from trainer.processes import is_main, reports_result

    if sentence and (reports_result() or (code == INPUT_ERROR and is_main())):
        say(sentence)
