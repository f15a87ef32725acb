"""TrainingRecipe: how a model is trained; YAML in the words of TRL, by name or path, loaded strictly."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import InputError, unknown
from recipes.prompts import prompt_template

RECIPES = Path(__file__).parent.parent / "recipes" / "training"
NOT_RECIPES = ("fsdp2",)

# A key, its type, and its default; the names are those of TRL's SFTConfig and ModelConfig where TRL has the thing.
OURS: dict[str, tuple[str, Any]] = {
    "title": ("text", ""),
    "release": ("text", ""),  # the release that the recipe is meant for
    "prompt": ("text", "alpaca"),  # a row of prompts.toml
    "tokenizer": ("text", ""),  # a folder or repository; empty: the model's
    "pad_token": ("text", ""),  # for tokenizers that name none
    "model_config": ("table", None),  # keys of a LlamaConfig: a model with random weights
    "global_batch_size": ("count", 16),  # of a step, over all processes
    "batch_unit": ("text", "examples"),  # what global_batch_size counts
    "on_overflow": ("text", "drop"),  # what happens to rows over max_length
}
MODEL: dict[str, tuple[str, Any]] = {
    "model_name_or_path": ("text", ""),
    "model_revision": ("text", None),
    "attn_implementation": ("text", "sdpa"),
    "use_peft": ("switch", False),
    "lora_r": ("count", 16),
    "lora_alpha": ("count", 32),
    "lora_dropout": ("number", 0.05),
    "lora_target_modules": ("names", "all-linear"),
}
SFT: dict[str, tuple[str, Any]] = {
    "packing": ("switch", False),
    "max_length": ("count", 1024),
    "num_train_epochs": ("number", 3.0),
    "per_device_train_batch_size": ("count", 4),
    "per_device_eval_batch_size": ("count", 8),
    "learning_rate": ("number", 2e-5),
    "lr_scheduler_type": ("text", "cosine"),
    "warmup_steps": ("number", 0.0),
    "weight_decay": ("number", 0.0),
    "adam_beta1": ("number", 0.9),
    "adam_beta2": ("number", 0.999),
    "adam_epsilon": ("number", 1e-8),
    "max_grad_norm": ("number", 1.0),
    "optim": ("text", "adamw_torch_fused"),
    "loss_type": ("text", "nll"),
    "bf16": ("switch", False),
    "tf32": ("switch", False),
    "activation_checkpointing": ("switch", False),
    "torch_compile": ("switch", False),
    "seed": ("whole", 0),
    "logging_steps": ("number", 10),
    "eval_steps": ("number", 0.1),
    "save_steps": ("number", 0.25),
    "save_total_limit": ("count", 2),
}
KEYS = OURS | MODEL | SFT
CHOICES = {
    "batch_unit": ("examples", "packed"),
    "on_overflow": ("drop", "truncate", "error"),
    "loss_type": ("nll", "dft"),
}
# Keys of TRL that a recipe may not set, and why.
MANAGED = {
    "gradient_accumulation_steps": "it follows from global_batch_size and the number of processes",
    "warmup_ratio": "TRL has no such key any more; warmup_steps below 1 is the share of all steps",
    "gradient_checkpointing": "it is called activation_checkpointing now",
    "datasets": "the rows are those of --release, all of them",
    "fraction": "a mixture is a release: it says how many rows of each",
    "trust_remote_code": "code that comes with a model is never run",
    "use_liger_kernel": "it patches every model of the process, and TRL gives it up",
    "fsdp": "--processes and --sharding say it",
    "output_dir": "--out names it",
    "max_steps": "the steps follow from the rows and num_train_epochs",
}
# Keys that change how fast or how talkative a run is, but not what it learns: another value may go on with the run.
THROUGHPUT_KEYS = (
    *("logging_steps", "eval_steps", "save_steps", "save_total_limit", "per_device_eval_batch_size"),
    *("per_device_train_batch_size", "activation_checkpointing", "title", "release"),
)


@dataclass(frozen=True)
class TrainingRecipe:
    """A recipe: its name and the value of every key of KEYS."""

    name: str
    settings: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    def training_settings(self) -> dict[str, Any]:
        """The settings that change what is learned, which a resumed run must share."""
        return {key: value for key, value in self.settings.items() if key not in THROUGHPUT_KEYS}

    def with_settings(self, **changes: Any) -> "TrainingRecipe":
        """The recipe with other values."""
        return replace(self, settings={**self.settings, **changes})


def recipe_names() -> list[str]:
    """The names of the training recipes that come with the project."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml") if path.stem not in NOT_RECIPES)


