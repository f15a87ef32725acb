"""Safetensors: the header of a file, checked before a library maps the file, and how many weights a folder has."""

import math
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import InputError
from corpora.model_files.configuration import read_model_json
from corpora.strict_json import parse_json

MAX_HEADER_BYTES = 100_000_000  # of the format
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class WeightCounts:
    """What the safetensors of a folder hold."""

    num_tensors: int
    num_weights: int


def count_weights(folder: Path) -> WeightCounts:
    """Return how many tensors and weights the safetensors of a folder hold.

    Raises:
        InputError: A file is damaged, or its index names other files than safetensors of the folder.
    """
    _check_index(folder)
    shapes = [shape for path in sorted(folder.glob("*.safetensors")) for shape in _shapes(path)]
    return WeightCounts(len(shapes), sum(math.prod(shape) for shape in shapes))


def _check_index(folder: Path) -> None:
    """Raise InputError if the index of sharded weights leads out of the folder or to another format."""
    path = folder / INDEX
    if not path.is_file():
        return
    content = read_model_json(path)
    weight_map = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(weight_map, dict):
        raise InputError(f"{path} has no 'weight_map'. Download the model again.")
    for name in {str(name) for name in weight_map.values()}:
        if not name.endswith(".safetensors") or "/" in name or "\\" in name or not (folder / name).is_file():
            raise InputError(f"{path} names {name!r}; the name of a safetensors file beside it was expected.")


def _shapes(path: Path) -> list[list[int]]:
    """Return the shapes in the header of a safetensors file."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER_BYTES, path.stat().st_size - 8):
            raise InputError(
                f"{path} is not safetensors, or damaged: its header would have {length:,} bytes. Download it again."
            )
        header = parse_json(file.read(length), f"The header of {path}")
    try:
        tensors = [value for key, value in header.items() if key != "__metadata__"]  # type: ignore[attr-defined]
        shapes = [[int(size) for size in tensor["shape"]] for tensor in tensors]
        begins_and_ends = [tensor["data_offsets"] for tensor in tensors]
        assert all(size >= 0 for shape in shapes for size in shape)
        assert all(0 <= begin <= end <= path.stat().st_size - 8 - length for begin, end in begins_and_ends)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path} is damaged: its header does not describe its bytes. Download it again.") from None
    return shapes
