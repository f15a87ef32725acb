"""The SentencePiece models that spBLEU splits text by: FLORES-200's pinned, every other one named by its digest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.files import sha256_of
from trainer.evaluation.items import Place

# The model of NLLB and of sacreBLEU's `flores200` are the same file.
PINNED = {"flores200": "14bb8dfb35c0ffdea7bc01e56cea38b9e3d5efcdcb9c251d6b40538e1aab555a"}
URLS = {
    "flores101": "https://dl.fbaipublicfiles.com/fairseq/models/flores/sacrebleu_tokenizer_spm.model",
    "flores200": "https://tinyurl.com/flores200sacrebleuspm",
}


@dataclass(frozen=True)
class SentencePieces:
    """A SentencePiece model under the name that stands in a signature."""

    name: str
    processor: Any

    def split(self, text: str) -> str:
        """The pieces of a text with spaces between them, as sacreBLEU's tokenizers give them."""
        return " ".join(self.processor.encode(text, out_type=str))


def load_pieces(asked: str, place: Place | None = None) -> SentencePieces:
    """The model NAME=FILE, or a pinned NAME, downloaded; InputError if it is none, or not what its name is known to be.

    sacreBLEU downloads these files unchecked. A name without a pinned digest carries the file's own in the
    signature, so that two files never pass for one.
    """
    name, _, file = asked.partition("=")
    if place and not file and name in PINNED:
        file = str(_downloaded(name, place))
    path = Path(file)
    if not name or not file:
        raise InputError(f"'{asked}' names no SentencePiece model; one looks like flores200, or flores200=FILE.")
    if not path.is_file():
        where = f" sacreBLEU takes it from {URLS[name]}." if name in URLS else ""
        raise InputError(f"There is no file {path} for spBLEU.{where}")
    found = sha256_of(path)
    if found != PINNED.get(name, found):
        raise InputError(
            f"{path} is not the model of {name}: sha256 {found}, expected {PINNED[name]}. Download it again."
        )
    return SentencePieces(name if name in PINNED else f"{name}-{found[:12]}", _processor(path))


def _downloaded(name: str, place: Place) -> Path:
    """The file of a pinned model, downloaded once and checked."""
    from corpora.download import Source, pull_sources

    source = Source(f"spm-{name}", "", URLS[name], PINNED[name])
    return pull_sources([source], place.downloads, place.lock, mirror=place.mirror, offline=place.offline)[0].path


def _processor(path: Path) -> Any:
    from sentencepiece import SentencePieceProcessor

    try:
        return SentencePieceProcessor(model_file=str(path))
    except (RuntimeError, OSError) as error:
        raise InputError(f"{path} is no SentencePiece model: {str(error).splitlines()[0]}") from None
