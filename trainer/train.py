"""train(): a release becomes a model, in this process or as one of several; the whole story from top to bottom."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from cards.model_card import render_model_card
from corpora.files import lock_folder, move_into_place, temporary_folder
from corpora.progress import NullProgress, Progress
from trainer.model_loading import check_run_checkpoint
from trainer.preparation import Batches, TrainConfig, TrainState, begin_run, format_length_report, prepare
from trainer.processes import is_main, num_processes
from trainer.resources import peak_flops
from trainer.run import (
    RunMetadata,
    Stopped,
    read_evaluations,
    read_losses,
    read_metadata,
    write_metadata,
)
from trainer.run_progress import run_stage
from trainer.session import new_session, now
from trainer.training import (
    PICTURE,
    PlannedSFTTrainer,
    ReportProgress,
    StepLog,
    StopOnSignal,
    build_trainer,
    check_resumable,
    check_saved,
    gpu_names,
    is_sharded,
    last_checkpoint,
    peak_memory_bytes,
    remove_checkpoints,
    remove_incomplete,
    save_model,
    saved_dtype,
    silence_libraries,
    step_of,
    training_arguments,
    weights_sha256,
)

logger = logging.getLogger(__name__)
MODEL = "model"  # the folder of the finished model within that of its run


def train(config: TrainConfig, progress: Progress | None = None) -> RunMetadata:
    """Train a model, or continue a run that was stopped; a finished run is returned as it is.

    The finished model is in `output`/model: safetensors, tokenizer, card and metadata.

    Args:
        config: The recipe, the release, and the folder of the run.
        progress: Reports the stages; only the main process uses it.

    Raises:
        InputError: The run cannot be trained as configured.
        Stopped: A signal ended the run; a checkpoint is saved.
    """
    progress = (progress if is_main() else None) or NullProgress()
    with run_stage(progress, "tokenizing"):
        state = prepare(config, progress)
    with lock_folder(config.output, "run folder") if is_main() else nullcontext():
        metadata = read_metadata(config.output)  # prepare has checked that it is of this run
        if metadata and metadata["status"] == "done":
            _remove_checkpoints(config)
            return metadata
        if is_main() and (report := format_length_report(state.counts["train"], config.recipe)):
            logger.warning(report)
        with StopOnSignal() as stop:
            return _train(state, metadata or begin_run(state, num_processes()), progress, stop)


def _train(state: TrainState, metadata: RunMetadata, progress: Progress, stop: StopOnSignal) -> RunMetadata:
    config, processes = state.config, num_processes()
    silence_libraries()
    batches = state.batches(processes)
    tokens = _tokens_by_step(batches, state)
    session = new_session(_device(), 0, gpu_names(), torch.version.cuda)
    arguments = training_arguments(config, batches, processes)
    checkpoint = _resumed_checkpoint(config)
    session["first_step"] = first_step = step_of(checkpoint) if checkpoint else 0
    callbacks = [stop, ReportProgress(progress, tokens), _step_log(state, tokens, processes)]
    with run_stage(progress, "loading model"):
        trainer = build_trainer(state, batches, arguments, callbacks, partial(_record, config.output, metadata))
    metadata.pop("error", None)
    metadata.update({"status": "running", "processes": processes})
    metadata["sessions"].append(session)
    if is_main():
        remove_incomplete(config.output)
        write_metadata(config.output, metadata)

    began = monotonic()
    with run_stage(progress, "training", sum(tokens[first_step:]), "tokens"), _failure_recorded(config, metadata):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    step, log = trainer.state.global_step, trainer.state.log_history
    session |= _pace(monotonic() - began, sum(tokens[first_step:step]), step)
    metadata.update({"losses": read_losses(log), "evaluations": read_evaluations(log)})
    metadata.update({"step": step, "num_steps": batches.num_steps, "num_tokens": sum(tokens[:step])})
    if step < batches.num_steps:
        metadata["status"] = "stopped"
        if is_main():
            write_metadata(config.output, metadata)
        raise Stopped(step, batches.num_steps)
    with run_stage(progress, "saving model"), _failure_recorded(config, metadata):
        _finish(trainer, state, metadata)
    return metadata


def _resumed_checkpoint(config: TrainConfig) -> Path | None:
    """Return the checkpoint to continue from, which fits the way in which the run is started now."""
    if checkpoint := last_checkpoint(config.output):
        check_resumable(checkpoint, is_sharded(config.sharding))
        check_run_checkpoint(checkpoint)
    return checkpoint


def _step_log(state: TrainState, tokens: list[int], processes: int) -> StepLog:
    config = state.config
    title = f"{config.recipe.name} on {config.release.describe()['name']}, {state.config_name}"
    return StepLog(config.output, title, tokens, 6.0 * state.num_parameters, peak_flops(processes))


def _record(output: Path, metadata: RunMetadata, launch: dict[str, Any]) -> None:
    """Write down how the parameters are really divided and kept."""
    metadata["sessions"][-1] |= launch
    metadata["sharding"] = launch["sharding"]
    if is_main():
        write_metadata(output, metadata)


def _pace(seconds: float, num_tokens: int, step: int) -> dict[str, Any]:
    """Return how long a session took, and how fast it was."""
    rate = round(num_tokens / seconds, 1) if seconds else None
    pace = {"seconds": round(seconds, 3), "last_step": step, "tokens_per_second": rate}
    return pace | {"peak_memory_bytes": peak_memory_bytes(), "ended": now()}


@contextmanager
def _failure_recorded(config: TrainConfig, metadata: RunMetadata) -> Iterator[None]:
    """Write into run.json why a run failed; the error goes on."""
    try:
        yield
    except Exception as error:
        metadata["status"], metadata["error"] = "failed", str(error) or type(error).__name__
        metadata["sessions"][-1]["ended"] = now()
        if is_main():
            write_metadata(config.output, metadata)
        raise


def _device() -> str:
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu"


def _tokens_by_step(batches: Batches, state: TrainState) -> list[int]:
    lengths = state.lengths()
    return [int(lengths[step].sum()) for step in batches.steps()]


def _finish(trainer: PlannedSFTTrainer, state: TrainState, metadata: RunMetadata) -> None:
    """Save the whole model, check it, and write metadata and card."""
    metadata["status"] = "done"
    output = state.config.output
    with temporary_folder(output) if is_main() else nullcontext(output) as folder:
        save_model(trainer, state, folder)
        if is_main():
            check_saved(folder, state.num_parameters)
            metadata["dtype"], metadata["weights_sha256"] = saved_dtype(state), weights_sha256(folder)
            write_metadata(folder, metadata)
            _add_picture(folder, output)
            _write_card(folder, state, metadata)
            move_into_place(folder, output / MODEL)
            write_metadata(output, metadata)
            _remove_checkpoints(state.config)
    trainer.accelerator.wait_for_everyone()


def _remove_checkpoints(config: TrainConfig) -> None:
    if is_main() and not config.keep_checkpoints:
        remove_checkpoints(config.output)


def _add_picture(folder: Path, output: Path) -> None:
    if (output / PICTURE).is_file():
        shutil.copyfile(output / PICTURE, folder / PICTURE)


def _write_card(folder: Path, state: TrainState, metadata: RunMetadata) -> None:
    card = render_model_card(
        metadata, state.config.release.manifest, state.template, has_picture=(folder / PICTURE).is_file()
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
