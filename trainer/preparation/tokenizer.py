"""The tokenizer of a run: loaded without remote code, with end and padding tokens, and its digest."""

from typing import Any

from corpora.errors import InputError
from trainer.model_loading import find_model_folder, load_tokenizer_files
from trainer.recipe import TrainingRecipe, digest, training_folders


def load_tokenizer(recipe: TrainingRecipe) -> Any:
    """Return the fast tokenizer that a recipe names.

    Raises:
        InputError: It cannot be loaded, is not fast, or has no end-of-sequence or padding token.
    """
    source = recipe["tokenizer"] or recipe["model_name_or_path"]
    bundled = (folder / source for folder in training_folders())
    source = next((str(folder) for folder in bundled if (folder / "tokenizer.json").exists()), source)
    tokenizer = load_tokenizer_files(find_model_folder(source, recipe["model_revision"]), source)
    if not tokenizer.is_fast:
        raise InputError(f"'{source}' has no fast tokenizer (tokenizer.json). Convert it first.")
    _check_special_tokens(tokenizer, source, recipe["pad_token"])
    return tokenizer


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
