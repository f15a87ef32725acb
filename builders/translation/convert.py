"""A Transformers model -> CTranslate2's format, once: the only place that needs the `train` extra."""

import hashlib
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from builders.translation.model import TOKENIZERS
from corpora.errors import InputError
from corpora.files import scratch, settle, sha256_of

ARCHITECTURES = ("m2m_100",)  # Transformers' name of NLLB's and M2M100's


def convert(original: Path, folder: Path, tell: Callable[[str], None]) -> Path:
    """The conversion of a Transformers model in a folder of `folder` named by its digest, made if it is not there.

    Weights are kept as they are; the engine makes them smaller when it loads them.
    """
    config = _config(original)
    if config.get("model_type") not in ARCHITECTURES:
        raise InputError(
            f"{original} is a model of type {config.get('model_type')}; only NLLB's and M2M100's translate."
        )
    weights = sorted(original.glob("*.safetensors"))
    if not weights:
        raise InputError(f"{original} holds no safetensors and no model.bin of CTranslate2. Name a folder that does.")
    named = [
        path for path in [original / "config.json", *weights, *(original / t for t in TOKENIZERS)] if path.exists()
    ]
    text = "\n".join(sha256_of(path) for path in named)
    done = folder / f"converted-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if not done.exists():
        tell(f"Converting {original.name} for CTranslate2; this is done once.")
        _convert(original, done)
    return done


def _config(original: Path) -> dict[str, object]:
    path = original / "config.json"
    if not path.is_file():
        raise InputError(
            f"{original} is no translation model: it holds neither model.bin (CTranslate2) nor config.json "
            "(Transformers). Name a folder that holds one, or --translator none."
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}. Fetch the model again.") from None
    return config if isinstance(config, dict) else {}


def _convert(original: Path, done: Path) -> None:
    if not (find_spec("torch") and find_spec("transformers")):
        raise InputError(
            f"{original} is a Transformers model: converting it needs pip install 'coit-builders[train]' (translating "
            "does not). Or name a model that is converted already."
        )
    from ctranslate2.converters import TransformersConverter

    copied = [name for name in (*TOKENIZERS, "README.md") if (original / name).is_file()]
    with scratch(done.parent) as temporary:
        try:
            TransformersConverter(str(original), copy_files=copied).convert(str(temporary / "model"))
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            raise InputError(f"{original} cannot be converted: {error}. Fetch it again.") from None
        settle(temporary / "model", done)
