"""Training recipes are read strictly: unknown keys, wrong types and managed keys are errors with file and key."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions
from trainer.recipe import TrainingRecipe, fsdp_settings, load_recipe, parse_changes, recipe_names
from trainer.recipe_keys import KEYS, MANAGED

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("warmup_ratio=0.03", "--set: 'warmup_ratio' cannot be set: TRL has removed it; warmup_steps below 1"),
        ("gradient_accumulation_steps=4", "it follows from global_batch_size"),
        ("fraction=0.5", "a mixture is a release"),
        ("trust_remote_code=true", "code that comes with a model is never run"),
        ("use_liger_kernel=true", "it patches every model of the process"),
        ("learning_rate=fast", "--set: 'learning_rate' must be a number, not 'fast'."),
        ("learning_rate=.nan", "--set: 'learning_rate' must be a finite number, not nan."),
        ("packing=1", "--set: 'packing' must be true or false, not 1."),
        ("max_length=0", "--set: 'max_length' must be at least 1, not 0."),
        ("num_train_epochs=0", "--set: 'num_train_epochs' must be above 0, not 0."),
        ("num_train_epochs", "--set takes KEY=VALUE, such as learning_rate=1e-5, not 'num_train_epochs'."),
        ("seed=[1", "is not valid YAML"),
        ("on_overflow=trim", "--set: Unknown value of 'on_overflow' 'trim'. Known: drop, error, truncate."),
        ("batch_unit=packd", "--set: Unknown value of 'batch_unit' 'packd'. Did you mean packed?"),
        ("prompt=alpacca", "Unknown prompt 'alpacca'. Did you mean alpaca?"),
        ("model_name_or_path=x", "a recipe needs either model_name_or_path or model_config"),
        ("model_config=llama", "--set: 'model_config' must be a table, not 'llama'."),
    ],
)
def test_unfit_setting_is_refused(change: str, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        load_recipe("tiny", parse_changes([change]))
    assert sentence in str(error.value)


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(InputError, match="'batch_unit: packed' counts packed blocks, so it needs 'packing: true'"):
        load_recipe("tiny", {"batch_unit": "packed", "packing": False})
    with pytest.raises(InputError, match="TRL never trains an adapter on lm_head"):
        load_recipe("tiny", {"use_peft": True, "lora_target_modules": ["lm_head"]})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("learning_rat=1", "--set: Unknown key 'learning_rat'. Did you mean learning_rate?"),
        ("label_smoothing_facto=0.1", "Did you mean label_smoothing_factor?"),
        ("neftune_noise_alpha=loud", "--set: 'neftune_noise_alpha' must be a number, not 'loud'."),
    ],
)
def test_other_keys_are_checked_against_trl(change: str, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        load_recipe("tiny", parse_changes([change]))
    assert sentence in str(error.value)


def wrong_value(key: str) -> Any:
    """Return a value that a key of a recipe does not take."""
    default = KEYS[key]
    if isinstance(default, bool):
        return "maybe"
    return ["many"] if isinstance(default, int | float) else 3.5


@pytest.mark.parametrize("key", KEYS)
def test_wrong_type_is_refused_with_file_and_key(key: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"extends": "tiny", key: wrong_value(key)}), encoding="utf-8")
    with pytest.raises(InputError, match=rf"mine\.yaml: .*'{key}'"):
        load_recipe(path)


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_mistyped_key_names_the_nearest(key: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"extends": "tiny", f"{key}x": KEYS[key]}), encoding="utf-8")
    with pytest.raises(InputError, match=rf"mine\.yaml: Unknown key '{key}x'\. Did you mean .*{key}"):
        load_recipe(path)


@pytest.mark.slow
def test_other_keys_of_trl_reach_sft_config() -> None:
    from trainer.preparation import Batches, TrainConfig
    from trainer.training import training_arguments

    recipe = load_recipe("tiny", {"neftune_noise_alpha": 5.0, "dataloader_num_workers": 2, "report_to": "none"})
    assert recipe.trl_settings() == {"neftune_noise_alpha": 5.0, "dataloader_num_workers": 2, "report_to": "none"}
    assert "neftune_noise_alpha" in recipe.training_settings()
    assert "dataloader_num_workers" not in recipe.training_settings()
    config: Any = TrainConfig(recipe, release=None, output=Path("run"))  # type: ignore[arg-type]
    arguments = training_arguments(config, Batches([[0]], 1, 1), 1)
    assert (arguments.neftune_noise_alpha, arguments.dataloader_num_workers) == (5.0, 2)


@pytest.mark.slow
def test_managed_keys_and_ours_exist_in_trl() -> None:
    from trl import ModelConfig, SFTConfig

    names = {field.name for config in (SFTConfig, ModelConfig) for field in fields(config)}
    removed = {"warmup_ratio", "datasets", "fraction"}
    ours = {"title", "release", "prompt", "model_config", "tokenizer", "global_batch_size", "batch_unit", "on_overflow"}
    assert set(MANAGED) - names == removed
    assert set(KEYS) - names == ours
    assert not set(KEYS) & set(MANAGED)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- a list", "must hold keys and values"),
        ("title: [", "is not valid YAML"),
        ("extends: nothing", "mine.yaml: Unknown recipe to extend 'nothing'"),
        ("packing: maybe", "mine.yaml: 'packing' must be true or false, not 'maybe'."),
        (
            "extends: tiny\nresume_from_checkpoint: x",
            "mine.yaml: 'resume_from_checkpoint' cannot be set: the same command",
        ),
    ],
)
def test_unfit_recipe_file_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_recipe(path)
    assert sentence in str(error.value)


def test_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"Unknown training recipe 'tinny'\. Did you mean tiny"):
        load_recipe("tinny")
    with pytest.raises(InputError, match=r"There is no file tiny\.yaml\. Recipes by name: alpaca-en"):
        load_recipe("./tiny.yaml")


def test_recipe_of_a_with_folder_extends_ours(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "training"
    folder.mkdir(parents=True)
    (folder / "fast.yaml").write_text("extends: tiny\nnum_train_epochs: 1\nlearning_rate: 1e-2\n", encoding="utf-8")
    with use_extensions(Extensions((tmp_path / "own",))):
        assert "fast" in recipe_names()
        recipe = load_recipe("fast")
    assert recipe.name == "fast"
    assert (recipe["num_train_epochs"], recipe["learning_rate"]) == (1.0, 0.01)
    assert recipe["tokenizer"] == "tiny-tokenizer"
    assert "fast" not in recipe_names()


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_names_a_release_and_a_prompt(name: str) -> None:
    recipe = load_recipe(name)
    assert isinstance(recipe, TrainingRecipe)
    assert recipe["title"]
    assert recipe["release"]
    assert recipe["prompt"]


def test_x_llama_has_the_settings_of_the_paper() -> None:
    recipe = load_recipe("x-llama")
    published = {"num_train_epochs": 3, "learning_rate": 2e-5, "lr_scheduler_type": "cosine", "warmup_steps": 0.03}
    published |= {"weight_decay": 0, "global_batch_size": 128, "max_length": 512, "prompt": "alpaca", "use_peft": False}
    assert {key: recipe[key] for key in published} == published


def test_accelerate_file_is_sharded_fsdp2() -> None:
    settings = fsdp_settings("fsdp2")
    assert settings["version"] == 2
    assert settings["state_dict_type"] == "SHARDED_STATE_DICT"
    with pytest.raises(InputError, match="is not an accelerate file for FSDP"):
        fsdp_settings(str(ROOT / "recipes" / "training" / "tiny.yaml"))
