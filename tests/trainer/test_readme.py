"""The README of the trainer: its tables are generated, and its recipe is applied."""

import re
from pathlib import Path

import pytest

import trainer
from corpora.extensions import Extensions, use_extensions
from corpora.tables import keys_table
from trainer.recipe import load_recipe, recipe_names
from trainer.recipe_keys import RecipeKeys, managed_table
from trainer.run_progress import STAGES

README = (Path(trainer.__file__).parent / "README.md").read_text(encoding="utf-8")


def recipe_of_the_readme(folder: Path) -> Path:
    """Write the recipe of "Add a training recipe" where the README says, and return the folder for --with."""
    block = re.search(r"```yaml\n# my/training/fast\.yaml\n(.*?)```", README, re.DOTALL)
    assert block
    (folder / "my" / "training").mkdir(parents=True)
    (folder / "my" / "training" / "fast.yaml").write_text(block[1], encoding="utf-8")
    return folder / "my"


def test_tables_of_keys_are_generated() -> None:
    assert keys_table(RecipeKeys) in README
    assert managed_table() in README


def test_every_recipe_is_listed() -> None:
    for name in recipe_names():
        assert f"`{name}`" in README


def test_progress_line_names_a_stage() -> None:
    assert f"stage 4 of {len(STAGES)}, {STAGES[3]}: " in README


@pytest.mark.slow
def test_recipe_of_the_readme_is_trained(registry: Path, tmp_path: Path, one_thread: None) -> None:
    folder = recipe_of_the_readme(tmp_path)
    run = trainer.sft(
        "fast",
        with_=[folder],
        release="coit-sample",
        registry=registry,
        config="el",
        output=tmp_path / "run",
        set={"num_train_epochs": 0.1},
    )
    settings = run.metadata["recipe"]["settings"]
    assert (settings["learning_rate"], settings["neftune_noise_alpha"]) == (0.01, 5)
    assert settings["tokenizer"] == "tiny-tokenizer"
    with use_extensions(Extensions((folder,))):
        assert load_recipe("fast")["title"] == "Tiny, one epoch"
