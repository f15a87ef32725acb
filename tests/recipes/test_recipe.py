"""Recipes: what a release is made of, loaded strictly; a mistake is a sentence that names file and value."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from corpora.catalog import SAMPLE, languages, load_catalog
from corpora.errors import InputError
from recipes.recipe import (
    DATASETS,
    DEFAULT_NAMES,
    HERE,
    Recipe,
    load_recipe,
    narrow,
    prompts,
    recipe_names,
    stand_ins,
    without_evaluation,
)

CATALOG = load_catalog()
SIX = ("ar", "el", "hi", "tr", "vi", "zh")
GOOD = {
    "title": '"Mine"',
    "summary": '"My own."',
    "configs": '"language"',
    "langs": '["el", "hi"]',
    "bitext": '["wikimatrix"]',
    "instructions": '["alpaca"]',
    "general": '["en"]',
    "directions": '["en-x"]',
}


def toml(**changes: str | None) -> str:
    """A recipe in TOML; a value of None leaves the key out."""
    values = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return "".join(f"{key} = {value}\n" for key, value in values.items())


@pytest.fixture
def load(tmp_path):
    """The recipe in a file of this text."""

    def run(text: str, name: str = "mine.toml") -> Recipe:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load_recipe(str(tmp_path / name), CATALOG)

    return run


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_comes_with_the_project_loads(name):
    recipe = load_recipe(name, CATALOG)
    assert recipe.name == name
    assert recipe.title
    assert recipe.summary.endswith(".")
    assert set(recipe.langs) <= set(languages()) - {"en"}


def test_the_recipes_are_those_of_the_two_papers():
    ablations = {"alpaca-en", "alpaca-x", "alpaca-en-x", "translation-en-x", "coit-x-en"}
    assert set(recipe_names()) == {"coit", "muit", "continued-pretraining", "crossalpaca", "mi-eval"} | ablations
    assert DEFAULT_NAMES == ("coit", "muit")


def test_a_recipe_may_be_loaded_by_its_path_too():
    assert load_recipe(str(DATASETS / "coit.toml"), CATALOG) == load_recipe("coit", CATALOG)


# arXiv 2308.04948, Figure 6: which data, and the accuracy on Chinese XQuAD.
@pytest.mark.parametrize(
    ("name", "general", "directions", "accuracy"),
    [
        ("alpaca-en", ("en",), (), "0.59"),
        ("alpaca-x", ("xx",), (), "0.66"),
        ("translation-en-x", (), ("en-x",), "0.60"),
        ("alpaca-en-x", ("en", "xx"), (), "0.75"),
        ("coit-x-en", ("en", "xx"), ("x-en",), "0.60"),
    ],
)
def test_an_ablation_is_a_row_of_the_paper_s_figure(name, general, directions, accuracy):
    recipe = load_recipe(name, CATALOG)
    first = (DATASETS / f"{name}.toml").read_text(encoding="utf-8").split("\n", 1)[0]
    assert (recipe.general, recipe.directions, recipe.langs) == (general, directions, SIX)
    assert "arXiv 2308.04948, Figure 6" in first
    assert re.findall(r"\(XQuAD zh ([\d.]+)\)", first) == [accuracy]


def test_coit_and_muit_differ_in_their_configs_alone():
    coit, muit = load_recipe("coit", CATALOG), load_recipe("muit", CATALOG)
    assert (coit.general, coit.directions, coit.langs) == (("en", "xx"), ("en-x",), SIX)
    assert replace(muit, name=coit.name, title=coit.title, summary=coit.summary, configs="language") == coit
    assert muit.config_langs() == {"all": SIX}
    assert coit.config_langs() == {lang: (lang,) for lang in SIX}


def test_crossalpaca_has_ten_thousand_translations_each_way_in_five_languages():
    recipe = load_recipe("crossalpaca", CATALOG)
    assert (recipe.pairs, recipe.directions, recipe.bitext) == (10_000, ("en-x", "x-en"), ("news-commentary",))
    assert set(recipe.langs) == {"zh", "ar", "it", "es", "de"}
    assert all(CATALOG["news-commentary"].has(lang) for lang in recipe.langs)


def test_the_prompt_of_the_paper_is_verbatim_and_the_default():
    assert prompts()["paper"].text == "Translate the following sentences from {source} to {target}."
    assert Recipe("a", "a", "a", "all", ("el",)).prompts == ("paper",)


def test_every_prompt_holds_the_target_and_nothing_that_is_not_filled():
    for prompt in prompts().values():
        assert "{target}" in prompt.text
        assert set(re.findall(r"\{.*?\}", prompt.text)) <= {"{source}", "{target}"}
        assert prompt.origin


def test_the_defaults_are_those_of_the_class(load):
    recipe = load(toml(bitext=None, directions=None))
    assert (recipe.pairs, recipe.validation, recipe.seed, recipe.filters, recipe.without) == (None, 0.01, 0, {}, ())


def test_everything_that_a_recipe_may_say_is_heard(load):
    more = 'pairs = 5\nvalidation = 0.5\nseed = 7\nprompts = ["into", "say"]\nwithout = ["copy"]\n'
    recipe = load(toml() + more + "[filters.low_margin]\nleast = { zh = 1.05 }\n")
    assert (recipe.pairs, recipe.validation, recipe.seed) == (5, 0.5, 7)
    assert (recipe.prompts, recipe.without) == (("into", "say"), ("copy",))
    assert recipe.filters == {"low_margin": {"least": {"zh": 1.05}}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (toml(lang='["el"]'), "Unknown key 'lang'. Did you mean langs"),
        (toml(name='"mine"'), "Unknown key 'name'."),
        (toml(title=None), "the key 'title' is missing"),
        (toml(summary=None), "the key 'summary' is missing"),
        (toml(configs=None), "the key 'configs' is missing"),
        (toml(langs=None), "the key 'langs' is missing"),
        (toml(title="1"), "'title' must be a string, not 1"),
        (toml(configs="true"), "'configs' must be a string, not True"),
        (toml(configs='"languages"'), "Unknown value of configs 'languages'. Did you mean language?"),
        (toml(langs='"el"'), "'langs' must be a list of different strings, not 'el'"),
        (toml(langs="[1]"), "'langs' must be a list of different strings, not [1]"),
        (toml(langs='["el", "hi", "el"]'), "'langs' must be a list of different strings, not ['el', 'hi', 'el']"),
        (toml(langs="[]"), "a recipe needs at least one language"),
        (toml(langs='["el", "en"]'), "'en' cannot be one of them"),
        (toml(bitext='["wikimatrx"]'), "Unknown bitext corpus 'wikimatrx'. Did you mean wikimatrix"),
        (toml(bitext='["alpaca"]'), "Unknown bitext corpus 'alpaca'."),
        (toml(instructions='["wikimatrix"]'), "Unknown instructions corpus 'wikimatrix'. Known: alpaca, seed-tasks."),
        (toml(instructions='["flores101"]'), "Unknown instructions corpus 'flores101'."),
        (toml(evaluation='["xquadd"]'), "Unknown evaluation corpus 'xquadd'. Did you mean xquad?"),
        (toml(prompts='["papr"]'), "Unknown prompt 'papr'. Did you mean paper?"),
        (toml(directions='["en-xx"]'), "Unknown value of directions 'en-xx'. Did you mean en-x"),
        (toml(general='["fr"]'), "Unknown value of general 'fr'."),
        (toml(general="[]", directions="[]"), "general instructions or a direction"),
        (toml(bitext="[]"), "directions need bitext and a prompt"),
        (toml(prompts="[]"), "directions need bitext and a prompt"),
        (toml(instructions="[]"), "general needs instructions"),
        (toml(pairs="0"), "'pairs' must be a whole number"),
        (toml(pairs="1.5"), "'pairs' must be a whole number"),
        (toml(pairs="true"), "'pairs' must be a whole number"),
        (toml(seed="-1"), "'seed' must be a whole number"),
        (toml(validation="0.6"), "'validation' must be a share from 0 to 0.5, or 1, not 0.6"),
        (toml(validation="-0.1"), "'validation' must be a share"),
        (toml(validation="nan"), "'validation' must be a share"),
        (toml(validation='"1%"'), "'validation' must be a share"),
        (toml(filters="1"), "'filters' must be tables, not 1"),
        (toml() + "[filters]\nlow_margin = 1.06\n", "'filters' must be tables, not {'low_margin': 1.06}"),
        ("title = \n", "is not valid TOML"),
        (toml() + toml(), "is not valid TOML"),
    ],
)
def test_a_mistake_in_a_recipe_is_a_sentence_that_names_the_file(load, tmp_path, text, said):
    with pytest.raises(InputError) as error:
        load(text)
    assert str(tmp_path / "mine.toml") in str(error.value)
    assert said in str(error.value)


def test_an_unknown_language_is_told_with_the_file(load, tmp_path):
    with pytest.raises(InputError, match="Unknown language 'grc'") as error:
        load(toml(langs='["grc"]'))
    assert str(tmp_path / "mine.toml") in str(error.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("coitt", "Did you mean coit"),
        ("muti", "Did you mean muit"),
        ("prompts", "Unknown recipe 'prompts'"),
        ("", "Known"),
    ],
)
def test_a_misspelt_recipe_is_told_with_the_nearest(name, said):
    with pytest.raises(InputError, match="Unknown recipe") as error:
        load_recipe(name, CATALOG)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["My.toml", "a b.toml", "ü.toml", "-a.toml", "a_b.toml", ".toml"])
def test_a_recipe_s_file_is_named_as_its_release_will_be(load, name):
    with pytest.raises(InputError, match="lower-case letters, digits and hyphens") as error:
        load(toml(), name)
    assert name in str(error.value)


def test_a_missing_file_a_folder_and_other_bytes_are_told(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, said in [
        ("missing.toml", "There is no file"),
        ("folder.toml", "is a folder; a TOML file was expected"),
        ("bytes.toml", "is not valid TOML"),
    ]:
        with pytest.raises(InputError, match=said) as error:
            load_recipe(str(tmp_path / name), CATALOG)
        assert str(tmp_path / name) in str(error.value)


def test_a_recipe_narrowed_to_some_languages_has_them_in_the_order_of_their_codes():
    coit = load_recipe("coit", CATALOG)
    assert narrow(coit, ["zh", "el"]).langs == ("el", "zh")
    assert narrow(coit, ["de"]).langs == ("de",)
    assert narrow(coit, ["zh"]) == replace(coit, langs=("zh",))


@pytest.mark.parametrize(
    ("langs", "said"),
    [
        ([], "at least one language"),
        (["el", "el"], "each of them once, not 'el,el'"),
        (["en"], "'en' is always there"),
        (["grc"], "Unknown language 'grc'"),
    ],
)
def test_a_recipe_is_not_narrowed_to_what_makes_no_sense(langs, said):
    with pytest.raises(InputError) as error:
        narrow(load_recipe("coit", CATALOG), langs)
    assert said in str(error.value)


def test_the_sample_s_corpora_stand_in_for_those_of_a_recipe_in_the_same_order():
    catalog = load_catalog(SAMPLE / "corpora.toml")
    recipe = stand_ins(load_recipe("coit", catalog), catalog, "sample")
    assert recipe.name == "coit-sample"
    assert recipe.bitext == ("sample-wikimatrix", "sample-news-commentary")
    assert recipe.instructions == ("sample-alpaca",)
    assert recipe.evaluation == ("sample-flores101", "sample-xquad", "sample-mlqa")
    ours = load_recipe("coit", catalog)
    corpora = {"bitext": ours.bitext, "instructions": ours.instructions, "evaluation": ours.evaluation}
    assert replace(recipe, name="coit", **corpora) == ours


def test_an_evaluation_set_may_be_left_out_if_it_is_there():
    coit = load_recipe("coit", CATALOG)
    assert coit.evaluation == ("flores101", "xquad", "mlqa")
    assert without_evaluation(coit, ["xquad"]).evaluation == ("flores101", "mlqa")
    assert without_evaluation(coit, []) == coit
    with pytest.raises(InputError, match=r"Unknown evaluation set of recipe coit 'xqad'. Did you mean xquad\?"):
        without_evaluation(coit, ["xqad"])


def test_a_corpus_that_nothing_stands_for_is_told():
    with pytest.raises(InputError, match="nothing that stands for the corpus 'wikimatrix' of recipe coit"):
        stand_ins(load_recipe("coit", CATALOG), CATALOG, "sample")


def test_the_order_of_the_corpora_is_kept_because_the_first_wins(load):
    recipe = load(toml(bitext='["news-commentary", "wikimatrix"]'))
    assert recipe.bitext == ("news-commentary", "wikimatrix")
    assert Path(HERE / "prompts.toml").stem not in recipe_names()
