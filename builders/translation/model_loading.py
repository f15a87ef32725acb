"""The one place where `builders` loads translation models and their tokenizers; no code from outside runs here.

Every function checks the files first (`corpora.model_files`). `tests/test_model_loading.py` holds that no other file of
the project calls a loader.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.model_files import check_configuration, check_model_files

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

    TransformersConverter(str(original), copy_files=list(copied)).convert(str(converted))


def load_ctranslate2(folder: Path, device: str, **options: Any) -> Any:
    """Return CTranslate2's translator by the model in a folder."""
    import ctranslate2

    if (folder / "config.json").is_file():
        check_configuration(folder / "config.json")
    return ctranslate2.Translator(str(folder), device, **options)


def load_fast_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a `tokenizer.json`."""
    from tokenizers import Tokenizer

    check_configuration(path)
    return Tokenizer.from_file(str(path))


def load_sentencepiece(path: Path) -> Any:
    """Return a SentencePiece model."""
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_file=str(path))
