"""The one place where `builders` loads translation models and their tokenizers; no code from outside runs here.

Every function checks the files first (`corpora.model_files`). `tests/test_model_loading.py` holds that no other file of
the project calls a loader.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from corpora.errors import InputError
from corpora.files import temporary_folder
from corpora.model_files import check_configuration, check_model_files, read_model_json

OTHER_TOKENIZERS = {"small100tokenizer": "M2M100Tokenizer"}  # classes that come as code, and ours for their files
WITHOUT_POSITION_TYPE = ("bert", "xlm-roberta")  # encoders whose configuration no longer says it
WHOLE, SHARDED = "model.safetensors", "model.safetensors.index.json"  # the names that transformers looks for


def convert_model(original: Path, converted: Path, copied: Sequence[str]) -> None:
    """Write a model of Transformers in CTranslate2's format, with copies of some of its files.

    Raises:
        InputError: A file of the model is damaged or would run code.
    """
    check_model_files(original)
    if not any((original / name).is_file() for name in (WHOLE, SHARDED)):
        raise InputError(f"{original} has neither {WHOLE} nor {SHARDED}. Save its weights under this name.")
    os.environ |= {"USE_HUB_KERNELS": "NO", "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]
        def load_tokenizer(self, tokenizer_class: Any, path: str, **options: Any) -> Any:
            return _WithLanguages(super().load_tokenizer(tokenizer_class, path, **options))

    with _own_files(original) as folder:
        Converter(str(folder)).convert(str(converted))
    for name in copied:
        (converted / name).parent.mkdir(exist_ok=True)
        shutil.copy(original / name, converted / name)


class _WithLanguages:
    """A tokenizer whose vocabulary has its tokens of languages too, which M2M100's keeps apart from it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def get_vocab(self) -> dict[str, int]:
        return {**self._tokenizer.get_vocab(), **getattr(self._tokenizer, "lang_token_to_id", {})}


@contextmanager
def _own_files(original: Path) -> Iterator[Path]:
    """Yield a folder of the model whose configuration the converter understands.

    SMaLL-100 names a class of tokenizer that comes as code; M2M100's tokenizer reads its files.
    Of encoders, the converter asks for a type of positions that Transformers 5 writes no more.
    """
    changed = {}
    tokenizer, config = (_read(original / name) for name in ("tokenizer_config.json", "config.json"))
    if str(tokenizer.get("tokenizer_class")).lower() in OTHER_TOKENIZERS:
        own = OTHER_TOKENIZERS[str(tokenizer["tokenizer_class"]).lower()]
        changed["tokenizer_config.json"] = {k: v for k, v in tokenizer.items() if k != "auto_map"} | {
            "tokenizer_class": own
        }
    if config.get("model_type") in WITHOUT_POSITION_TYPE:
        changed["config.json"] = {"position_embedding_type": "absolute", **config}
    if not changed:
        yield original
        return
    with temporary_folder(Path(gettempdir())) as folder:
        for file in original.iterdir():
            if file.name not in changed:
                (folder / file.name).symlink_to(file.resolve())
        for name, content in changed.items():
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
        yield folder


def _read(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file; empty if there is none."""
    content = read_model_json(path) if path.is_file() else {}
    return content if isinstance(content, dict) else {}


def load_ctranslate2(folder: Path, device: str, **options: Any) -> Any:
    """Return CTranslate2's translator by the model in a folder."""
    import ctranslate2

    if (folder / "config.json").is_file():
        check_configuration(folder / "config.json")
    return ctranslate2.Translator(str(folder), device, **options)


def load_encoder(folder: Path, device: str, **options: Any) -> Any:
    """Return CTranslate2's encoder by the model in a folder.

    Raises:
        InputError: It cannot be loaded.
    """
    import ctranslate2

    if (folder / "config.json").is_file():
        check_configuration(folder / "config.json")
    try:
        return ctranslate2.Encoder(str(folder), device, **options)
    except (RuntimeError, ValueError) as error:
        first = str(error).split("\n", 1)[0].rstrip(".")
        raise InputError(f"CTranslate2 cannot load the encoder {folder}: {first}. Convert it again.") from None


def load_dense(path: Path) -> Any:
    """Return weight and bias of the layer that follows an encoder, from a file of safetensors."""
    import numpy as np

    check_model_files(path.parent)
    content = path.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    tensors = []
    for name in ("linear.weight", "linear.bias"):
        entry = header.get(name, {})
        if entry.get("dtype") != "F32":
            raise InputError(f"{path} has no {name} in float32. Download the model again.")
        first, last = entry["data_offsets"]
        tensors.append(np.frombuffer(content[begin + first : begin + last], "<f4").reshape(entry["shape"]))
    return tuple(tensors)


def load_fast_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a `tokenizer.json`."""
    from tokenizers import Tokenizer

    check_configuration(path)
    return Tokenizer.from_file(str(path))


def load_sentencepiece(path: Path) -> Any:
    """Return a SentencePiece model."""
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_file=str(path))
