"""The finished model of a run: saved whole as safetensors, and checked."""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from corpora.files import sha256_of
from corpora.strict_json import load_json
from trainer.model_loading import load_adapter
from trainer.preparation import TrainState
from trainer.processes import is_main
from trainer.recipe import digest
from trainer.training.checkpoints import errors_of_saving
from trainer.training.model import load_model
from trainer.training.planned_trainer import PlannedSFTTrainer


def saved_dtype(state: TrainState) -> str:
    """Return the precision of the finished model: the chosen one, or its base's; float32 for random weights."""
    base = str(getattr(state.model_config, "dtype", None) or "float32").removeprefix("torch.")
    return state.config.dtype or base


def save_model(trainer: PlannedSFTTrainer, state: TrainState, folder: Path) -> None:
    """Save a model that `from_pretrained` loads, sharded or not, in `saved_dtype`; an adapter is merged into its base.

    All processes must call it; the main one writes.
    """
    # With sharded state dicts, TRL's save_model writes nothing and reports nothing, so the full state is gathered.
    sharded = trainer.is_fsdp_enabled
    weights = trainer.accelerator.get_state_dict(trainer.model) if sharded else trainer.model.state_dict()
    if not is_main():
        return
    if state.config.recipe["use_peft"]:
        save_adapter(trainer.model, weights, trainer.num_trained, state.config.output / "adapter")
        base = load_model(state.config.recipe, state.model_config)
        merged = load_adapter(base, state.config.output / "adapter")
        _save(merged, merged.state_dict(), saved_dtype(state), folder)
    else:
        for tied in trainer.model.all_tied_weights_keys if sharded else ():
            weights.pop(tied, None)  # gathered weights do not share memory and would be in the file twice
        _save(trainer.model, weights, saved_dtype(state), folder)
    state.tokenizer.save_pretrained(str(folder))


def _save(model: Any, weights: dict[str, Any], dtype: str, folder: Path) -> None:
    """Save weights in a precision, which the configuration states."""
    import torch

    target = getattr(torch, dtype)
    cast: dict[int, Any] = {}  # tied weights share memory, and must still do so
    for name, value in weights.items():
        if value.is_floating_point() and value.dtype != target:
            weights[name] = cast.setdefault(value.data_ptr(), value.to(target))
    with errors_of_saving(folder.parent):
        model.save_pretrained(str(folder), state_dict=weights)
    config = load_json((folder / "config.json").read_text(encoding="utf-8"))
    text = json.dumps(config | {"dtype": dtype}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")


def save_adapter(model: Any, state: Mapping[str, Any], num_trained: int, folder: Path) -> None:
    """Save the adapter of a PEFT model from its full state dict; AssertionError unless every trained weight is in it.

    peft looks for the weights under the names of the live modules. FSDP's activation checkpointing adds a part to
    those names, so peft finds nothing and writes an empty file without an error.
    """
    from safetensors.torch import save_file

    weights = {name.replace(".default.", "."): value for name, value in state.items() if ".lora_" in name}
    num_saved = sum(value.numel() for value in weights.values())
    assert num_saved == num_trained, f"the adapter has {num_trained:,} weights and {num_saved:,} were gathered"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "adapter_model.safetensors")
    model.peft_config["default"].save_pretrained(str(folder))


def check_saved(folder: Path, num_parameters: int) -> None:
    """Raise AssertionError unless a folder holds a whole model: a configuration and as many weights as the model has.

    Tied weights are in the file once. A sharded run that saves nothing, or only its shards, fails here.
    """
    from safetensors import safe_open

    assert load_json((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    count = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dictionary
                count += prod(weights.get_slice(name).get_shape())
    assert count == num_parameters, f"{folder} holds {count:,} of the model's {num_parameters:,} weights"


def weights_sha256(folder: Path) -> str:
    """Return the digest of the weights of a saved model, whatever the number of files."""
    return digest({path.name: sha256_of(path) for path in sorted(folder.glob("*.safetensors"))})
