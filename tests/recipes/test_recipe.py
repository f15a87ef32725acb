"""Recipes are read strictly: a mistake is an error with file, key and value."""

import re
from dataclasses import fields, replace

import pytest

from corpora.catalog import languages, load_catalog
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions
from recipes.recipe import (
    DATASETS,
    DEFAULT_NAMES,
    Recipe,
    load_recipe,
    recipe_names,
    select_langs,
    skip_decontamination,
    substitute_corpora,
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
    "instruction_langs": '["en"]',
    "directions": '["en-xx"]',
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
def test_each_recipe_of_the_project_loads(name):
    recipe = load_recipe(name, CATALOG)
    assert recipe.name == name
    assert recipe.title
    assert recipe.summary.endswith(".")
    assert set(recipe.langs) <= set(languages()) - {"en"}


def test_recipes_of_the_project_are_those_of_the_two_papers():
    ablations = {"alpaca-en", "alpaca-x", "alpaca-en-x", "translation-en-x", "coit-x-en"}
    others = {"continued-pretraining", "crossalpaca", "mi-eval", "coit-open"}
    assert set(recipe_names()) == {"coit", "muit"} | others | ablations
    assert DEFAULT_NAMES == ("coit", "muit")


def test_recipe_of_an_extension_folder_loads_by_name(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.toml").write_text(toml(), encoding="utf-8")
    with use_extensions(Extensions((tmp_path,))):
        assert load_recipe("mine", CATALOG).title == "Mine"
        assert "mine" in recipe_names()
    with pytest.raises(InputError, match="Unknown recipe 'mine'"):
        load_recipe("mine", CATALOG)


def test_recipe_of_an_extension_folder_replaces_ours_of_the_same_name(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "coit.toml").write_text(toml(), encoding="utf-8")
    with use_extensions(Extensions((tmp_path,))):
        assert load_recipe("coit", CATALOG).title == "Mine"


def test_recipe_loads_by_path():
    assert load_recipe(str(DATASETS / "coit.toml"), CATALOG) == load_recipe("coit", CATALOG)


# arXiv 2308.04948, Figure 6: which data, and the accuracy on Chinese XQuAD.
@pytest.mark.parametrize(
    ("name", "instruction_langs", "directions", "accuracy"),
    [
        ("alpaca-en", ("en",), (), "0.59"),
        ("alpaca-x", ("xx",), (), "0.66"),
        ("translation-en-x", (), ("en-xx",), "0.60"),
        ("alpaca-en-x", ("en", "xx"), (), "0.75"),
        ("coit-x-en", ("en", "xx"), ("xx-en",), "0.60"),
    ],
)
def test_ablation_recipes_follow_figure_6(name, instruction_langs, directions, accuracy):
    recipe = load_recipe(name, CATALOG)
    first = (DATASETS / f"{name}.toml").read_text(encoding="utf-8").split("\n", 1)[0]
    assert (recipe.instruction_langs, recipe.directions, recipe.langs) == (instruction_langs, directions, SIX)
    assert "arXiv 2308.04948, Figure 6" in first
    assert re.findall(r"\(XQuAD zh ([\d.]+)\)", first) == [accuracy]


def test_coit_and_muit_differ_only_in_configs():
    coit, muit = load_recipe("coit", CATALOG), load_recipe("muit", CATALOG)
    assert (coit.instruction_langs, coit.directions, coit.langs) == (("en", "xx"), ("en-xx",), SIX)
    assert replace(muit, name=coit.name, title=coit.title, summary=coit.summary, configs="language") == coit
    assert muit.config_langs() == {"all": SIX}
    assert coit.config_langs() == {lang: (lang,) for lang in SIX}


def test_crossalpaca_has_10k_pairs_per_direction_in_five_languages():
    recipe = load_recipe("crossalpaca", CATALOG)
    assert (recipe.max_pairs, recipe.directions, recipe.bitext) == (10_000, ("en-xx", "xx-en"), ("news-commentary",))
    assert set(recipe.langs) == {"zh", "ar", "it", "es", "de"}
    assert all(CATALOG["news-commentary"].has(lang) for lang in recipe.langs)


def test_missing_keys_take_the_defaults(load):
    recipe = load(toml(bitext=None, directions=None))
    assert (recipe.max_pairs, recipe.validation, recipe.seed, recipe.filters, recipe.disable_filters) == (
        None,
        0.01,
        0,
        {},
        (),
    )


def test_all_keys_are_read(load):
    more = 'max_pairs = 5\nvalidation = 0.5\nseed = 7\nprompts = ["into", "say"]\ndisable_filters = ["copy"]\n'
    recipe = load(toml() + more + "[filters.low_margin]\nmin = { zh = 1.05 }\n")
    assert (recipe.max_pairs, recipe.validation, recipe.seed) == (5, 0.5, 7)
    assert (recipe.prompts, recipe.disable_filters) == (("into", "say"), ("copy",))
    assert recipe.filters == {"low_margin": {"min": {"zh": 1.05}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (toml(lang='["el"]'), "Unknown key 'lang'. Did you mean langs"),
        (toml(name='"mine"'), "Unknown key 'name'."),
        (toml(not_decontaminated='["xquad"]'), "Unknown key 'not_decontaminated'."),
        (toml(title=None), "the key 'title' is missing"),
        (toml(summary=None), "the key 'summary' is missing"),
        (toml(configs=None), "the key 'configs' is missing"),
        (toml(langs=None), "the key 'langs' is missing"),
        (toml(title="1"), "'title' must be a string, not 1"),
        (toml(configs="true"), "Unknown value of 'configs' 'True'"),
        (toml(configs='"languages"'), "Unknown value of 'configs' 'languages'. Did you mean language?"),
        (toml(kind='"benchmrk"'), "Unknown value of 'kind' 'benchmrk'. Did you mean benchmark?"),
        (toml(langs='"el"'), "'langs' must be a list, not 'el'"),
        (toml(langs="[1]"), "'langs' (item 1) must be a string, not 1"),
        (toml(langs='["el", "hi", "el"]'), "'langs' must be a list of different strings, not ['el', 'hi', 'el']"),
        (toml(langs="[]"), "Name at least one language"),
        (toml(langs='["el", "en"]'), "Remove 'en'"),
        (toml(langs='["grc"]'), "'langs': Unknown language 'grc'"),
        (toml(bitext='["wikimatrx"]'), "'bitext': Unknown bitext corpus 'wikimatrx'. Did you mean wikimatrix"),
        (toml(bitext='["alpaca"]'), "Unknown bitext corpus 'alpaca'."),
        (
            toml(instructions='["wikimatrix"]'),
            "Unknown instructions corpus 'wikimatrix'. Known: alpaca,",
        ),
        (toml(instructions='["flores101"]'), "Unknown instructions corpus 'flores101'."),
        (
            toml(instructions='["seed-tasks"]'),
            "'seed-tasks' has no answers. Use it in a recipe with kind = 'benchmark'",
        ),
        (toml(decontaminate_against='["xquadd"]'), "corpus 'xquadd'. Did you mean xquad?"),
        (toml(prompts='["papr"]'), "'prompts': Unknown prompt 'papr'. Did you mean paper?"),
        (toml(directions='["en_xx"]'), "Unknown value of 'directions' 'en_xx'. Did you mean en-xx"),
        (toml(instruction_langs='["fr"]'), "Unknown value of 'instruction_langs' 'fr'."),
        (toml(instruction_langs="[]", directions="[]"), "the release would be empty"),
        (toml(bitext="[]"), "'directions' needs at least one corpus in 'bitext'"),
        (toml(prompts="[]"), "and one prompt in 'prompts'"),
        (toml(instructions="[]"), "'instruction_langs' needs at least one corpus in 'instructions'"),
        (toml(max_pairs="0"), "'max_pairs' must be at least 1, not 0"),
        (toml(max_pairs="1.5"), "'max_pairs' must be a whole number"),
        (toml(max_pairs="true"), "'max_pairs' must be a whole number"),
        (toml(seed="-1"), "'seed' must be at least 0"),
        (toml(validation="0.6"), "'validation' must be at most 0.5, not 0.6"),
        (toml(validation="-0.1"), "'validation' must be at least 0"),
        (toml(validation="nan"), "'validation' must be"),
        (toml(validation='"1%"'), "'validation' must be a number"),
        (toml(filters="1"), "'filters' must be a table, not 1"),
        (toml() + "[filters]\nlow_margin = 1.06\n", "'filters.low_margin' must be a table, not 1.06"),
        (toml() + "[filters.low_margin]\nmin = '1'\n", "'filters.low_margin.min' must be a number or a table, not '1'"),
        (
            toml() + "[filters.low_margin]\nmin = { zh = 'a' }\n",
            "'filters.low_margin.min.zh' must be a number, not 'a'",
        ),
        (toml(kind='"benchmark"'), "a benchmark has configs = 'all'"),
        (toml(kind='"benchmark"', configs='"all"', directions="[]", validation="0.1"), "Remove the key 'validation'"),
        ("title = \n", "is not valid TOML"),
        (toml() + toml(), "is not valid TOML"),
    ],
)
def test_a_mistake_in_a_recipe_names_file_key_and_expected_value(load, tmp_path, text, message):
    with pytest.raises(InputError) as error:
        load(text)
    assert str(tmp_path / "mine.toml") in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("key", sorted({field.name for field in fields(Recipe)} - {"name", "not_decontaminated"}))
def test_wrong_type_of_a_key_names_key_and_expected_type(load, key):
    with pytest.raises(InputError, match=rf"mine\.toml: ('{key}|Unknown value of '{key}')"):
        load(toml(**{key: "[true]"}))


@pytest.mark.parametrize("key", [field.name for field in fields(Recipe)])
def test_a_mistyped_key_names_the_nearest_one(load, key):
    typo = key[:-1] + "q"
    with pytest.raises(InputError, match=f"Unknown key '{typo}'") as error:
        load(f"{typo} = 1\n{toml()}")
    assert key in ("name", "not_decontaminated") or key in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("coitt", "Did you mean coit"),
        ("muti", "Did you mean muit"),
        ("prompts", "Unknown recipe 'prompts'"),
        ("", "Known"),
    ],
)
def test_unknown_recipe_names_the_nearest(name, message):
    with pytest.raises(InputError, match="Unknown recipe") as error:
        load_recipe(name, CATALOG)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["My.toml", "a b.toml", "ü.toml", "-a.toml", "a_b.toml", ".toml"])
