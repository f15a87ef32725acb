"""Score pairs by an encoder of sentences: the cosine of the vectors of both sides (LaBSE, multilingual-e5)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.scoring.scorer_table import ScorerRow
from builders.translation import (
    TranslatorOptions,
    all_cores,
    convert_checkpoint,
    load_dense,
    load_encoder,
    load_fast_tokenizer,
)
from corpora.catalog import base_code, language
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.strict_json import load_json

VERSION = "cosine 1"
DECIMALS = 4
ENCODERS = {"bert": "BERT", "xlm-roberta": "XLM-RoBERTa"}  # by model_type
WEIGHTS, VOCABULARIES, TOKENIZER = "model.bin", ("vocabulary.json", "vocabulary.txt"), "tokenizer.json"
POOLING, DENSE = "1_Pooling/config.json", "2_Dense/model.safetensors"  # of sentence-transformers
COPIED = (TOKENIZER, POOLING, DENSE)

Array = NDArray[Any]


def is_encoder(folder: Path) -> bool:
    """Return whether a folder holds an encoder of sentences, in the format of Transformers or of CTranslate2."""
    if (folder / WEIGHTS).is_file():
        return any((folder / name).is_file() for name in VOCABULARIES)
    return _read(folder / "config.json").get("model_type") in ENCODERS


def _read(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file, empty if there is none.

    Raises:
        InputError: It is damaged.
    """
    try:
        content = load_json(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}. Download the model again.") from None
    return content if isinstance(content, dict) else {}


@dataclass
class EncoderScorer:
    """Scores a pair by how alike the vectors of its sides are; the model is loaded with the first batch."""

    folder: Path
    row: ScorerRow
    threads: int
    device: str
    compute_type: str
    _lock: Lock = field(default_factory=Lock)
    _encoder: Any = None

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.row.model if not Path(self.row.model).is_dir() else Path(self.row.model).resolve().name

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the model's files, what it reads before a text, the compute type and the formula."""
        names = [WEIGHTS, *VOCABULARIES, *COPIED]
        digests = [sha256_of(self.folder / name) for name in names if (self.folder / name).is_file()]
        text = "\n".join([VERSION, self.compute_type, self.row.prefix, str(self.row.max_tokens), *digests])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def licence(self) -> str:
        """The licence of the model."""
        return self.row.licence or "not stated"

    @property
    def num_workers(self) -> int:
        """The number of cores; a GPU computes one batch at a time."""
        return 1 if self.device == "cuda" else self.threads

    def check_language(self, lang: str) -> None:
        """Raise InputError if the model is known not to have a language."""
        known = self.row.langs.split()
        if known and not {lang, base_code(lang)} & set(known):
            raise InputError(
                f"The encoder {self.name} does not have {language(lang).name} ({lang}). Leave the language out of "
                "--langs, or name another model with --score-with."
            )

    def score(self, en: Sequence[str], xx: Sequence[str], lang: str) -> list[float | None]:
        """Return the cosine of the vectors of both sides."""
        encoded = [self._tokenizer.encode_batch([self.row.prefix + text for text in side]) for side in (en, xx)]
        longest = [max(len(a.tokens), len(b.tokens)) for a, b in zip(*encoded, strict=True)]
        fitting = [row for row, length in enumerate(longest) if length <= self.row.max_tokens + 2]
        scores: list[float | None] = [None] * len(en)
        if fitting:
            vectors = [self._vectors([side[row].tokens for row in fitting]) for side in encoded]
            for row, value in zip(fitting, (vectors[0] * vectors[1]).sum(axis=1), strict=True):
                scores[row] = round(float(value), DECIMALS)
        return scores

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = load_fast_tokenizer(self.folder / TOKENIZER)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _has_first_token(self) -> bool:
        """Whether the vector of a sentence is that of its first token, as the model's own configuration says."""
        return bool(_read(self.folder / POOLING).get("pooling_mode_cls_token"))

    @cached_property
    def _dense(self) -> tuple[Array, Array] | None:
        return load_dense(self.folder / DENSE) if (self.folder / DENSE).is_file() else None

    def _load(self) -> Any:
        with self._lock:
            if self._encoder is None:
                workers = {"inter_threads": self.threads, "intra_threads": 1} if self.device == "cpu" else {}
                self._encoder = load_encoder(self.folder, self.device, compute_type=self.compute_type, **workers)
            return self._encoder

    def _vectors(self, tokens: list[list[str]]) -> Array:
        """Return a vector of length 1 for each text."""
        output = self._load().forward_batch(tokens)
        pooler = getattr(output, "pooler_output", None)
        if pooler is not None and not (self.folder / POOLING).is_file():
            vectors = _array(pooler)
        else:
            states = _array(output.last_hidden_state)
            lengths = np.array([len(own) for own in tokens])
            is_text = (np.arange(states.shape[1]) < lengths[:, None])[:, :, None]
            vectors = states[:, 0] if self._has_first_token else (states * is_text).sum(axis=1) / lengths[:, None]
        if self._dense:
            vectors = np.tanh(vectors @ self._dense[0].T + self._dense[1])
        return np.asarray(vectors / np.maximum(1e-9, np.linalg.norm(vectors, axis=1, keepdims=True)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the loaded model behind."""
        return EncoderScorer, (self.folder, self.row, self.threads, self.device, self.compute_type)


def _array(view: Any) -> Array:
    import ctranslate2

    on_cpu = view.to(ctranslate2.DataType.float32).to_device(ctranslate2.Device.cpu)
    return np.array(on_cpu, np.float32)


def open_encoder(folder: Path, row: ScorerRow, options: TranslatorOptions) -> EncoderScorer:
    """Return what scores pairs by the encoder in a folder, converted for CTranslate2 if it is not.

    Raises:
        InputError: The folder holds no encoder, or one without a tokenizer.json.
    """
    import ctranslate2

    if not (folder / WEIGHTS).is_file():
        folder = convert_checkpoint(folder, options.work / "memory" / "models", options.log, ENCODERS, COPIED)
    for names in (VOCABULARIES, (TOKENIZER,)):
        if not any((folder / name).is_file() for name in names):
            raise InputError(f"The encoder {folder} lacks {' or '.join(names)}. Copy it there from the original model.")
    device = options.device or ("cuda" if ctranslate2.get_cuda_device_count() else "cpu")
    compute_type = options.compute_type or ("float16" if device == "cuda" else "int8")
    return EncoderScorer(folder, row, options.threads or all_cores(), device, compute_type)
