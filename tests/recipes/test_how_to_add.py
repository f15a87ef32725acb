"""What the README adds is used: a recipe, a translation prompt and a prompt template of a user's own."""

import re
from pathlib import Path

import pytest

import recipes
from corpora.catalog import load_catalog
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions
from recipes.prompts import prompt_template, translation_prompts
from recipes.recipe import load_recipe

README = (Path(recipes.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def my(tmp_path):
    """The folder `my` with every TOML block of the README in the file that its first line names."""
    blocks = re.findall(r"```toml\n# my/(\S+)\n(.*?)```", README, re.DOTALL)
    assert [name for name, _ in blocks] == ["datasets/arabic-news.toml", "prompts.toml"]
    for name, text in blocks:
        path = tmp_path / "my" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "my"


def test_recipe_and_prompts_are_read(my):
    with use_extensions(Extensions((my,))):
        recipe = load_recipe("arabic-news", load_catalog())
        assert set(recipe.prompts) <= set(translation_prompts())
        assert prompt_template("question-answer").prompt("Why?", "") == "Question: Why?\nAnswer: "
    assert recipe.filters == {"low_margin": {"min": {"zh": 1.06}}}


def test_mistake_is_the_error_of_the_readme(my):
    path = my / "datasets" / "arabic-news.toml"
    path.write_text(path.read_text().replace("max_pairs", "max_pair"))
    with use_extensions(Extensions((my,))), pytest.raises(InputError) as error:
        load_recipe("arabic-news", load_catalog())
    assert str(error.value).replace(str(my), "my") in " ".join(README.split())


@pytest.mark.slow
def test_recipe_is_built_with_its_prompts(my, tmp_path):
    import polars as pl

    import builders

    options = {"work": tmp_path / "work", "corpora_lock": tmp_path / "corpora.lock", "sample": True, "langs": ["ar"]}
    built = builders.build("arabic-news", with_=[my], **options)
    rows = pl.read_parquet(built.examples["ar"]).filter(task="translation")
    assert set(rows["direction"]) == {"en-xx", "xx-en"}
    assert rows.filter(pl.col("instruction").str.ends_with("for tomorrow's paper.")).height > 0
    assert rows.filter(pl.col("instruction").str.starts_with("Translate the following sentences")).height > 0