def test_file_name_of_a_recipe_is_checked(load, name):
    with pytest.raises(InputError, match="lower-case letters and digits, with single hyphens") as error:
        load(toml(), name)
    assert name in str(error.value)


def test_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, message in [
        ("missing.toml", "There is no file"),
        ("folder.toml", "is a folder; a TOML file was expected"),
        ("bytes.toml", "is not valid TOML"),
    ]:
        with pytest.raises(InputError, match=message) as error:
            load_recipe(str(tmp_path / name), CATALOG)
        assert str(tmp_path / name) in str(error.value)


def test_select_langs_sorts_by_code():
    coit = load_recipe("coit", CATALOG)
    assert select_langs(coit, ["zh", "el"]).langs == ("el", "zh")
    assert select_langs(coit, ["de"]).langs == ("de",)
    assert select_langs(coit, ["zh"]) == replace(coit, langs=("zh",))


@pytest.mark.parametrize(
    ("langs", "message"),
    [
        ([], "at least one language"),
        (["el", "el"], "each only once, not 'el,el'"),
        (["en"], "Remove 'en'"),
        (["grc"], "Unknown language 'grc'"),
    ],
)
def test_select_langs_checks_languages(langs, message):
    with pytest.raises(InputError) as error:
        select_langs(load_recipe("coit", CATALOG), langs)
    assert message in str(error.value)


