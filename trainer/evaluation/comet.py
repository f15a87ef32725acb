"""Comet: a trained metric of translations read from its authors' own checkpoint, weights and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.hub import HubRepository
from trainer.evaluation.comet_model import Regression, encoder, load_weights
from trainer.evaluation.generation import by_length
from trainer.preparation import first_line

CHECKPOINT, SETTINGS = "checkpoints/model.ckpt", "hparams.yaml"
ENCODER_FILES = ("config.json", "tokenizer.json")
# Names on the Hub: repository, commit, and the sha256 of the checkpoint where it is known.
PINNED = {
    "wmt22-comet-da": (
        "Unbabel/wmt22-comet-da",
        "2760a223ac957f30acfb18c8aa649b01cf1d75f2",
        "e213091cde220f97b89f8bdfa750c458cfea741ad62affb455b59900210ff2af",
    )
}
ENCODERS = {"xlm-roberta-large": ("FacebookAI/xlm-roberta-large", "c23d21b0620b635a76227c604d44e43a9f0ee389")}
# What is computed here, as the checkpoint's settings say it; `sparsemax_patch` is softmax in unbabel-comet since 2.2.4.
MADE_FOR = {
    "class_identifier": ("regression_metric",),
    "encoder_model": ("XLM-RoBERTa",),
    "layer": ("mix",),
    "layer_norm": (False, True),
    "layer_transformation": ("softmax", "sparsemax", "sparsemax_patch"),
    "pool": ("avg",),
    "activations": ("Tanh",),
    "final_activation": (None,),
}


@dataclass(frozen=True)
class Comet:
    """A checkpoint in `folder`, and the folder of its encoder's `config.json` and `tokenizer.json`."""

    name: str
    folder: Path
    encoder: Path
    sha256: str

    @cached_property
    def signature(self) -> str:
        """The model, the digest of its weights, and that of its tokenizer."""
        tokens = sha256_of(self.encoder / "tokenizer.json")
        return f"model:{self.name}|sha256:{self.sha256[:12]}|tok:{tokens[:8]}|refs:first|v:1"

    @cached_property
    def tokenizer(self) -> Any:
        """The encoder's tokenizer exactly as its file has it, cut at the encoder's positions as unbabel-comet does."""
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self.encoder / "tokenizer.json"))
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"{self.encoder / 'tokenizer.json'} is no tokenizer: {first_line(error)}") from None
        config = self.regression.encoder.model.config
        tokenizer.enable_truncation(config.max_position_embeddings - 4)
        tokenizer.enable_padding(pad_id=config.pad_token_id, pad_token="<pad>")
        return tokenizer

    @cached_property
    def regression(self) -> Regression:
        """The model itself, in float32, on a GPU where there is one."""
        settings = _settings(self.folder / SETTINGS)
        sparse = settings["layer_transformation"] == "sparsemax"
        model = Regression(encoder(self.encoder), settings["hidden_sizes"], sparse, settings["layer_norm"])
        load_weights(model, self.folder / CHECKPOINT)
        model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        return model

    def scores(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str], batch_size: int = 32
    ) -> Iterator[list[tuple[int, float]]]:
        """The place and score (about 0..1) of each translation, in batches of like length, longest first."""
        lengths = [sum(map(len, texts)) for texts in zip(sources, hypotheses, references, strict=True)]
        for places in by_length(lengths, batch_size):
            sides = [self._ids([side[place] for place in places]) for side in (sources, hypotheses, references)]
            with torch.inference_mode():
                found = self.regression(*sides).tolist()
            yield list(zip(places, found, strict=True))

    def _ids(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        encoded = self.tokenizer.encode_batch(list(texts))
        device = next(self.regression.parameters()).device
        return (
            torch.tensor([one.ids for one in encoded], device=device),
            torch.tensor([one.attention_mask for one in encoded], device=device),
        )


def load_comet(asked: str, offline: bool = False) -> Comet:
    """The checkpoint in a folder, of a pinned name, or of ORG/NAME@COMMIT on the Hub; InputError if it is none.

    The encoder's two files are in the folder's own `encoder/`, or where its settings say that it came from.
    """
    folder = Path(asked)
    wanted = None
    if not asked or not folder.is_dir():
        repository, commit, wanted = _on_hub(asked)
        folder = HubRepository(repository, "model", offline).download(commit, (SETTINGS, CHECKPOINT))
    for name in (SETTINGS, CHECKPOINT):
        if not (folder / name).is_file():
            raise InputError(f"{folder} is no COMET model: {name} is not there.")
    found = sha256_of(folder / CHECKPOINT)
    if wanted and found != wanted:
        raise InputError(f"{folder / CHECKPOINT} is not that of {asked}: sha256 {found}, expected {wanted}.")
    known = {sha256: name for name, (_, _, sha256) in PINNED.items()}
    own_name = folder.resolve().name if Path(asked).is_dir() else asked.partition("@")[0]
    return Comet(known.get(found, own_name), folder, _encoder_folder(folder, offline), found)


def _on_hub(asked: str) -> tuple[str, str, str | None]:
    if asked in PINNED:
        return PINNED[asked]
    repository, _, commit = asked.partition("@")
    if asked.startswith((".", "/")) or repository.count("/") != 1 or not commit:
        known = ", ".join(PINNED)
        raise InputError(f"'{asked}' names no COMET model: {known}, a folder, or ORG/NAME@COMMIT on the Hub.")
    return repository, commit, None


def _encoder_folder(folder: Path, offline: bool) -> Path:
    """Where the encoder's configuration and tokenizer are."""
    asked = str(_settings(folder / SETTINGS)["pretrained_model"])
    own = next((place for place in (folder / "encoder", Path(asked)) if place.is_dir()), None)
    if own is None and asked not in ENCODERS:
        raise InputError(
            f"The encoder '{asked}' is not known here: put {', '.join(ENCODER_FILES)} into {folder}/encoder."
        )
    place = own or _download_encoder(asked, offline)
    for name in ENCODER_FILES:
        if not (place / name).is_file():
            raise InputError(f"The encoder's {name} is not in {place}.")
    return place


def _download_encoder(name: str, offline: bool) -> Path:
    repository, commit = ENCODERS[name]
    return HubRepository(repository, "model", offline).download(commit, ENCODER_FILES)


def _settings(path: Path) -> dict[str, Any]:
    """The checkpoint's own settings; InputError for one that asks for another computation than this."""
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(settings, dict):
        raise InputError(f"{path} holds no settings of a COMET model.")
    for key, fitting in MADE_FOR.items():
        if settings.get(key) not in fitting:
            said, known = settings.get(key), " or ".join(map(str, fitting))
            raise InputError(f"{path}: {key} is {said}, but {known} is what can be computed here (wmt22-comet-da).")
    if not isinstance(settings.get("hidden_sizes"), list) or "pretrained_model" not in settings:
        raise InputError(f"{path} says nothing of hidden_sizes and pretrained_model.")
    return settings
