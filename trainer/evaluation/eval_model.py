"""A model that is evaluated: its weights or its name at a server, its prompt template, and what it was trained on."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from corpora.endpoint import Endpoint, backend
from corpora.errors import InputError
from corpora.files import sha256_of
from recipes.prompts import PromptTemplate, prompt_template
from trainer.model_loading import find_model_folder, load_tokenizer_files, load_weights
from trainer.preparation import Encoder, tokenizer_sha256
from trainer.recipe import digest
from trainer.run import RunMetadata, cumulative_examples, read_metadata

DEFAULT_PROMPT = "alpaca"  # for a model without a run


@dataclass(frozen=True)
class Provenance:
    """What a model was trained on, as results record it; all empty for a model that no run of ours made."""

    release: str = ""
    seed: int = 0
    composition: dict[str, dict[str, int]] = field(default_factory=dict)  # examples by task and language

    def num_pairs(self, lang: str) -> int:
        """Return how many translation examples with a language the model was trained on."""
        return self.composition.get("translation", {}).get(lang, 0)

    def num_documents(self, lang: str) -> int:
        """Return how many documents in a language the model was trained on."""
        return self.composition.get("text", {}).get(lang, 0)


@dataclass(frozen=True)
class EvalModel:
    """A model that is evaluated.

    Attributes:
        name: The name in results.
        path: The folder of its weights, or its name on the Hub or at a server.
        prompt: The prompt template.
        provenance: What it was trained on.
        revision: The revision on the Hub.
        endpoint: The server that answers in place of weights here.
        offline: Use the Hub's cache only.
    """

    name: str
    path: str
    prompt: PromptTemplate
    provenance: Provenance
    revision: str | None = None
    endpoint: Endpoint | None = None
    offline: bool = False

    @cached_property
    def folder(self) -> Path:
        """The folder of its files: a local one, or that of one commit in the Hub's cache, downloaded if need be."""
        return find_model_folder(self.path, self.revision, self.offline)

    @cached_property
    def tokenizer(self) -> Any:
        """The model's own tokenizer; InputError if it has none, or one without an end token."""
        tokenizer = load_tokenizer_files(self.folder, self.path)
        if tokenizer.eos_token_id is None:
            raise InputError(f"The tokenizer of '{self.path}' has no end token, so no answer would ever end.")
        return tokenizer

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of prompts, the same as in training."""
        return Encoder(self.prompt, self.tokenizer)

    @cached_property
    def model(self) -> Any:
        """The model, in float32 on a CPU and bfloat16 on a GPU, read from safetensors only."""
        import torch
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        model = load_weights(self.folder, self.path, dtype=getattr(torch, dtype_name()))
        _check_tokens(model, self.tokenizer, self.path)
        return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")

    @cached_property
    def backend(self) -> str:
        """What computes the outputs, with its version: transformers and the number type here, or a server."""
        if self.endpoint:
            return backend(self.endpoint)
        import transformers

        return f"transformers-{transformers.__version__}-{dtype_name()}"

    @cached_property
    def weights(self) -> str:
        """The digest of the files of weights and configuration."""
        return digest(self._weights())

    def release(self) -> None:
        """Forget the loaded model, so that its memory is free for the next one."""
        import gc

        import torch

        for name in ("model", "encoder", "tokenizer"):
            self.__dict__.pop(name, None)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def result_fields(self, lang: str) -> dict[str, Any]:
        """Return the fields of a result in a language that say which model it is about."""
        provenance = self.provenance
        return {
            "release": provenance.release,
            "lang": lang,
            "num_pairs": provenance.num_pairs(lang),
            "num_documents": provenance.num_documents(lang),
            "seed": provenance.seed,
            "composition": provenance.composition,
            "model": self.name,
        }

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything that answers depend on: weights, tokenizer, prompt template and number type."""
        if self.endpoint:
            return self.endpoint.fingerprint
        return digest([self._weights(), tokenizer_sha256(self.tokenizer), self.prompt.sha256(), dtype_name()])

    def _weights(self) -> object:
        files = sorted([*self.folder.glob("*.safetensors"), self.folder / "config.json"])
        return {path.name: sha256_of(path) for path in files}


