"""Convert a Transformers model to CTranslate2's format, once; this alone needs the `train` extra."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from builders.translation.model import MARIAN, TOKENIZER_CONFIG, TOKENIZERS
from builders.translation.model_loading import convert_model
from corpora.errors import InputError
from corpora.files import move_into_place, sha256_of, temporary_folder
from corpora.strict_json import load_json

ARCHITECTURES = {"m2m_100": "NLLB, M2M100 and SMaLL-100", "t5": "MADLAD-400", "marian": "OPUS-MT"}  # by model_type
COPIED = (*TOKENIZERS, MARIAN[1], TOKENIZER_CONFIG, "README.md")


def convert_checkpoint(
    original: Path,
    folder: Path,
    log: Callable[[str], None],
    architectures: Mapping[str, str] = ARCHITECTURES,
    copied: Sequence[str] = COPIED,
) -> Path:
    """Return the folder of the converted model, below `folder` and named by its digest; convert if it is missing.

    Weights keep their type; CTranslate2 quantizes them when it loads the model.

    Args:
        original: A folder with a model of Transformers.
        folder: The folder of conversions.
        log: Receives a sentence before a conversion.
        architectures: Names of the models that are supported, by model_type.
        copied: Files that the conversion has too.

    Raises:
        InputError: The model cannot be converted.
    """
    config = _config(original)
    if config.get("model_type") not in architectures:
        raise InputError(
            f"{original} is a model of type {config.get('model_type')}; only those of "
            f"{', '.join(architectures.values())} are supported. Name another."
        )
    weights = sorted(original.glob("*.safetensors"))
    if not weights:
        hint = "Name a folder that holds one."
        if any(original.glob("*.bin")) or any(original.glob("*.pt")):
            hint = (
                "Its weights are a pickle, which can run code when it is read: where you trust it, convert it with "
                "ct2-transformers-converter, and name the new folder."
            )
        raise InputError(f"{original} holds neither safetensors nor a model.bin of CTranslate2. {hint}")
    names = dict.fromkeys(["config.json", "vocab.json", TOKENIZER_CONFIG, MARIAN[1], *TOKENIZERS, *copied])
    names.pop("README.md", None)
    files = [path for path in [*weights, *(original / name for name in names)] if path.exists()]
    text = "\n".join(sha256_of(path) for path in files)
    converted = folder / f"converted-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if not converted.exists():
        log(f"Converting {original.name} for CTranslate2; this is done once.")
        _convert(original, converted, copied)
    return converted


def _config(original: Path) -> dict[str, object]:
    path = original / "config.json"
    if not path.is_file():
        raise InputError(
            f"{original} is no translation model: it holds neither model.bin (CTranslate2) nor config.json "
            "(Transformers). Name a folder that holds one, or --translator none."
        )
    try:
        config = load_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}. Download the model again.") from None
    return config if isinstance(config, dict) else {}


def _convert(original: Path, converted: Path, copied: Sequence[str]) -> None:
    if not (find_spec("torch") and find_spec("transformers")):
        raise InputError(
            f"{original} is a Transformers model. To convert it, install coit-builders[train] "
            "(translation itself does not need it), or name a model that is converted already."
        )
    copied = [name for name in copied if (original / name).is_file()]
    with temporary_folder(converted.parent) as temporary:
        try:
            convert_model(original, temporary / "model", copied)
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            raise InputError(f"{original} cannot be converted: {error}. Download it again.") from None
        move_into_place(temporary / "model", converted)
