"""sft(): a release becomes a model; the whole story, from top to bottom."""

import sys
import warnings
from contextlib import nullcontext
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from accelerate.utils import DistributedType
from datasets import Dataset
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from transformers.utils import logging as transformers_logging
from trl import SFTConfig

from cards.model_card import render_model_card
from corpora.errors import InputError
from corpora.files import locked, scratch, settle
from trainer.run import Record, Stopped, begin, outcome, read_record, session, write_record
from trainer.training.arguments import is_sharded, training_arguments
from trainer.training.batches import Batches
from trainer.training.checkpoints import (
    check_resumable,
    check_room,
    checkpoint_bytes,
    last_checkpoint,
    remove_broken,
    step_of,
)
from trainer.training.example_table import lengths_said
from trainer.training.model import check_saved, load_model, lora, merge_adapter, save_adapter
from trainer.training.planned_trainer import NOT_SHARDED, Tuner, check_sharded
from trainer.training.prepare import Prepared, Request, is_main, num_processes, prepare
from trainer.training.progress import Progress
from trainer.training.stop import Stop

MODEL = "model"  # the folder of the finished model, in that of its run


def sft(request: Request) -> Record:
    """Train a model as a request says, or go on with it where it stopped; the run's record.

    The finished model stands in `out`/model: safetensors, tokenizer, card and record. Stopped if a signal ended it.
    """
    prepared = prepare(request)
    with locked(request.out, "run folder") if is_main() else nullcontext():
        earlier = read_record(request.out)  # prepare has seen that it is of this run
        if earlier and earlier["status"] == "done":
            return earlier
        if is_main() and (told := lengths_said(prepared.accounts["train"], request.recipe)):
            print(told, file=sys.stderr)
        return _train(prepared, earlier)


def _train(prepared: Prepared, earlier: Record | None) -> Record:
    request, out = prepared.request, prepared.request.out
    processes = num_processes()
    _hush()
    batches = prepared.batches(processes)
    arguments = training_arguments(request, batches, processes)
    tuner = make_tuner(prepared, batches, arguments)
    if checkpoint := last_checkpoint(out):
        check_resumable(checkpoint, is_sharded(request.sharding))
    record = earlier or begin(prepared, processes, request.sharding)
    record |= {"status": "running", "processes": processes, "sharding": request.sharding}
    record["sessions"].append(session(_device(), step_of(checkpoint) if checkpoint else 0))
    if is_main():
        remove_broken(out)
        write_record(out, record)

    began = monotonic()
    tuner.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    record["sessions"][-1] |= {"seconds": round(monotonic() - began, 3), "last_step": tuner.state.global_step}
    record |= outcome(tuner.state.log_history) | _progress(batches, prepared, tuner.state.global_step)
    if tuner.state.global_step < batches.num_steps:
        record["status"] = "stopped"
        if is_main():
            write_record(out, record)
        raise Stopped(tuner.state.global_step, batches.num_steps)
    return _finish(tuner, prepared, record)


def _device() -> str:
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu"


def make_tuner(prepared: Prepared, batches: Batches, arguments: SFTConfig) -> Tuner:
    """TRL's trainer with the model, the tables and what watches over them; InputError if there is no room to save."""
    recipe, sharded = prepared.request.recipe, is_sharded(prepared.request.sharding)
    if sharded and arguments.distributed_state.distributed_type in (DistributedType.NO, DistributedType.MULTI_CPU):
        raise InputError(NOT_SHARDED)
    model = load_model(recipe, prepared.model_config)
    tuner = Tuner(
        batches=batches,
        validation=prepared.validation(),
        model=model,
        args=arguments,
        train_dataset=_dataset(prepared, "train"),
        eval_dataset=_dataset(prepared, "validation"),
        processing_class=prepared.tokenizer,
        peft_config=lora(recipe),
        callbacks=[Stop(), Progress(_tokens(batches, prepared))],
    )
    tuner.remove_callback(PrinterCallback)
    tuner.remove_callback(ProgressCallback)
    tuner.num_trained = _num_trained(tuner)
    tuner.needed = checkpoint_bytes(prepared.num_parameters, tuner.num_trained)
    check_room(prepared.request.out, tuner.needed + 4 * prepared.num_parameters)
    if sharded:
        tuner.add_callback(_CheckSharded(tuner))
    return tuner


def _hush() -> None:
    """Keep the libraries' warnings and bars to themselves; what matters is said in sentences of ours."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)


def _dataset(prepared: Prepared, split: str) -> Dataset:
    """A table of examples as TRL takes it: input_ids and labels, as arrays."""
    table = prepared.tables[split].select(["input_ids", "labels"])
    return Dataset(table).with_format("numpy")


def _num_trained(tuner: Tuner) -> int:
    return sum(parameter.numel() for parameter in tuner.model.parameters() if parameter.requires_grad)


class _CheckSharded(TrainerCallback):
    """Looks at the parameters once the model is wrapped, before the first step."""

    def __init__(self, tuner: Tuner) -> None:
        self.tuner = tuner

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        check_sharded(self.tuner)


def _tokens(batches: Batches, prepared: Prepared) -> list[int]:
    """The tokens of each step."""
    lengths = prepared.lengths()
    return [int(lengths[step].sum()) for step in batches.steps()]


def _progress(batches: Batches, prepared: Prepared, steps: int) -> dict[str, int]:
    return {"steps": steps, "num_steps": batches.num_steps, "tokens": sum(_tokens(batches, prepared)[:steps])}


def _finish(tuner: Tuner, prepared: Prepared, record: Record) -> Record:
    """Save the whole model, check it, and say in the record and the card what it is."""
    record["status"] = "done"
    out = prepared.request.out
    with scratch(out) if is_main() else nullcontext(out) as folder:
        save_whole(tuner, prepared, folder)
        if is_main():
            check_saved(folder, prepared.num_parameters)
            write_record(folder, record)
            (folder / "README.md").write_text(render_model_card(record, prepared.request.release.manifest), "utf-8")
            settle(folder, out / MODEL)
            write_record(out, record)
    tuner.accelerator.wait_for_everyone()
    return record


def save_whole(tuner: Tuner, prepared: Prepared, folder: Path) -> None:
    """Save a model that `from_pretrained` loads, however it was sharded; an adapter is worked into its base."""
    # With sharded state dicts save_model writes nothing at all and says nothing, so the whole state is asked for.
    sharded = tuner.is_fsdp_enabled
    state = tuner.accelerator.get_state_dict(tuner.model) if sharded else tuner.model.state_dict()
    if not is_main():
        return
    if prepared.request.recipe["use_peft"]:
        save_adapter(tuner.model, state, tuner.num_trained, prepared.request.out / "adapter")
        base = load_model(prepared.request.recipe, prepared.model_config)
        merge_adapter(base, prepared.request.out / "adapter").save_pretrained(str(folder))
    else:
        for tied in tuner.model.all_tied_weights_keys if sharded else ():
            state.pop(tied, None)  # gathered weights no longer share their memory and would stand in the file twice
        tuner.model.save_pretrained(str(folder), state_dict=state)
    prepared.tokenizer.save_pretrained(str(folder))
