"""The one place where `trainer` loads models, tokenizers, checkpoints and templates; no code from outside runs here.

Every function checks the files first (`corpora.model_files`). `tests/test_model_loading.py` holds that no other file of
the project calls a loader.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corpora.errors import InputError, first_line
from corpora.hub import HubRepository, is_offline
from corpora.model_files import (
    WeightCounts,
    check_attention,
    check_checkpoint_file,
    check_configuration,
    check_model_files,
    check_sharded_metadata,
)
from trainer.chat_template import ChatTemplate

# Of a repository on the Hub: no Python, no pickles.
MODEL_FILES = ("config.json", "*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
BUFFER_BYTES = 1 << 30  # that a model may compute beside its weights, such as masks
# Read by transformers and torch when they are imported, in this process and in those that it starts.
ENVIRONMENT = {"USE_HUB_KERNELS": "NO", "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}
os.environ |= ENVIRONMENT


def find_model_folder(source: str | Path, revision: str | None = None, offline: bool = False) -> Path:
    """Return the folder of a model or tokenizer: a local one, or that of one commit in the Hub's cache.

    Raises:
        InputError: There is no such folder or repository.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    if str(source).startswith((".", "/")) or str(source).count("/") != 1:
        raise InputError(f"There is no folder {source}. Name a folder with a model, or ORG/NAME on the Hub.")
    repository = HubRepository(str(source), "model", offline or is_offline())
    return repository.download(repository.resolve(revision or "main"), MODEL_FILES)


def load_tokenizer_files(folder: Path, label: str) -> Any:
    """Return the tokenizer in a folder; `label` names it in the InputError."""
    check_model_files(folder)
    from transformers import AutoTokenizer

    with _errors(f"No tokenizer could be loaded from '{label}'"):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def load_configuration(folder: Path, label: str) -> Any:
    """Return the configuration of the model in a folder, without its weights."""
    check_model_files(folder)
    from transformers import AutoConfig

    with _errors(f"No model could be loaded from '{label}'"):
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)


def load_weights(folder: Path, label: str, attention: str | None = None, **options: Any) -> Any:
    """Return the model in a folder, from safetensors only.

    Args:
        folder: The folder.
        label: Its name in errors.
        attention: The attention of the model; by default transformers' choice.
        **options: Those of `from_pretrained`: dtype.

    Raises:
        InputError: A file is damaged, would run code, or describes a larger model than its weights.
    """
    from transformers import AutoModelForCausalLM

    counts = check_model_files(folder)
    check_attention(attention, "attn_implementation")
    options |= {"attn_implementation": attention} if attention else {}
    with _errors(f"The model '{label}' could not be loaded"):
        _check_size(folder, counts, label)
        return AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, trust_remote_code=False, **options)


def outline_weights(folder: Path, label: str, attention: str, dtype: Any) -> Any:
    """Return the model in a folder without its weights, for a process that gets them from another.

    The memory of the weights is reserved and not written, so that it is not used.

    Raises:
        InputError: A file is damaged or would run code.
    """
    from transformers import AutoModelForCausalLM
    from transformers.initialization import no_init_weights

    check_attention(attention, "attn_implementation")
    configuration = load_configuration(folder, label)
    with _errors(f"The model '{label}' could not be made"), no_init_weights():
        return AutoModelForCausalLM.from_config(
            configuration, trust_remote_code=False, dtype=dtype, attn_implementation=attention
        )


def make_model(config: Any, attention: str, seed: int) -> Any:
    """Return a Llama with random weights."""
    from transformers import LlamaForCausalLM, set_seed

    check_attention(attention, "attn_implementation")
    set_seed(seed)
    config._attn_implementation = attention
    return LlamaForCausalLM(config)


def count_parameters(config: Any) -> int:
    """Return the number of parameters of a model of this configuration, without allocating them."""
    return int(make_outline(config).num_parameters())