def load_recipe(name_or_path: str, changes: Sequence[str] = ()) -> TrainingRecipe:
    """The recipe of this name, or in the YAML file at this path, with `key=value` changes; InputError if unfit."""
    path = RECIPES / f"{name_or_path}.yaml"
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        path = Path(name_or_path)
    elif name_or_path not in recipe_names():
        raise unknown("training recipe", name_or_path, recipe_names())
    given = _checked(_read(path), str(path))
    asked = _checked(dict(_parse_change(change) for change in changes), "--set")
    recipe = TrainingRecipe(path.stem, {key: default for key, (_, default) in KEYS.items()} | given | asked)
    _check_together(recipe, str(path), asked)
    return recipe


def fsdp_settings(name_or_path: str) -> dict[str, Any]:
    """The `fsdp_config` of an accelerate file (`fsdp2`, or a path), in the words of TrainingArguments."""
    path = (
        RECIPES / f"{name_or_path}.yaml" if "/" not in name_or_path and "." not in name_or_path else Path(name_or_path)
    )
    table = _read(path)
    if table.get("distributed_type") != "FSDP" or not isinstance(table.get("fsdp_config"), dict):
        raise InputError(f"{path} is no accelerate file for FSDP: distributed_type FSDP and fsdp_config were expected.")
    settings = {key.removeprefix("fsdp_"): value for key, value in table["fsdp_config"].items()}
    settings["cpu_offload"] = settings.pop("offload_params", False)  # as TrainingArguments calls it
    if settings.get("version") != 2:
        raise InputError(f"{path}: fsdp_version must be 2; the first FSDP is being taken out of transformers.")
    return settings


def digest(value: object) -> str:
    """The SHA-256 of a value as JSON with sorted keys, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """The table of a YAML file, on top of the recipe that its key `extends` names."""
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. Recipes by name: {', '.join(recipe_names())}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a YAML file was expected.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise InputError(f"{path}: keys and values were expected, such as 'learning_rate: 2e-5'.")
    if "extends" not in table:
        return table
    base = table.pop("extends")
    if base not in recipe_names() or base == path.stem:
        raise InputError(f"{path}: {unknown('recipe to extend', str(base), recipe_names())}")
    return _read(RECIPES / f"{base}.yaml") | table


def _parse_change(text: str) -> tuple[str, Any]:
    """`key=value` as a key and a value as YAML reads it."""
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set takes KEY=VALUE, such as learning_rate=1e-5, not '{text}'.")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"--set {text}: '{value}' is not valid YAML.") from None


def _checked(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The table with every value of the type of its key; InputError for a key or value that is not known."""
    for key in table:
        if key in MANAGED:
            raise InputError(f"{where}: '{key}' cannot be set: {MANAGED[key]}.")
        if key not in KEYS:
            raise InputError(f"{where}: {unknown('key', key, KEYS)}")
    return {key: _typed(key, value, where) for key, value in table.items()}


def _typed(key: str, value: Any, where: str) -> Any:
    kind, default = KEYS[key]
    if value is None and default is None:
        return None
    if kind == "number" and isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
        value = float(value)  # YAML 1.1 takes 2e-5 for a string
    right, expected = {
        "text": (isinstance(value, str), "a text"),
        "switch": (isinstance(value, bool), "true or false"),
        "count": (type(value) is int and value > 0, "a whole number above 0"),
        "whole": (type(value) is int and value >= 0, "a whole number of at least 0"),
        "number": (type(value) in (int, float) and 0 <= value < float("inf"), "a number of at least 0"),
        "table": (isinstance(value, dict), "a table"),
        "names": (isinstance(value, str) or _are_texts(value), "a name or a list of names"),
    }[kind]
    if not right:
        raise InputError(f"{where}: '{key}' must be {expected}, not {value!r}.")
    if key in CHOICES and value not in CHOICES[key]:
        raise InputError(f"{where}: {unknown(f'value of {key}', value, CHOICES[key])}")
    return float(value) if kind == "number" else value


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _check_together(recipe: TrainingRecipe, where: str, changed: Mapping[str, Any]) -> None:
    """InputError for settings that make no sense together, or by themselves."""
    prompt_template(recipe["prompt"])
    if bool(recipe["model_name_or_path"]) == bool(recipe["model_config"]):
        raise InputError(f"{where}: a recipe needs model_name_or_path or model_config, one of the two.")
    if recipe["model_config"] and not recipe["tokenizer"]:
        raise InputError(f"{where}: model_config needs a tokenizer.")
    if recipe["batch_unit"] == "packed" and not recipe["packing"]:
        raise InputError(f"{where}: batch_unit: packed counts packed blocks, so it needs packing: true.")
    for key in ("num_train_epochs", "logging_steps", "eval_steps", "save_steps"):
        if not recipe[key]:
            raise InputError(f"{'--set' if key in changed else where}: '{key}' must be above 0.")
    targets = recipe["lora_target_modules"]
    if recipe["use_peft"] and "lm_head" in ([targets] if isinstance(targets, str) else targets):
        raise InputError(f"{where}: an adapter on lm_head is never trained by TRL; take it out of lora_target_modules.")
