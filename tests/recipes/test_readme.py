"""The README of the recipes: its tables are generated, and its snippets are used."""

import re
from pathlib import Path

import pytest

import recipes
from corpora.catalog import load_catalog
from corpora.extensions import Extensions, use_extensions
from corpora.tables import keys_table
from recipes.prompts import (
    JudgePrompt,
    PromptTemplate,
    QuestionPrompt,
    TranslationPrompt,
    prompt_template,
    translation_prompts,
)
from recipes.recipe import Recipe, load_recipe, recipe_names
from recipes.results import Result
from recipes.scaling import FORMS, LawRow, LawsFile

README = (Path(recipes.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "row_type",
    [
        (Recipe, "name", "not_decontaminated"),
        (TranslationPrompt, "name"),
        (PromptTemplate, "name"),
        (QuestionPrompt, "lang"),
        (JudgePrompt, "name"),
        (Result,),
        (LawsFile,),
        (LawRow,),
    ],
    ids=lambda row_type: row_type[0].__name__,
)
def test_tables_of_keys_are_generated(row_type):
    rows = keys_table(*row_type).split("\n", 2)[2]
    assert rows in README


def test_every_recipe_and_form_is_listed():
    for name in [*recipe_names(), *FORMS]:
        assert f"| `{name}` |" in README


@pytest.fixture
def folder(tmp_path):
    """The folder `my` with every TOML snippet of the README in the file that its first line names."""
    snippets = re.findall(r"```toml\n# my/(\S+)\n(.*?)```", README, re.DOTALL)
    assert [name for name, _ in snippets] == ["datasets/greek-news.toml", "prompts.toml"]
    for name, text in snippets:
        path = tmp_path / "my" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "my"


def test_recipe_and_prompts_of_the_readme_are_read(folder):
    with use_extensions(Extensions((folder,))):
        recipe = load_recipe("greek-news", load_catalog())
        assert set(recipe.prompts) <= set(translation_prompts())
        assert prompt_template("question-answer").prompt("Why?", "") == "Question: Why?\nAnswer: "
    assert recipe.filters == {"low_margin": {"min": {"el": 1.06}}}


def test_error_of_the_readme_is_the_one_that_is_raised(folder):
    from corpora.errors import InputError

    path = folder / "datasets" / "greek-news.toml"
    path.write_text(path.read_text().replace("max_pairs", "max_pair"))
    with use_extensions(Extensions((folder,))), pytest.raises(InputError) as error:
        load_recipe("greek-news", load_catalog())
    assert str(error.value).replace(str(folder), "my") in " ".join(README.split())


@pytest.mark.slow
def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    import builders
    from recipes.results import append_results
    from tests.builders.budget.test_api import results

    if not hasattr(builders, "fit"):
        pytest.skip("builders has no Python API yet")
    monkeypatch.chdir(tmp_path)
    append_results(tmp_path / "results.jsonl", results({"coit": 1.0}))
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)  # the code of the documentation
    assert names["allocation"].mixture.pairs.sum() == 1_200_000  # type: ignore[attr-defined]
