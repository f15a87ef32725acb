"""The configuration of the model that a run starts from: read and checked without its weights."""

from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.files import sha256_of
from trainer.model_loading import find_model_folder, load_configuration
from trainer.preparation.llama_config import make_llama_config
from trainer.recipe import TrainingRecipe, digest


def check_model_folder(recipe: TrainingRecipe) -> None:
    """Raise InputError if the model that a recipe names is a folder without a model in safetensors."""
    folder = Path(recipe["model_name_or_path"] or "")
    if recipe["model_config"] is not None or not (folder.exists() or str(folder).startswith((".", "/"))):
        return
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} has no config.json, so it is not a model folder.")
    if not list(folder.glob("*.safetensors")):
        raise InputError(f"{folder} has no weights as safetensors; other formats are not read. Convert them first.")


def load_model_config(recipe: TrainingRecipe, tokenizer: Any) -> Any:
    """Return the configuration of the model, without its weights.

    Raises:
        InputError: There is none, its architecture is unknown, or the tokenizer has more tokens than the model.
    """
    if recipe["model_config"] is not None:
        tokens = {
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": _padding(tokenizer),
        }
        return make_llama_config(recipe["model_config"], tokens)
    source = recipe["model_name_or_path"]
    config = load_configuration(find_model_folder(source, recipe["model_revision"]), source)
    _check_vocabulary(config, tokenizer, source)
    return config


def _padding(tokenizer: Any) -> int | None:
    """Return the id of the padding token; None where it is the end token, whose embedding would not be learned."""
    return None if tokenizer.pad_token_id == tokenizer.eos_token_id else int(tokenizer.pad_token_id)


def _check_vocabulary(config: Any, tokenizer: Any, source: str) -> None:
    size = config.get_text_config().vocab_size
    if max(tokenizer.get_vocab().values()) >= size:
        raise InputError(f"The tokenizer has more tokens than the {size:,} of the model '{source}'.")


def model_fingerprint(recipe: TrainingRecipe) -> dict[str, str]:
    """Return the name of the model that a run starts from, with the digest of its weights or its commit on the Hub."""
    if recipe["model_config"] is not None:
        return {"name": "from scratch", "sha256": digest(recipe["model_config"])}
    source = recipe["model_name_or_path"]
    folder = find_model_folder(source, recipe["model_revision"])
    if not Path(source).is_dir():
        return {"name": source, "commit": folder.name}
    files = sorted([*folder.glob("*.safetensors"), folder / "config.json"])
    return {"name": folder.resolve().name, "sha256": digest({path.name: sha256_of(path) for path in files})}
