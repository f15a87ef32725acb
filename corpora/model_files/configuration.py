"""The JSON files of a model: no reference to code, no kernel from outside, no more layers than there are weights."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from corpora.errors import InputError
from corpora.limits import hint, limit
from corpora.strict_json import parse_json

# Attention by the package that computes it; without its package, transformers would take a kernel from the Hub.
ATTENTIONS = {
    "eager": "",
    "sdpa": "",
    "flex_attention": "",
    "flash_attention_2": "flash_attn",
    "flash_attention_3": "flash_attn_interface",
}
EXPERTS = ("eager", "batched_mm", "grouped_mm")  # the others are kernels from the Hub
TOKENIZER = "tokenizer.json"
_CODE_KEYS = {  # not `auto_map`: transformers has its own code for many models that come with code, and uses that
    "quantization_config": "quantized weights, which are not supported",
    "kernel_config": "kernels from outside",
    "use_kernels": "kernels from outside",
}
_ATTENTION_KEY = re.compile(r"_?attn_implementation(_internal)?")
_EXPERTS_KEY = re.compile(r"_?experts_implementation(_internal)?")
_PART_KEY = re.compile(r"(^|_)(layers?|blocks|experts|labels|groups|stages|depths?)$")


def read_model_json(path: Path) -> object:
    """Return the content of a model's JSON file.

    Raises:
        InputError: The file is missing, too large, or not JSON.
    """
    _check_size(path, "model_json_bytes")
    return parse_json(path.read_bytes(), path)


def _check_size(path: Path, name: str) -> None:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if (size := path.stat().st_size) > limit(name):
        raise InputError(f"{path} has {size:,} bytes, too many for a model's file of this name. {hint(name)}")


def check_configuration(path: Path, num_tensors: int = 0) -> None:
    """Check a JSON file that describes a model, a tokenizer or how texts are generated.

    A tokenizer.json names no code, and its own reader bounds its depth: only its size is checked.

    Args:
        path: The file.
        num_tensors: The number of weight tensors of the model: it has at most as many layers.

    Raises:
        InputError: The file names code or kernels, or more parts than the model can have.
    """
    if path.name == TOKENIZER:
        _check_size(path, "tokenizer_bytes")
        return
    for key, value in _items(read_model_json(path)):
        if key in _CODE_KEYS and value not in (None, False, {}, []):
            raise InputError(f"{path}: the key '{key}' asks for {_CODE_KEYS[key]}. Name another model.")
        if _ATTENTION_KEY.fullmatch(key):
            check_attention(value, f"{path}: the key '{key}'")
        if _EXPERTS_KEY.fullmatch(key) and value is not None and value not in EXPERTS:
            raise InputError(f"{path}: the key '{key}' is {value!r}; {', '.join(EXPERTS)} need no kernel from outside.")
        if _PART_KEY.search(key) and isinstance(value, int) and value > max(num_tensors, limit("model_parts")):
            raise InputError(
                f"{path}: the key '{key}' is {value:,}, and the model has {num_tensors:,} tensors of weights. "
                f"{hint('model_parts')}"
            )


def check_attention(value: object, where: str) -> None:
    """Raise InputError unless a value names attention that needs no code from outside."""
    names = value.values() if isinstance(value, dict) else [value]
    for name in names:
        if name is None:
            continue
        if not isinstance(name, str) or name not in ATTENTIONS:
            raise InputError(f"{where} is {name!r}; only {', '.join(ATTENTIONS)} run no code from outside.")
        if ATTENTIONS[name] and not find_spec(ATTENTIONS[name]):
            raise InputError(f"{where} is {name}, and the package {ATTENTIONS[name]} is not installed. Use sdpa.")


def _items(content: object) -> Iterator[tuple[str, object]]:
    """Yield the keys and values of all objects in a JSON value."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value.items()
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
