"""Recipe: what a release is made of; loaded by name or path, strictly, and narrowed to some languages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from corpora.catalog import Corpus, language, languages, read_toml
from corpora.errors import InputError, unknown

HERE = Path(__file__).parent
DATASETS = HERE / "datasets"
CHOICES = {"configs": ("language", "all"), "general": ("en", "xx"), "directions": ("en-x", "x-en")}
DEFAULT_NAMES = ("coit", "muit")
UNANSWERED = "self-instruct"  # the format of instructions that are read without answers


@dataclass(frozen=True)
class Recipe:
    """A recipe for one release.

    `configs` is `language` (a config a language) or `all` (one config of all). `bitext` and `instructions` name
    corpora of the catalogue; of equal pairs the one from the corpus listed first wins. `general` says in which
    languages the general-task instructions come: `en`, `xx` or both. `pairs` caps the translation examples a
    language and direction, `records` takes the first of each instruction corpus, `texts` of each corpus of
    `monolingual` (None: all that is kept).
    Of several `prompts` each pair's id chooses one. What the sets of `evaluation` say is
    taken out of the translation data; `not_searched` are those left out at a user's word. `validation` is the share
    of English sentences and records set aside for validation. `filters` changes thresholds, `without` leaves filters
    out, `also` asks for optional ones.

    `validation = 1` makes a benchmark: all is held back, and a record stands in every language or in none.
    """

    name: str
    title: str
    summary: str
    configs: str
    langs: tuple[str, ...]
    bitext: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    monolingual: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    pairs: int | None = None
    records: int | None = None
    texts: int | None = None
    evaluation: tuple[str, ...] = ("flores101", "xquad", "mlqa")
    not_searched: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ("paper",)
    validation: float = 0.01
    seed: int = 0
    filters: Mapping[str, Mapping[str, float | Mapping[str, float]]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def is_benchmark(self) -> bool:
        """Whether the release is to be asked, not learned from."""
        return self.validation == 1

    def config_langs(self) -> dict[str, tuple[str, ...]]:
        """The languages of each config, by the config's name."""
        return {"all": self.langs} if self.configs == "all" else {lang: (lang,) for lang in self.langs}


@dataclass(frozen=True)
class Prompt:
    """How a translation is asked for; `text` holds {target} and may hold {source}, English names of languages."""

    name: str
    text: str
    origin: str


def recipe_names() -> list[str]:
    """The names of the recipes that come with the project."""
    return sorted(path.stem for path in DATASETS.glob("*.toml"))


def load_recipe(name_or_path: str, catalog: Mapping[str, Corpus]) -> Recipe:
    """The recipe of this name, or in the TOML file at this path; InputError if anything in it is not known."""
    path = DATASETS / f"{name_or_path}.toml"
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        path = Path(name_or_path)
    elif name_or_path not in recipe_names():
        raise unknown("recipe", name_or_path, recipe_names())
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", path.stem):
        raise InputError(f"{path}: a recipe's file is named in lower-case letters, digits and hyphens.")
    return parse_recipe(path.stem, read_toml(path), catalog, str(path))


def parse_recipe(name: str, table: Mapping[str, Any], catalog: Mapping[str, Corpus], where: str) -> Recipe:
    """A strictly checked recipe from the table of a TOML file."""
    known = {f.name: f for f in fields(Recipe) if f.name not in ("name", "not_searched")}
    for key, value in table.items():
        if key not in known:
            raise InputError(f"{where}: {unknown('key', key, known)}")
        _check_type(key, value, where)
    for key in ("title", "summary", "configs", "langs"):
        if key not in table:
            raise InputError(f"{where}: the key '{key}' is missing.")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    recipe = Recipe(name=name, **values | ({"langs": tuple(sorted(values["langs"]))}))
    _check_names(recipe, catalog, where)
    return recipe


def _check_type(key: str, value: Any, where: str) -> None:
    sources = ("bitext", "instructions", "monolingual", "evaluation")
    lists = ("langs", *sources, "general", "directions", "prompts", "without", "also")
    if key in lists:
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        right = right and len(set(value)) == len(value)
        expected = "a list of different strings"
    elif key in ("pairs", "records", "texts", "seed"):
        least = 0 if key == "seed" else 1
        right, expected = type(value) is int and value >= least, f"a whole number of at least {least}"
    elif key == "validation":
        right, expected = (
            type(value) in (int, float) and (0 <= value <= 0.5 or value == 1),
            "a share from 0 to 0.5, or 1",
        )
    elif key == "filters":
        right, expected = isinstance(value, dict) and all(isinstance(v, dict) for v in value.values()), "tables"
    else:
        right, expected = isinstance(value, str), "a string"
    if not right:
        raise InputError(f"{where}: '{key}' must be {expected}, not {value!r}.")


