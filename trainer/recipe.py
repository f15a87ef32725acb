"""TrainingRecipe: how a model is trained. Recipes are YAML files in TRL's words, read strictly by name or path."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import InputError, unknown
from corpora.extensions import current_extensions
from corpora.tables import read_yaml
from recipes.prompts import prompt_template
from trainer.recipe_keys import KEYS, check_keys

RECIPES = Path(__file__).parent.parent / "recipes" / "training"
NOT_RECIPES = ("fsdp2",)  # files of accelerate
# Keys that change the speed of a run or what it reports, but not what it learns: a run may continue with other values.
THROUGHPUT_KEYS = (
    *("save_steps", "save_total_limit", "per_device_train_batch_size", "per_device_eval_batch_size"),
    *("activation_checkpointing", "activation_offloading", "title", "release", "report_to", "run_name", "project"),
)
THROUGHPUT_PREFIXES = ("logging_", "log_", "eval_", "dataloader_", "ddp_", "trackio_")
SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")  # YAML 1.1 reads 2e-5 as a string


@dataclass(frozen=True)
class TrainingRecipe:
    """A recipe: its name and the values of its keys."""

    name: str
    settings: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    def training_settings(self) -> dict[str, Any]:
        """Return the settings that change what is learned; a run continues only with equal ones."""
        return {key: value for key, value in self.settings.items() if not _is_throughput_key(key)}

    def trl_settings(self) -> dict[str, Any]:
        """Return the keys that only TRL knows."""
        return {key: value for key, value in self.settings.items() if key not in KEYS}

    def with_settings(self, **changes: Any) -> "TrainingRecipe":
        """Return the recipe with other values."""
        return replace(self, settings={**self.settings, **changes})


def recipe_names() -> list[str]:
    """Return the names of all training recipes: the project's, and those in `training/` of the folders of `--with`."""
    return sorted(_recipe_files())


def load_recipe(name_or_path: str | Path, changes: Mapping[str, Any] | None = None) -> TrainingRecipe:
    """Return the recipe of this name, or of the YAML file at this path.

    Args:
        name_or_path: A name of `recipe_names`, or the path of a file.
        changes: Values that differ from the recipe's, by key.

    Raises:
        InputError: The recipe is unknown, or a key or value is not as expected; the message has file and key.
    """
    path, changes = _find_recipe(str(name_or_path)), changes or {}
    own = check_keys(_read(path), str(path))
    changed = check_keys(_read_numbers(changes), "--set")
    recipe = TrainingRecipe(path.stem, KEYS | own | changed)
    _check_together(recipe, str(path))
    return recipe


def parse_changes(texts: Sequence[str]) -> dict[str, Any]:
    """Return KEY=VALUE texts as a mapping; values are read as YAML.

    Raises:
        InputError: A text has no `=`, or its value is not valid YAML.
    """
    changes = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set takes KEY=VALUE, such as learning_rate=1e-5, not '{text}'.")
        try:
            changes[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"--set {text}: '{value}' is not valid YAML.") from None
    return changes


def training_folders() -> tuple[Path, ...]:
    """Return the folders of training recipes and tokenizers: the user's last added first, the project's last."""
    return (*(folder / "training" for folder in reversed(current_extensions().folders)), RECIPES)


def fsdp_settings(name_or_path: str) -> dict[str, Any]:
    """Return the `fsdp_config` of an accelerate file (`fsdp2`, or a path), in the words of TrainingArguments.

    Raises:
        InputError: The file is not an accelerate file for FSDP2.
    """
    is_name = "/" not in name_or_path and "." not in name_or_path
    path = RECIPES / f"{name_or_path}.yaml" if is_name else Path(name_or_path)
    table = read_yaml(path)
    if table.get("distributed_type") != "FSDP" or not isinstance(table.get("fsdp_config"), dict):
        raise InputError(
            f"{path} is not an accelerate file for FSDP: the keys 'distributed_type: FSDP' and 'fsdp_config' were "
            "expected."
        )
    settings = {key.removeprefix("fsdp_"): value for key, value in table["fsdp_config"].items()}
    settings["cpu_offload"] = settings.pop("offload_params", False)  # as TrainingArguments calls it
    if settings.get("version") != 2:
        raise InputError(f"{path}: fsdp_version must be 2; transformers is removing the first FSDP.")
    return settings


def digest(value: object) -> str:
    """Return the SHA-256 of a value as JSON with sorted keys, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _is_throughput_key(key: str) -> bool:
    return key in THROUGHPUT_KEYS or key.startswith(THROUGHPUT_PREFIXES)


def _recipe_files() -> dict[str, Path]:
    """Return the files of all recipes by name; a user's recipe replaces ours of the same name."""
    folders = reversed(training_folders())
    files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    return {name: path for name, path in files.items() if name not in NOT_RECIPES}


def _find_recipe(name_or_path: str) -> Path:
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        path = Path(name_or_path)
        if not path.exists():
            raise InputError(f"There is no file {path}. Recipes by name: {', '.join(recipe_names())}.")
        return path
    files = _recipe_files()
    if name_or_path not in files:
        raise unknown("training recipe", name_or_path, files)
    return files[name_or_path]


def _read(path: Path) -> dict[str, Any]:
    """Return the keys of a YAML file, on top of those of the recipe that its key `extends` names."""
    table = _read_numbers(read_yaml(path))
    if "extends" not in table:
        return table
    base, files = table.pop("extends"), _recipe_files()
    if base not in files or base == path.stem:
        raise InputError(f"{path}: {unknown('recipe to extend', str(base), set(files) - {path.stem})}")
    return _read(files[base]) | table


def _read_numbers(table: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a table with numbers such as 2e-5, which YAML reads as strings."""
    return {
        str(key): float(value) if isinstance(value, str) and SCIENTIFIC.fullmatch(value) else value
        for key, value in table.items()
    }


def _check_together(recipe: TrainingRecipe, where: str) -> None:
    """Raise InputError for settings that exclude each other."""
    prompt_template(recipe["prompt"])
    if bool(recipe["model_name_or_path"]) == bool(recipe["model_config"]):
        raise InputError(f"{where}: a recipe needs either model_name_or_path or model_config.")
    if recipe["model_config"] and not recipe["tokenizer"]:
        raise InputError(f"{where}: model_config needs a tokenizer.")
    if recipe["batch_unit"] == "packed" and not recipe["packing"]:
        raise InputError(f"{where}: 'batch_unit: packed' counts packed blocks, so it needs 'packing: true'.")
    targets = recipe["lora_target_modules"]
    if recipe["use_peft"] and "lm_head" in ([targets] if isinstance(targets, str) else targets):
        raise InputError(f"{where}: TRL never trains an adapter on lm_head. Remove it from lora_target_modules.")
    if recipe["load_in_4bit"] and not (recipe["use_peft"] and recipe["model_name_or_path"]):
        raise InputError(f"{where}: load_in_4bit holds a base for an adapter: set use_peft and model_name_or_path too.")
