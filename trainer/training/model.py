"""The weights that a run starts from: safetensors only, no code from outside."""

from typing import Any

from corpora.errors import InputError
from trainer.preparation import first_line, revision
from trainer.recipe import TrainingRecipe


def load_model(recipe: TrainingRecipe, config: Any) -> Any:
    """Return the model to train, in float32 (in bfloat16 if it is the base of a LoRA adapter and the recipe has bf16).

    Raises:
        InputError: The weights cannot be loaded.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, LlamaForCausalLM, set_seed

    if recipe["model_config"] is not None:
        set_seed(recipe["seed"])
        config._attn_implementation = recipe["attn_implementation"]
        return LlamaForCausalLM(config)
    source = recipe["model_name_or_path"]
    try:
        return AutoModelForCausalLM.from_pretrained(
            source,
            revision=revision(recipe, source),
            dtype=torch.bfloat16 if recipe["use_peft"] and recipe["bf16"] else torch.float32,
            attn_implementation=recipe["attn_implementation"],
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        raise InputError(f"The model '{source}' could not be loaded: {first_line(error)}") from None


def lora_config(recipe: TrainingRecipe) -> Any:
    """Return the LoRA configuration of a recipe, or None if it trains all parameters."""
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
