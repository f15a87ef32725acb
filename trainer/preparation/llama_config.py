"""The configuration of a Llama with random weights, from the keys of a recipe: checked before anything is read."""

from typing import Any

from corpora.errors import InputError, unknown
from trainer.model_loading import make_outline

SIZES = {
    *("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "max_position_embeddings"),
}
NO_SHAPE = {"architectures", "dtype", "id2label", "label2id", "model_type"}  # keys that make no difference here


def make_llama_config(settings: dict[str, Any], tokens: dict[str, Any]) -> Any:
    """Return the configuration of a Llama.

    Args:
        settings: Keys of a LlamaConfig: the recipe's `model_config`.
        tokens: The keys that follow from the tokenizer, which `settings` may not hold.

    Raises:
        InputError: No Llama can have these settings.
    """
    from transformers import LlamaConfig

    _check_keys(settings, LlamaConfig().to_dict().keys() - NO_SHAPE, tokens)
    try:
        config = LlamaConfig(**settings, **tokens)
        make_outline(LlamaConfig(**settings | {"num_hidden_layers": 1}, **tokens))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise InputError(f"model_config: no Llama can have these settings: {reason}") from None
    if config.num_attention_heads % config.num_key_value_heads:
        raise InputError(
            f"model_config: num_attention_heads is {config.num_attention_heads}. It must be a multiple of "
            f"num_key_value_heads, {config.num_key_value_heads}."
        )
    return config


def _check_keys(settings: dict[str, Any], known: set[str], tokens: dict[str, Any]) -> None:
    """Raise InputError unless keys are known, not the tokenizer's, and those of sizes are numbers from 1."""
    for key, value in settings.items():
        if key in tokens:
            raise InputError(f"model_config: the tokenizer sets {key}. Leave it out, or name another tokenizer.")
        if key not in known:
            raise InputError(f"model_config: {unknown('key', key, known)}")
        if key in SIZES and (type(value) is not int or value < 1):
            raise InputError(f"model_config: {key} is {value!r}. It must be a whole number from 1.")
        if key == "attention_dropout" and not (isinstance(value, int | float) and 0 <= value < 1):
            raise InputError(f"model_config: {key} is {value!r}. It must be a number from 0 and below 1.")