def dtype_name() -> str:
    """Return the number type of models here: bfloat16 on a GPU, float32 on a CPU."""
    import torch

    return "bfloat16" if torch.cuda.is_available() else "float32"


def load_model(
    model: str | Path, prompt: str | None = None, name: str | None = None, offline: bool = False
) -> EvalModel:
    """Return the model of a run's folder, of a model's folder, or of the Hub (ORG/NAME[@REVISION]).

    Args:
        model: The run, folder or name.
        prompt: The prompt template; by default the one that the run trained with.
        name: The name in results; by default the folder's.
        offline: Use the Hub's cache only.

    Raises:
        InputError: There is no such model, or its run is not finished.
    """
    path, text = Path(model), str(model)
    if path.is_file():
        raise InputError(f"{text} is a file; the folder of a run or of a model was expected.")
    if not path.is_dir():
        is_pattern = not set("*?[").isdisjoint(text)  # a shell leaves runs/* as it is where there are no runs
        if text.startswith((".", "/")) or text.count("/") != 1 or path.parent.is_dir() or is_pattern:
            raise InputError(f"There is no folder {text}. Name a run, a folder with a model, or ORG/NAME on the Hub.")
        repository, _, revision = text.partition("@")
        template = prompt_template(prompt or DEFAULT_PROMPT)
        return EvalModel(name or repository, repository, template, Provenance(), revision or None, offline=offline)
    run = read_metadata(path) or (read_metadata(path.resolve().parent) if path.name == "model" else None)
    folder = path / "model" if (path / "model" / "config.json").is_file() else path
    _check_folder(folder, run)
    named = path.resolve().parent if folder == path and run else path.resolve()
    return EvalModel(
        name or named.name, str(folder), prompt_template(prompt or trained_prompt(run)), provenance_of(run)
    )


def remote_model(
    model: str | Path, endpoint: Endpoint | None = None, prompt: str | None = None, name: str | None = None
) -> EvalModel:
    """Return a model at a server, by its name there or by the folder of the run that made it."""
    if Path(model).is_dir():
        return replace(load_model(model, prompt, name), endpoint=endpoint)
    template = prompt_template(prompt or DEFAULT_PROMPT)
    return EvalModel(name or str(model), str(model), template, Provenance(), endpoint=endpoint)


def _check_folder(folder: Path, run: RunMetadata | None) -> None:
    if run and run["status"] != "done":
        raise InputError(
            f"The run {folder} is not done ({run['status']}). Continue it with the same `trainer sft` command."
        )
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise InputError(f"{folder} holds no model: config.json and weights as safetensors were expected.")


def _check_tokens(model: Any, tokenizer: Any, path: str) -> None:
    size = model.get_input_embeddings().weight.shape[0]
    if max(tokenizer.get_vocab().values()) >= size:
        raise InputError(f"The tokenizer of '{path}' has more tokens than the {size:,} of its model.")


def trained_prompt(run: RunMetadata | None) -> str:
    """Return the name of the prompt template that a run trained with.

    Raises:
        InputError: The template has changed since.
    """
    if run is None:
        return DEFAULT_PROMPT
    recorded = run["prompt"]
    if prompt_template(recorded["name"]).sha256() != recorded["sha256"]:
        raise InputError(
            f"The prompt '{recorded['name']}' has changed since the model was trained. Restore it in "
            "recipes/prompts.toml, or name another with --prompt."
        )
    return str(recorded["name"])


def provenance_of(run: RunMetadata | None) -> Provenance:
    """Return what a run's model was trained on."""
    if run is None:
        return Provenance()
    release = run["release"]
    return Provenance(f"{release['name']}@{release['version']}", run["seed"], cumulative_examples(run))