def make_outline(config: Any) -> Any:
    """Return a model without memory for its weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False)


def _check_size(folder: Path, counts: WeightCounts, label: str) -> None:
    """Raise InputError if a configuration needs more weights than its files hold, so that some would be random."""
    outline = make_outline(load_configuration(folder, label))
    needed = outline.num_parameters()
    if needed > counts.num_weights:
        raise InputError(
            f"{folder / 'config.json'} describes {needed:,} weights, and the safetensors hold {counts.num_weights:,}."
        )
    num_bytes = sum(buffer.numel() * buffer.element_size() for buffer in outline.buffers())
    if num_bytes > BUFFER_BYTES + 4 * counts.num_weights:
        raise InputError(f"{folder / 'config.json'} describes {num_bytes:,} bytes of buffers. Name another model.")


def load_adapter(base: Any, folder: Path) -> Any:
    """Return a model with an adapter of ours merged into its weights."""
    from peft import PeftModel

    check_configuration(folder / "adapter_config.json")
    return PeftModel.from_pretrained(base, str(folder), use_safetensors=True).merge_and_unload()


def wrap_for_harness(model: Any, tokenizer: Any, batch_size: int) -> Any:
    """Return a loaded model as lm-evaluation-harness calls it."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch_size, trust_remote_code=False)


def make_xlm_roberta(folder: Path) -> Any:
    """Return an XLM-R as the `config.json` of a folder describes it, before its weights are loaded."""
    from transformers import XLMRobertaConfig, XLMRobertaModel

    check_configuration(folder / "config.json")
    with _errors(f"{folder / 'config.json'} does not describe an XLM-R"):
        return XLMRobertaModel(XLMRobertaConfig.from_pretrained(folder), add_pooling_layer=False)


def load_checkpoint(path: Path) -> Any:
    """Return the tensors of a file that torch has saved, read as weights only."""
    import torch

    with _errors(f"{path} is not a checkpoint that can be read as weights only"):
        check_checkpoint_file(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)


def load_fast_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a `tokenizer.json`."""
    from tokenizers import Tokenizer

    check_configuration(path)
    with _errors(f"{path} is not a tokenizer"):
        return Tokenizer.from_file(str(path))


def tokenize(tokenizer: Any, texts: Sequence[str], splits_special: bool = False) -> list[list[int]]:
    """Return the ids of texts without the special tokens that the tokenizer adds.

    Args:
        tokenizer: A tokenizer.
        texts: The texts.
        splits_special: Whether special tokens in a text are read as other characters are.

    Raises:
        InputError: A pattern of the tokenizer takes too many steps.
    """
    if not texts:
        return []
    options = {"add_special_tokens": False, "return_attention_mask": False, "verbose": False}
    try:
        encoded = tokenizer(list(texts), split_special_tokens=splits_special, **options)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust; it is no Exception
            raise
        raise InputError(f"The tokenizer cannot split a text: {first_line(error)} Name another tokenizer.") from None
    return list(encoded["input_ids"])


def open_chat_template(tokenizer: Any, template: str | None = None) -> ChatTemplate:
    """Return a function that writes conversations by a template, or by the tokenizer's own, in a limited process."""
    with _errors("The tokenizer's chat template cannot be used"):
        return ChatTemplate(tokenizer.get_chat_template(template), tokenizer.special_tokens_map)


def load_sentencepiece(path: Path) -> Any:
    """Return a SentencePiece model."""
    from sentencepiece import SentencePieceProcessor

    with _errors(f"{path} is not a SentencePiece model"):
        return SentencePieceProcessor(model_file=str(path))


def check_run_checkpoint(checkpoint: Path) -> None:
    """Check all that a run would continue from: torch's files as tensors and numbers only, and no pickle that acts.

    Raises:
        InputError: A file is damaged, or would run code.
    """
    import torch
    from transformers.trainer_pt_utils import safe_globals

    hint = f"Remove {checkpoint}; the run continues from an older one"
    for path in sorted([*checkpoint.glob("*.pt"), *checkpoint.glob("*.pth"), *checkpoint.glob("*.bin")]):
        if path.name == "training_args.bin":  # never read
            continue
        check_checkpoint_file(path)
        with _errors(f"{path} cannot be read as numbers only. {hint}"), safe_globals():
            torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    for folder in checkpoint.glob("*/"):
        if (folder / ".metadata").exists():
            check_sharded_metadata(folder)


@contextmanager
def _errors(sentence: str) -> Iterator[None]:
    """Turn what a library raises for files from outside, which may be of any kind, into a sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{sentence}: {first_line(error)}") from None
