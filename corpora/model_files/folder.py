"""The folder of a model: all of its files that a library would read, checked together."""

from pathlib import Path

from corpora.errors import InputError
from corpora.model_files.configuration import check_configuration
from corpora.model_files.weights import WeightCounts, count_weights

JSON_FILES = (
    *("config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.json"),
    *("added_tokens.json", "vocab.json", "preprocessor_config.json", "processor_config.json"),
)
ADAPTER = "adapter_config.json"


def check_model_files(folder: Path) -> WeightCounts:
    """Return what the weights of a folder hold, after its files are checked; a folder of a tokenizer has none.

    Raises:
        InputError: A file is damaged, would run code, or names more than there is.
    """
    if (folder / ADAPTER).exists():
        raise InputError(f"{folder} is an adapter of another model ({ADAPTER}). Merge it first, and name the result.")
    counts = count_weights(folder)
    for name in JSON_FILES:
        if (folder / name).is_file():
            check_configuration(folder / name, counts.num_tensors)
    return counts
