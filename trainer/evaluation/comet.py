"""COMET: a trained metric of translations, read from its authors' checkpoint as weights only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.hub import HubRepository
from corpora.tables import read_yaml
from trainer.evaluation.batching import by_length
from trainer.evaluation.metrics import ResolvedOptions
from trainer.model_loading import load_fast_tokenizer, make_xlm_roberta

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.evaluation.comet_model import Regression

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
# The values of a checkpoint's settings that are implemented; `sparsemax_patch` is softmax in unbabel-comet since 2.2.4.
SUPPORTED = {
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
    """A checkpoint in `folder`, and the folder of its encoder's `config.json` and `tokenizer.json`; a Scorer."""

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
        """The encoder's tokenizer as its file has it; it truncates at the encoder's positions as unbabel-comet does."""
        tokenizer = load_fast_tokenizer(self.encoder / "tokenizer.json")
        config = self.regression.encoder.model.config
        tokenizer.enable_truncation(config.max_position_embeddings - 4)
        tokenizer.enable_padding(pad_id=config.pad_token_id, pad_token="<pad>")
        return tokenizer

    @cached_property
    def regression(self) -> "Regression":
        """The model, in float32, on a GPU where there is one."""
        import torch

        from trainer.evaluation.comet_model import load_weights, read_weights

        path = self.folder / CHECKPOINT
        weights = read_weights(path)
        with torch.device("meta"):
            num_weights = sum(weight.numel() for weight in self._build().parameters())
        if num_weights > path.stat().st_size:  # a weight takes two bytes or four
            raise InputError(f"{self.folder / SETTINGS} describes {num_weights:,} weights, more than {path} has.")
        model = self._build()
        load_weights(model, weights, path)
        model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        return model

    def _build(self) -> "Regression":
        """Return the network that the settings describe, without its weights."""
        from trainer.evaluation.comet_model import Regression

        settings = _settings(self.folder / SETTINGS)
        sparse = settings["layer_transformation"] == "sparsemax"
        return Regression(make_xlm_roberta(self.encoder), settings["hidden_sizes"], sparse, settings["layer_norm"])

    def scores(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str], batch_size: int = 32
    ) -> Iterator[list[tuple[int, float]]]:
        """Yield the index and score (about 0..1) of each translation, in batches of similar length, longest first."""
        import torch

        lengths = [sum(map(len, texts)) for texts in zip(sources, hypotheses, references, strict=True)]
        for indices in by_length(lengths, batch_size):
            sides = [self._ids([side[index] for index in indices]) for side in (sources, hypotheses, references)]
            with torch.inference_mode():
                scores = self.regression(*sides).tolist()
            yield list(zip(indices, scores, strict=True))

    def _ids(self, texts: Sequence[str]) -> "tuple[Tensor, Tensor]":
        import torch

        encoded = self.tokenizer.encode_batch(list(texts))
        device = next(self.regression.parameters()).device
        return (
            torch.tensor([one.ids for one in encoded], device=device),
            torch.tensor([one.attention_mask for one in encoded], device=device),
        )


def open_comet(options: ResolvedOptions) -> Comet:
    """Return the scorer of the metric comet."""
    return load_comet(options["comet"], options.source.offline)


def load_comet(model: str, offline: bool = False) -> Comet:
    """Return the checkpoint in a folder, of a pinned name, or of ORG/NAME@COMMIT on the Hub.

    The encoder's two files are in the folder's own `encoder/`, or in the repository that its settings name.

    Raises:
        InputError: There is no such model, or it is not the pinned one.
    """
    folder = Path(model)
    pinned = None
    if not model or not folder.is_dir():
        repository, commit, pinned = _on_hub(model)
        folder = HubRepository(repository, "model", offline).download(commit, (SETTINGS, CHECKPOINT))
    for name in (SETTINGS, CHECKPOINT):
        if not (folder / name).is_file():
            raise InputError(f"{folder} is not a COMET model: {name} is missing.")
    sha256 = sha256_of(folder / CHECKPOINT)
    if pinned and sha256 != pinned:
        raise InputError(f"{folder / CHECKPOINT} is not that of {model}: sha256 {sha256}, expected {pinned}.")
    known = {sha256: name for name, (_, _, sha256) in PINNED.items()}
    own_name = folder.resolve().name if Path(model).is_dir() else model.partition("@")[0]
    return Comet(known.get(sha256, own_name), folder, _encoder_folder(folder, offline), sha256)


def _on_hub(model: str) -> tuple[str, str, str | None]:
    if model in PINNED:
        return PINNED[model]
    repository, _, commit = model.partition("@")
    if model.startswith((".", "/")) or repository.count("/") != 1 or not commit:
        known = ", ".join(PINNED)
        raise InputError(f"'{model}' names no COMET model. Give {known}, a folder, or ORG/NAME@COMMIT on the Hub.")
    return repository, commit, None


def _encoder_folder(folder: Path, offline: bool) -> Path:
    """Return the folder of the encoder's configuration and tokenizer."""
    name = str(_settings(folder / SETTINGS)["pretrained_model"])
    own = next((path for path in (folder / "encoder", Path(name)) if path.is_dir()), None)
    if own is None and name not in ENCODERS:
        raise InputError(f"The encoder '{name}' is not known: put {', '.join(ENCODER_FILES)} into {folder}/encoder.")
    path = own or _download_encoder(name, offline)
    for file in ENCODER_FILES:
        if not (path / file).is_file():
            raise InputError(f"The encoder's {file} is not in {path}.")
    return path


def _download_encoder(name: str, offline: bool) -> Path:
    repository, commit = ENCODERS[name]
    return HubRepository(repository, "model", offline).download(commit, ENCODER_FILES)


def _settings(path: Path) -> dict[str, Any]:
    """Return the checkpoint's settings.

    Raises:
        InputError: They ask for another computation than the one implemented here.
    """
    settings = read_yaml(path)
    for key, supported in SUPPORTED.items():
        if settings.get(key) not in supported:
            known = " or ".join(map(str, supported))
            raise InputError(f"{path}: {key} is {settings.get(key)}; {known} is supported (wmt22-comet-da).")
    if not isinstance(settings.get("hidden_sizes"), list) or "pretrained_model" not in settings:
        raise InputError(f"{path} has no hidden_sizes or no pretrained_model.")
    return settings
