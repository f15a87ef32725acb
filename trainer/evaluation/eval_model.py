"""Candidate: a model that is evaluated, how it is asked, and what it learned from."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.files import sha256_of
from recipes.prompts import PromptTemplate, prompt_template
from trainer.preparation import Encoder, first_line, tokenizer_sha256
from trainer.recipe import digest
from trainer.run import RunMetadata, cumulative_examples, read_metadata

PROMPT = "alpaca"  # where no run says how its model was asked


@dataclass(frozen=True)
class Origin:
    """What a model was trained on, as its results say it; all empty for a model that no run made."""

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
class Candidate:
    """A model under its name in scores; `folder` holds its weights, or is its name on the Hub or at an endpoint."""

    name: str
    place: str
    form: PromptTemplate
    origin: Origin
    revision: str | None = None

    @cached_property
    def tokenizer(self) -> Any:
        """The model's own tokenizer; InputError if it has none, or none that ends."""
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.place, revision=self.revision, trust_remote_code=False)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise InputError(f"No tokenizer could be loaded from '{self.place}': {first_line(error)}") from None
        if tokenizer.eos_token_id is None:
            raise InputError(f"The tokenizer of '{self.place}' names no end token, so no answer would ever end.")
        return tokenizer

    @cached_property
    def encoder(self) -> Encoder:
        """How instructions become ids: exactly as in training."""
        return Encoder(self.form, self.tokenizer)

    @cached_property
    def model(self) -> Any:
        """The model, in float32 on a CPU and bfloat16 on a GPU, read from safetensors and nothing else."""
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        try:
            model = AutoModelForCausalLM.from_pretrained(
                self.place,
                revision=self.revision,
                dtype=getattr(torch, number_type()),
                use_safetensors=True,
                trust_remote_code=False,
            )
        except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
            raise InputError(f"No model could be loaded from '{self.place}': {first_line(error)}") from None
        _check_tokens(model, self.tokenizer, self.place)
        return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")

    @cached_property
    def identity(self) -> str:
        """A digest of all that its answers depend on: weights, tokenizer, prompt, and the numbers it counts in."""
        return digest([self._weights(), tokenizer_sha256(self.tokenizer), self.form.sha256(), number_type()])

    def _weights(self) -> object:
        folder = Path(self.place)
        if not folder.is_dir():
            return [self.place, str(getattr(self.model.config, "_commit_hash", None))]
        files = sorted([*folder.glob("*.safetensors"), folder / "config.json"])
        return {path.name: sha256_of(path) for path in files}


def number_type() -> str:
    """What a model is computed in here: bfloat16 on a GPU, float32 on a CPU."""
    import torch

    return "bfloat16" if torch.cuda.is_available() else "float32"


def find_candidate(asked: str, prompt: str | None = None, name: str | None = None) -> Candidate:
    """The model of a run's folder, of a model's folder, or of the Hub (ORG/NAME[@REVISION]); InputError if none."""
    path = Path(asked)
    if not path.is_dir():
        if asked.startswith((".", "/")) or asked.count("/") != 1 or path.parent.is_dir():  # runs/RUN is no ORG/NAME
            raise InputError(f"There is no folder {asked}. Name a run, a folder with a model, or ORG/NAME on the Hub.")
        place, _, revision = asked.partition("@")
        return Candidate(name or place, place, prompt_template(prompt or PROMPT), Origin(), revision or None)
    record = read_metadata(path) or (read_metadata(path.resolve().parent) if path.name == "model" else None)
    folder = path / "model" if (path / "model" / "config.json").is_file() else path
    _check_folder(folder, record)
    run = path.resolve().parent if folder == path and record else path.resolve()
    return Candidate(
        name or run.name, str(folder), prompt_template(prompt or trained_prompt(record)), origin_of(record)
    )


def served_candidate(asked: str, prompt: str | None = None, name: str | None = None) -> Candidate:
    """A model at an endpoint: by the name that it has there, or by the folder of the run that made it."""
    if Path(asked).is_dir():
        return find_candidate(asked, prompt, name)
    return Candidate(name or asked, asked, prompt_template(prompt or PROMPT), Origin())


def _check_folder(folder: Path, record: RunMetadata | None) -> None:
    if record and record["status"] != "done":
        raise InputError(f"The run {folder} is not done ({record['status']}); the same `trainer sft` goes on with it.")
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise InputError(f"{folder} holds no model: a config.json and weights as safetensors were expected.")


def _check_tokens(model: Any, tokenizer: Any, place: str) -> None:
    size = model.get_input_embeddings().weight.shape[0]
    if max(tokenizer.get_vocab().values()) >= size:
        raise InputError(f"The tokenizer of '{place}' has more tokens than the {size:,} that its model knows.")


def trained_prompt(record: RunMetadata | None) -> str:
    """The prompt that a run trained with; InputError if it has changed since."""
    if record is None:
        return PROMPT
    said = record["prompt"]
    if prompt_template(said["name"]).sha256() != said["sha256"]:
        raise InputError(
            f"The prompt '{said['name']}' is not as it was when the model was trained. Restore it in "
            "recipes/prompts.toml, or name one with --prompt."
        )
    return str(said["name"])


def origin_of(record: RunMetadata | None) -> Origin:
    """What a run's record says of the text that its model learned from."""
    if record is None:
        return Origin()
    release = record["release"]
    return Origin(f"{release['name']}@{release['version']}", record["seed"], cumulative_examples(record))
