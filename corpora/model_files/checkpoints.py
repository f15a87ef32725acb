"""Checkpoints of torch: stored tensors, and the pickle that describes a sharded one, read without running it."""

import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path

from corpora.errors import InputError

METADATA = ".metadata"
# What torch.distributed.checkpoint writes into .metadata: descriptions of tensors; building them has no effect.
_METADATA_NAMES = {
    *(
        f"torch.distributed.checkpoint.metadata {name}"
        for name in (
            *("BytesStorageMetadata", "ChunkStorageMetadata", "Metadata", "MetadataIndex", "StorageMeta"),
            *("TensorProperties", "TensorStorageMetadata", "_MEM_FORMAT_ENCODING"),
        )
    ),
    "torch.distributed.checkpoint.filesystem _StorageInfo",
    "torch.serialization _get_layout",
    "torch Size",
    "collections OrderedDict",
    "pathlib PosixPath",
    *(
        f"torch {name}"
        for name in (
            *("bfloat16", "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "uint8"),
            *("preserve_format", "contiguous_format", "strided"),
        )
    ),
}
_TEXT = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_UNKNOWN = "?"


def check_checkpoint_file(path: Path) -> None:
    """Raise InputError unless a file is as `torch.save` writes it: a zip whose members are stored, none compressed."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError(f"{path} is not a checkpoint that can be read as weights only: {error}.") from None
    packed = next((member for member in members if member.compress_type != zipfile.ZIP_STORED), None)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise InputError(f"{path} has compressed or overlapping parts, which torch does not write.")


def check_sharded_metadata(folder: Path) -> None:
    """Check the description of a sharded checkpoint, which torch would unpickle.

    Raises:
        InputError: It names a class or function that torch does not write there.
    """
    path = folder / METADATA
    try:
        names = set(_names(path.read_bytes()))
    except Exception as error:  # pickletools raises many kinds for bytes that are no pickle
        raise InputError(f"{path} is damaged: {error}. Continue from an older checkpoint.") from None
    if strange := sorted(names - _METADATA_NAMES):
        raise InputError(
            f"{path} would run '{strange[0]}' when torch reads it, which no checkpoint of ours does. "
            "Remove the checkpoint; the run continues from an older one."
        )


def _names(data: bytes) -> Iterator[str]:
    """Yield the classes and functions that a pickle names, as 'module name'; `?` for what cannot be known."""
    memo: dict[int, str] = {}
    last: list[str] = []  # the texts that the operations just before have pushed
    for operation, argument, _ in pickletools.genops(data):
        name = operation.name
        if name in _TEXT:
            last.append(str(argument))
        elif name in ("BINGET", "LONG_BINGET"):
            last.append(memo.get(int(argument or 0), _UNKNOWN))
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if name == "MEMOIZE" else int(argument or 0)] = last[-1] if last else _UNKNOWN
        elif name == "STACK_GLOBAL":
            yield " ".join(last[-2:]) if len(last) >= 2 else _UNKNOWN
            last = []
        else:
            if name in ("GLOBAL", "INST"):
                yield str(argument)
            elif name in ("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "GET", "PUT"):
                yield _UNKNOWN
            last = []
