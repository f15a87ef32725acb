"""SentencePiece models for spBLEU: the one of FLORES-200 is pinned, others are named by their digest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.files import sha256_of
from trainer.evaluation.items import BenchmarkSource
from trainer.model_loading import load_sentencepiece

# The model of NLLB and of sacreBLEU's `flores200` are the same file.
PINNED = {"flores200": "14bb8dfb35c0ffdea7bc01e56cea38b9e3d5efcdcb9c251d6b40538e1aab555a"}
URLS = {
    "flores101": "https://dl.fbaipublicfiles.com/fairseq/models/flores/sacrebleu_tokenizer_spm.model",
    "flores200": "https://tinyurl.com/flores200sacrebleuspm",
}


@dataclass(frozen=True)
class SentencePieces:
    """A SentencePiece model and its name in signatures."""

    name: str
    processor: Any

    def split(self, text: str) -> str:
        """Return the pieces of a text joined by spaces, as sacreBLEU's tokenizers do."""
        return " ".join(self.processor.encode(text, out_type=str))


def load_pieces(value: str, source: BenchmarkSource | None = None) -> SentencePieces:
    """Return the SentencePiece model of an option's value: NAME=FILE, or a pinned NAME, which is downloaded.

    sacreBLEU downloads these files unchecked. A model without a pinned digest has its file's digest in its name, so
    that two files never pass for one.

    Raises:
        InputError: The value names no model, or its file is not the pinned one.
    """
    name, _, file = value.partition("=")
    if source and not file and name in PINNED:
        file = str(_download(name, source))
    path = Path(file)
    if not name or not file:
        raise InputError(f"'{value}' names no SentencePiece model. Give flores200, or NAME=FILE.")
    if not path.is_file():
        hint = f" sacreBLEU takes it from {URLS[name]}." if name in URLS else ""
        raise InputError(f"There is no file {path} for spBLEU.{hint}")
    sha256 = sha256_of(path)
    if sha256 != PINNED.get(name, sha256):
        raise InputError(
            f"{path} is not the model of {name}: sha256 {sha256}, expected {PINNED[name]}. Download it again."
        )
    return SentencePieces(name if name in PINNED else f"{name}-{sha256[:12]}", load_sentencepiece(path))


def _download(name: str, source: BenchmarkSource) -> Path:
    """Return the file of a pinned model, downloaded once and checked."""
    from corpora.download import Source, pull_sources

    file = Source(f"spm-{name}", "", URLS[name], PINNED[name])
    folder, lock = source.downloads, source.corpora_lock
    return pull_sources([file], folder, lock, mirror=source.mirror, offline=source.offline)[0].path
