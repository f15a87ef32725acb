"""The weights that a run starts from: safetensors only, no code from outside."""

import re
import sys
from importlib.util import find_spec
from typing import Any

from corpora.errors import InputError, unknown
from trainer.model_loading import find_model_folder, load_weights, make_model, outline_weights
from trainer.recipe import TrainingRecipe


def load_model(recipe: TrainingRecipe, config: Any, reads_weights: bool = True, in_4bit: bool = False) -> Any:
    """Return the model to train, in float32 (in bfloat16 if it is the base of a LoRA adapter and the recipe has bf16).

    Args:
        recipe: The recipe, which names the model.
        config: The configuration of the model.
        reads_weights: False in a process that gets the weights from another.
        in_4bit: Whether the matrices of its layers are held in 4 bits.

    Raises:
        InputError: The weights cannot be loaded.
    """
    import torch

    if recipe["model_config"] is not None:
        return make_model(config, recipe["attn_implementation"], recipe["seed"])
    source = recipe["model_name_or_path"]
    dtype = torch.bfloat16 if recipe["use_peft"] and recipe["bf16"] else torch.float32
    folder = find_model_folder(source, recipe["model_revision"])
    if not reads_weights:
        return outline_weights(folder, source, recipe["attn_implementation"], dtype)
    options = {"quantization_config": quantization(dtype)} if in_4bit else {}
    model = load_weights(folder, source, recipe["attn_implementation"], dtype=dtype, **options)
    keep_4bit_layout(model)
    return model


def quantization(dtype: Any) -> Any:
    """Return the quantization of QLoRA (arXiv 2305.14314): 4-bit NormalFloat, its constants quantized too.

    Args:
        dtype: The precision of the computation.

    Raises:
        InputError: bitsandbytes is not installed, or would load code from the Hub.
    """
    if not find_spec("bitsandbytes"):
        raise InputError(
            "load_in_4bit needs bitsandbytes: pip install 'coit-builders[qlora]', or set load_in_4bit to false."
        )
    if sys.modules.setdefault("kernels", None):  # type: ignore[arg-type]
        raise InputError("load_in_4bit does not run beside `kernels`, by which bitsandbytes loads code: uninstall it.")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def keep_4bit_layout(model: Any) -> None:
    """Keep bitsandbytes from packing matrices for the CPU in a validation, which would round what is trained next."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def lora_config(recipe: TrainingRecipe, model: Any) -> Any:
    """Return the LoRA configuration of a recipe for a model, or None if it trains all parameters.

    Raises:
        InputError: The model has none of the modules that shall have an adapter.
    """
    if not recipe["use_peft"]:
        return None
    _check_modules(recipe["lora_target_modules"], model)
    from peft import LoraConfig

    return LoraConfig(
        r=recipe["lora_r"],
        lora_alpha=recipe["lora_alpha"],
        lora_dropout=recipe["lora_dropout"],
        target_modules=recipe["lora_target_modules"],
        task_type="CAUSAL_LM",
    )


def _check_modules(chosen: str | list[str], model: Any) -> None:
    """Raise InputError unless a model has each module of `lora_target_modules`: the end of a name, or a pattern."""
    names = [name for name, _ in model.named_modules()]
    if chosen == "all-linear":
        return
    patterns = {chosen: chosen} if isinstance(chosen, str) else {part: rf"(.*\.)?{re.escape(part)}" for part in chosen}
    for part, pattern in patterns.items():
        try:
            is_known = any(re.fullmatch(pattern, name) for name in names)
        except re.error as error:
            raise InputError(f"lora_target_modules: '{part}' is no pattern: {error}.") from None
        if not is_known:
            linear = {name.rpartition(".")[2] for name in names if name.endswith("proj")}
            raise InputError(f"lora_target_modules: {unknown('module', part, linear)}")
