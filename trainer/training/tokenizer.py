"""The tokenizer of a run: loaded without remote code, with an end and a padding token, and its digest."""

from pathlib import Path
from typing import Any

from corpora.errors import InputError
from trainer.recipe import HERE, TrainingRecipe, digest


def load_tokenizer(recipe: TrainingRecipe) -> Any:
    """The fast tokenizer that a recipe names; InputError if it is none, or knows no end or padding token."""
    from transformers import AutoTokenizer

    place = recipe["tokenizer"] or recipe["model_name_or_path"]
    place = str(HERE / place) if (HERE / place / "tokenizer.json").exists() else place
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, revision=revision(recipe, place), trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InputError(f"No tokenizer could be loaded from '{place}': {first_line(error)}") from None
    if not tokenizer.is_fast:
        raise InputError(f"'{place}' has no fast tokenizer (tokenizer.json); convert it first.")
    _check_ends(tokenizer, place, recipe["pad_token"])
    return tokenizer


def revision(recipe: TrainingRecipe, place: str) -> str | None:
    """The revision to load from the Hub; a folder has none."""
    return None if Path(place).is_dir() else recipe["model_revision"]


def first_line(error: BaseException) -> str:
    """What an error of a library says, in one line that ends like a sentence."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _check_ends(tokenizer: Any, place: str, pad_token: str) -> None:
    vocabulary = tokenizer.get_vocab()
    if tokenizer.eos_token_id is None:
        raise InputError(f"The tokenizer of '{place}' names no end-of-sequence token: a model could not learn to stop.")
    if pad_token:
        if pad_token not in vocabulary:
            raise InputError(
                f"The tokenizer of '{place}' has no token '{pad_token}' to pad with; name one that it has."
            )
        tokenizer.pad_token = pad_token
    if tokenizer.pad_token_id is None:
        known = ", ".join(sorted(tokenizer.all_special_tokens))
        raise InputError(
            f"The tokenizer of '{place}' names no padding token. Name one with --set pad_token=TOKEN; "
            f"its special tokens are {known}."
        )


def tokenizer_sha256(tokenizer: Any) -> str:
    """The digest of everything that turns text into ids: vocabulary, rules, special tokens and chat template."""
    special = {name: str(token) for name, token in sorted(tokenizer.special_tokens_map.items())}
    return digest([tokenizer.backend_tokenizer.to_str(), special, tokenizer.chat_template])