def _check_names(recipe: Recipe, catalog: Mapping[str, Corpus], where: str) -> None:
    for key, choices in CHOICES.items():
        value = getattr(recipe, key)
        for item in (value,) if isinstance(value, str) else value:
            if item not in choices:
                raise InputError(f"{where}: {unknown(f'value of {key}', item, choices)}")
    for lang in recipe.langs:
        if lang not in languages():
            raise InputError(f"{where}: {unknown('language', lang, languages())}")
        if lang == "en":
            raise InputError(f"{where}: langs names the languages beside English; 'en' cannot be one of them.")
    for kind in ("bitext", "instructions", "monolingual", "evaluation"):
        for corpus in getattr(recipe, kind):
            of_kind = {c.id for c in catalog.values() if c.kind == kind}
            if corpus not in of_kind:
                raise InputError(f"{where}: {unknown(f'{kind} corpus', corpus, of_kind)}")
    for corpus in recipe.instructions:
        if not catalog[corpus].has("en"):
            raise InputError(f"{where}: the instructions of '{corpus}' are not in English; only English ones are read.")
        if catalog[corpus].format == UNANSWERED and not recipe.is_benchmark:
            raise InputError(f"{where}: '{corpus}' asks and does not answer; it is for a benchmark (validation = 1).")
    if recipe.is_benchmark and (recipe.configs != "all" or recipe.directions or recipe.monolingual):
        raise InputError(f"{where}: a benchmark (validation = 1) has instructions alone, and configs = 'all'.")
    for prompt in recipe.prompts:
        if prompt not in prompts():
            raise InputError(f"{where}: {unknown('prompt', prompt, prompts())}")
    if not recipe.langs or not (recipe.general or recipe.directions or recipe.monolingual):
        raise InputError(
            f"{where}: a recipe needs at least one language, and text, general instructions or a direction."
        )
    if (recipe.directions and not (recipe.bitext and recipe.prompts)) or (recipe.general and not recipe.instructions):
        raise InputError(f"{where}: directions need bitext and a prompt, general needs instructions.")


def prompts() -> dict[str, Prompt]:
    """The rows of `prompts.toml` that ask for a translation, by name."""
    table = read_toml(HERE / "prompts.toml")["translation"]
    return {name: Prompt(name, **row) for name, row in table.items()}


def narrow(recipe: Recipe, langs: Sequence[str]) -> Recipe:
    """The recipe for these languages alone, in the order of their codes; any language of the table may be asked for."""
    for lang in langs:
        if language(lang).code == "en":
            raise InputError("--langs names the languages beside English, such as el,hi; 'en' is always there.")
    if len(set(langs)) != len(langs) or not langs:
        raise InputError(f"--langs needs at least one language and each of them once, not '{','.join(langs)}'.")
    return replace(recipe, langs=tuple(sorted(langs)))


def stand_ins(recipe: Recipe, catalog: Mapping[str, Corpus], suffix: str) -> Recipe:
    """The recipe with each corpus replaced by the one that stands for it, under a name of its own."""
    instead = {c.stands_for: c.id for c in catalog.values() if c.stands_for}
    for corpus in (*recipe.bitext, *recipe.instructions, *recipe.monolingual, *recipe.evaluation):
        if corpus not in instead:
            raise InputError(f"The {suffix} has nothing that stands for the corpus '{corpus}' of recipe {recipe.name}.")
    return replace(
        recipe,
        name=f"{recipe.name}-{suffix}",
        bitext=tuple(instead[corpus] for corpus in recipe.bitext),
        instructions=tuple(instead[corpus] for corpus in recipe.instructions),
        monolingual=tuple(instead[corpus] for corpus in recipe.monolingual),
        evaluation=tuple(instead[corpus] for corpus in recipe.evaluation),
    )


def without_evaluation(recipe: Recipe, left_out: Sequence[str]) -> Recipe:
    """The recipe without decontamination against some sets; InputError if it names none of that name."""
    for name in left_out:
        if name not in recipe.evaluation:
            raise unknown(f"evaluation set of recipe {recipe.name}", name, recipe.evaluation)
    kept = tuple(name for name in recipe.evaluation if name not in left_out)
    return replace(recipe, evaluation=kept, not_searched=tuple(left_out))
