"""The one place where `builders` loads translation models and their tokenizers; no code from outside runs here.

Every function checks the files first (`corpora.model_files`). `tests/test_model_loading.py` holds that no other file of
the project calls a loader.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from corpora.errors import InputError
from corpora.files import temporary_folder
from corpora.model_files import check_configuration, check_model_files, read_model_json

OTHER_TOKENIZERS = {"small100tokenizer": "M2M100Tokenizer"}  # classes that come as code, and ours for their files
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

    with _own_tokenizer(original) as folder:
        Converter(str(folder), copy_files=list(copied)).convert(str(converted))


class _WithLanguages:
    """A tokenizer whose vocabulary has its tokens of languages too, which M2M100's keeps apart from it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def get_vocab(self) -> dict[str, int]:
        return {**self._tokenizer.get_vocab(), **getattr(self._tokenizer, "lang_token_to_id", {})}


@contextmanager
def _own_tokenizer(original: Path) -> Iterator[Path]:
    """Yield a folder of the model whose tokenizer is a class of transformers.

    SMaLL-100 names a class that comes as code; its files are those of M2M100's tokenizer, which reads them.
    """
    path = original / "tokenizer_config.json"
    config = read_model_json(path) if path.is_file() else {}
    if not isinstance(config, dict) or str(config.get("tokenizer_class")).lower() not in OTHER_TOKENIZERS:
        yield original
        return
    with temporary_folder(Path(gettempdir())) as folder:
        for file in original.iterdir():
            if file != path:
                (folder / file.name).symlink_to(file.resolve())
        own = OTHER_TOKENIZERS[str(config["tokenizer_class"]).lower()]
        config = {key: value for key, value in config.items() if key != "auto_map"} | {"tokenizer_class": own}
        (folder / path.name).write_text(json.dumps(config), encoding="utf-8")
        yield folder


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
