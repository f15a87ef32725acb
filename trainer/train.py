"""train(): a release becomes a model, in this process or as one of several; the whole story from top to bottom."""

import logging
from contextlib import nullcontext
from pathlib import Path
from time import monotonic

import torch

from cards.model_card import render_model_card
from corpora.files import lock_folder, move_into_place, temporary_folder
from corpora.progress import NullProgress, Progress
from trainer.model_loading import check_run_checkpoint
from trainer.preparation import Batches, TrainConfig, TrainState, begin_run, format_length_report, prepare
from trainer.processes import is_main, num_processes
from trainer.run import (
    RunMetadata,
    Stopped,
    new_session,
    read_evaluations,
    read_losses,
    read_metadata,
    write_metadata,
)
from trainer.run_progress import run_stage
from trainer.training import (
    PlannedSFTTrainer,
    ReportProgress,
    StopOnSignal,
    build_trainer,
    check_resumable,
    check_saved,
    is_sharded,
    last_checkpoint,
    remove_incomplete,
    save_model,
    silence_libraries,
    step_of,
    training_arguments,
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
    arguments = training_arguments(config, batches, processes)
    with run_stage(progress, "loading model"):
        trainer = build_trainer(state, batches, arguments, [stop, ReportProgress(progress, tokens)])
    if checkpoint := last_checkpoint(config.output):
        check_resumable(checkpoint, is_sharded(config.sharding))
        check_run_checkpoint(checkpoint)
    first_step = step_of(checkpoint) if checkpoint else 0
    metadata.update({"status": "running", "processes": processes, "sharding": config.sharding})
    metadata["sessions"].append(new_session(_device(), first_step))
    if is_main():
        remove_incomplete(config.output)
        write_metadata(config.output, metadata)

    began = monotonic()
    with run_stage(progress, "training", sum(tokens[first_step:]), "tokens"):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    step, log = trainer.state.global_step, trainer.state.log_history
    metadata["sessions"][-1] |= {"seconds": round(monotonic() - began, 3), "last_step": step}
    metadata.update({"losses": read_losses(log), "evaluations": read_evaluations(log)})
    metadata.update({"step": step, "num_steps": batches.num_steps, "num_tokens": sum(tokens[:step])})
    if step < batches.num_steps:
        metadata["status"] = "stopped"
        if is_main():
            write_metadata(config.output, metadata)
        raise Stopped(step, batches.num_steps)
    with run_stage(progress, "saving model"):
        _finish(trainer, state, metadata)
    return metadata


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
            write_metadata(folder, metadata)
            _write_card(folder, state, metadata)
            move_into_place(folder, output / MODEL)
            write_metadata(output, metadata)
    trainer.accelerator.wait_for_everyone()


def _write_card(folder: Path, state: TrainState, metadata: RunMetadata) -> None:
    card = render_model_card(metadata, state.config.release.manifest)
    (folder / "README.md").write_text(card, encoding="utf-8")
