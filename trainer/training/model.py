"""The model that a run starts from, and how it is saved: safetensors only, no code from outside."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.files import sha256_of
from trainer.recipe import TrainingRecipe, digest
from trainer.training.tokenizer import first_line, revision


def check_model(recipe: TrainingRecipe) -> None:
    """InputError if the model that a recipe names is a folder that holds none in safetensors."""
    place = Path(recipe["model_name_or_path"])
    if recipe["random_model"] is not None or not (place.exists() or str(place).startswith((".", "/"))):
        return
    if not (place / "config.json").is_file():
        raise InputError(f"{place} holds no config.json, so it is no model folder.")
    if not list(place.glob("*.safetensors")):
        raise InputError(f"{place} holds no weights as safetensors; other forms are not read. Convert them first.")


def model_config(recipe: TrainingRecipe, tokenizer: Any) -> Any:
    """The configuration of the model, without its weights; InputError if there is none, or it is not known."""
    from transformers import AutoConfig, LlamaConfig

    if recipe["random_model"] is not None:
        return LlamaConfig(
            **_llama_settings(recipe["random_model"]),
            vocab_size=len(tokenizer),
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    place = recipe["model_name_or_path"]
    try:
        config = AutoConfig.from_pretrained(place, revision=revision(recipe, place), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"No model could be loaded from '{place}': {first_line(error)}") from None
    _check_fit(config, tokenizer, place)
    return config


def _llama_settings(table: dict[str, Any]) -> dict[str, Any]:
    """The keys of a random model, checked against those that a LlamaConfig has."""
    from transformers import LlamaConfig

    from corpora.errors import unknown

    known = LlamaConfig().to_dict()
    for key in table:
        if key not in known:
            raise InputError(f"random_model: {unknown('key', key, known)}")
    return table


def _check_fit(config: Any, tokenizer: Any, place: str) -> None:
    """InputError if the tokenizer has ids that the model has no embedding for."""
    size = config.get_text_config().vocab_size
    if max(tokenizer.get_vocab().values()) >= size:
        raise InputError(f"The tokenizer has more tokens than the {size:,} that the model '{place}' was made for.")


def load_model(recipe: TrainingRecipe, config: Any) -> Any:
    """The model to train, in float32 (a LoRA base in bfloat16 where the recipe says bf16); InputError if unfit."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, LlamaForCausalLM, set_seed

    if recipe["random_model"] is not None:
        set_seed(recipe["seed"])
        config._attn_implementation = recipe["attn_implementation"]
        return LlamaForCausalLM(config)
    place = recipe["model_name_or_path"]
    try:
        return AutoModelForCausalLM.from_pretrained(
            place,
            revision=revision(recipe, place),
            dtype=torch.bfloat16 if recipe["use_peft"] and recipe["bf16"] else torch.float32,
            attn_implementation=recipe["attn_implementation"],
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        raise InputError(f"The model '{place}' could not be loaded: {first_line(error)}") from None


def count_parameters(config: Any) -> int:
    """The parameters of a model of this configuration, counted without making it."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return int(AutoModelForCausalLM.from_config(config, trust_remote_code=False).num_parameters())


def model_said(recipe: TrainingRecipe, config: Any) -> dict[str, str]:
    """What a run says of the model that it started from: its name, and a digest of its weights or its Hub commit."""
    if recipe["random_model"] is not None:
        return {"name": "random", "sha256": digest(recipe["random_model"])}
    place = Path(recipe["model_name_or_path"])
    if not place.is_dir():
        return {"name": str(place), "commit": str(getattr(config, "_commit_hash", None))}
    files = sorted([*place.glob("*.safetensors"), place / "config.json"])
    return {"name": place.resolve().name, "sha256": digest({path.name: sha256_of(path) for path in files})}


def lora(recipe: TrainingRecipe) -> Any:
    """The LoRA adapter that a recipe asks for, or None."""
    if not recipe["use_peft"]:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=recipe["lora_r"],
        lora_alpha=recipe["lora_alpha"],
        lora_dropout=recipe["lora_dropout"],
        target_modules=recipe["lora_target_modules"],
        task_type="CAUSAL_LM",
    )


def save_adapter(model: Any, state: Mapping[str, Any], num_trained: int, folder: Path) -> None:
    """Save the adapter of a PEFT model from its whole state; AssertionError unless it holds every trained weight.

    peft's own way looks for the weights under the names of the live modules. FSDP's activation checkpointing adds a
    part to those, so that nothing is found and an empty file is written in silence.
    """
    from safetensors.torch import save_file

    weights = {name.replace(".default.", "."): value for name, value in state.items() if ".lora_" in name}
    found = sum(value.numel() for value in weights.values())
    assert found == num_trained, f"the adapter has {num_trained:,} weights and {found:,} were gathered"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "adapter_model.safetensors")
    model.peft_config["default"].save_pretrained(str(folder))


def merge_adapter(base: Any, adapter: Path) -> Any:
    """A freshly loaded base model with a saved adapter worked into its weights."""
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()


def check_saved(folder: Path, num_parameters: int) -> None:
    """AssertionError unless a folder holds a whole model: a configuration and as many weights as the model has.

    Tied weights stand in the file once. A sharded run that saves nothing, or its shards, is found here.
    """
    from safetensors import safe_open

    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    found = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dictionary
                shape = weights.get_slice(name).get_shape()
                found += _product(shape)
    assert found == num_parameters, f"{folder} holds {found:,} of the model's {num_parameters:,} weights"


def _product(shape: list[int]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product