def test_substitute_corpora_keeps_the_order():
    catalog = load_catalog(sample=True)
    recipe = substitute_corpora(load_recipe("coit", catalog), catalog, "sample")
    assert recipe.name == "coit-sample"
    assert recipe.bitext == ("sample-wikimatrix", "sample-news-commentary")
    assert recipe.instructions == ("sample-alpaca",)
    assert recipe.decontaminate_against == ("sample-flores101", "sample-xquad", "sample-mlqa")
    ours = load_recipe("coit", catalog)
    corpora = {
        "bitext": ours.bitext,
        "instructions": ours.instructions,
        "decontaminate_against": ours.decontaminate_against,
    }
    assert replace(recipe, name="coit", **corpora) == ours


def test_skip_decontamination_removes_named_benchmarks():
    coit = load_recipe("coit", CATALOG)
    assert coit.decontaminate_against == ("flores101", "xquad", "mlqa")
    assert skip_decontamination(coit, ["xquad"]).decontaminate_against == ("flores101", "mlqa")
    assert skip_decontamination(coit, []) == coit
    with pytest.raises(InputError, match=r"Unknown benchmark .* of recipe coit 'xqad'. Did you mean xquad\?"):
        skip_decontamination(coit, ["xqad"])


def test_corpus_without_a_sample_is_an_error():
    with pytest.raises(InputError, match="no corpus for 'wikimatrix' of recipe coit"):
        substitute_corpora(load_recipe("coit", CATALOG), CATALOG, "sample")


def test_order_of_corpora_is_kept(load):
    recipe = load(toml(bitext='["news-commentary", "wikimatrix"]'))
    assert recipe.bitext == ("news-commentary", "wikimatrix")
