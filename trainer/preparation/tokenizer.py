"""The tokenizer of a run: loaded without remote code, with end and padding tokens, and its digest."""

from pathlib import Path
from typing import Any

from corpora.errors import InputError
from trainer.recipe import TrainingRecipe, digest, training_folders


def load_tokenizer(recipe: TrainingRecipe) -> Any:
    """Return the fast tokenizer that a recipe names.

    Raises:
        InputError: It cannot be loaded, is not fast, or has no end-of-sequence or padding token.
    """
    from transformers import AutoTokenizer

    source = recipe["tokenizer"] or recipe["model_name_or_path"]
    bundled = (folder / source for folder in training_folders())
    source = next((str(folder) for folder in bundled if (folder / "tokenizer.json").exists()), source)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision(recipe, source), trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InputError(f"No tokenizer could be loaded from '{source}': {first_line(error)}") from None
    if not tokenizer.is_fast:
        raise InputError(f"'{source}' has no fast tokenizer (tokenizer.json). Convert it first.")
    _check_special_tokens(tokenizer, source, recipe["pad_token"])
    return tokenizer


def revision(recipe: TrainingRecipe, source: str) -> str | None:
    """Return the revision to load from the Hub; None for a folder."""
    return None if Path(source).is_dir() else recipe["model_revision"]


def first_line(error: BaseException) -> str:
    """Return the first line of a library's error message, with a full stop."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _check_special_tokens(tokenizer: Any, source: str, pad_token: str | None) -> None:
    if tokenizer.eos_token_id is None:
        raise InputError(f"The tokenizer of '{source}' has no end-of-sequence token: a model could not learn to stop.")
    if pad_token:
        if pad_token not in tokenizer.get_vocab():
            raise InputError(
                f"The tokenizer of '{source}' has no token '{pad_token}' to pad with. Name one that it has."
            )
        tokenizer.pad_token = pad_token
    if tokenizer.pad_token_id is None:
        known = ", ".join(sorted(tokenizer.all_special_tokens))
        raise InputError(
            f"The tokenizer of '{source}' has no padding token. Name one with --set pad_token=TOKEN; "
            f"its special tokens are {known}."
        )


def tokenizer_sha256(tokenizer: Any) -> str:
    """Return the digest of all that turns text into ids: vocabulary, rules, special tokens and chat template."""
    special = {name: str(token) for name, token in sorted(tokenizer.special_tokens_map.items())}
    return digest([tokenizer.backend_tokenizer.to_str(), special, tokenizer.chat_template])
