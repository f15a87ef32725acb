"""The README of the recipes: its tables are generated, and its Python runs."""

import re
from pathlib import Path

import pytest

import recipes
from corpora.tables import keys_table
from recipes.prompts import (
    JudgePrompt,
    PromptTemplate,
    QuestionPrompt,
    TranslationPrompt,
)
from recipes.recipe import Recipe, recipe_names
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


@pytest.mark.slow
def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    from recipes.results import append_results
    from tests.builders.budget.test_api import results

    monkeypatch.chdir(tmp_path)
    append_results(tmp_path / "results.jsonl", results({"coit": 1.0}))
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)  # the code of the documentation
    assert names["allocation"].mixture.pairs.tolist()[1] == 100_000  # type: ignore[attr-defined]
