"""resolve(): options become a plan, in which every name has been looked up once and checked before any work."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from builders.budget import Budget, check_budget
from builders.licence_gate import check_corpora, check_translator_row, required_use
from builders.options import BuildOptions, listed, parse_thresholds
from builders.pipeline import (
    MODEL_FILTER,
    MODEL_STAGE,
    Filter,
    QualityScores,
    read_quality_scores,
    required_sources,
    resolve_filters,
)
from builders.scoring import check_scorer
from builders.translation import DEFAULT_TRANSLATOR, check_tables
from corpora.catalog import SAMPLE, Corpus, language, language_codes, languages, load_catalog
from corpora.download import Source
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.in_memory import corpus_from_tables
from corpora.language_id import second_model, use_language_model
from corpora.named import Access, named_corpora
from corpora.tables import read_toml
from recipes.recipe import (
    Recipe,
    find_recipe,
    load_recipe,
    parse_recipe,
    select_langs,
    skip_decontamination,
    substitute_corpora,
)

logger = logging.getLogger(__name__)


@contextmanager
def use_tables(options: BuildOptions) -> Iterator[None]:
    """Use the folders of `with_` and the language model of some options within the block."""
    with extend(options.with_), use_language_model(options.language_model, options.offline):
        yield


@dataclass(frozen=True)
class BuildPlan:
    """What a build will do: recipes with all that they name, each looked up once."""

    options: BuildOptions
    catalog: Mapping[str, Corpus]
    recipes: tuple[Recipe, ...]
    sources: Mapping[str, tuple[Source, ...]]  # by the recipe's name
    filters: Mapping[str, tuple[Filter, ...]]  # by the recipe's name
    quality_scores: QualityScores | None = None
    budget: Budget | None = None
    has_turns: bool = True  # whether examples may be conversations with several questions

    def translator_name(self, recipe: Recipe) -> str:
        """Return the translator of a recipe: what the options name, the memory of the sample, or the recipe's."""
        if "xx" not in recipe.instruction_langs:
            return "none"
        sample = str(SAMPLE / "memory.parquet") if self.options.sample else ""
        return self.options.translator or sample or recipe.translator or DEFAULT_TRANSLATOR

    @property
    def all_sources(self) -> tuple[Source, ...]:
        """The files that any of the recipes needs, each once."""
        return tuple(dict.fromkeys(source for own in self.sources.values() for source in own))


def resolve(options: BuildOptions, budget: Budget | None = None) -> BuildPlan:
    """Return the plan of a build.

    Raises:
        InputError: Anything that the options or the recipes name is unknown, or does not fit together.
    """
    check_tables(options.translator)
    if options.score_with:
        check_scorer(options.score_with)
        options = replace(options, enable_filters=(*options.enable_filters, MODEL_FILTER))
    langs = language_codes(options.langs)
    catalog = load_catalog(sample=options.sample) | in_memory_corpora(options, langs)
    catalog |= _corpora_of_recipes(options, langs, catalog)
    scores = read_quality_scores(options.quality_scores, catalog, langs) if options.quality_scores else None
    recipes = [
        _resolve_recipe(recipe_source, replace(options, langs=langs), catalog, scores)
        for recipe_source in options.recipes
    ]
    _check_names(recipes)
    _check_used(options, recipes, catalog)
    _check_identification([lang for recipe in recipes if recipe.reads_bitext for lang in recipe.langs])
    if budget:
        for recipe in recipes:
            check_budget(recipe, budget)
    plan = BuildPlan(
        options=options,
        catalog=catalog,
        recipes=tuple(recipes),
        sources={recipe.name: tuple(required_sources(recipe, catalog)) for recipe in recipes},
        filters={recipe.name: resolve_filters(recipe, scores) for recipe in recipes},
        quality_scores=scores,
        budget=budget,
    )
    for recipe in recipes:
        _check_scored(plan.filters[recipe.name], options)
        use = required_use(recipe, options.licence)
        check_corpora(recipe, catalog, use)
        check_translator_row(recipe, plan.translator_name(recipe), use)
    return plan


def _check_scored(filters: Sequence[Filter], options: BuildOptions) -> None:
    """Raise InputError if a filter needs the scores of a model, and none is named; or if it cannot run as asked."""
    own = [rule.name for rule in filters if rule.table == MODEL_STAGE]
    if own and not options.score_with:
        raise InputError(f"The filter {own[0]} needs --score-with NAME, a model that scores pairs, such as nllb.")
    if options.score_with and options.cluster:
        raise InputError("--score-with computes on the processors of one machine. Leave --cluster out.")


def _check_identification(langs: Sequence[str]) -> None:
    """Warn once of languages that no model identifies.

    Raises:
        InputError: The second model does not know one of them either.
    """
    unknown_langs = sorted({lang for lang in langs if not language(lang).labels})
    names = ", ".join(f"{language(lang).name} ({lang})" for lang in unknown_langs)
    if not unknown_langs:
        return
    for lang in unknown_langs:
        model = second_model(lang)
        if model and not model.labels_of(lang):
            raise InputError(
                f"{model.name} does not know {language(lang).name} ({lang}). Name another --language-model."
            )
        if not model:
            logger.warning(
                "fastText lid.176 does not know %s: of these pairs only English in place of the language is found. "
                "--language-model names a model that knows more.",
                names,
            )
            return


def _corpora_of_recipes(
    options: BuildOptions, langs: Sequence[str], catalog: Mapping[str, Corpus]
) -> dict[str, Corpus]:
    """Return the rows of the corpora of OPUS and the Hub that recipes name, by id."""
    names: list[str] = []
    own_langs: list[str] = []
    for source in options.recipes:
        if isinstance(source, Recipe):
            continue
        table = source if isinstance(source, Mapping) else read_toml(find_recipe(str(source)))
        names += [name for name in listed(table.get("bitext", ())) if isinstance(name, str)]
        own_langs += [lang for lang in listed(table.get("langs", ())) if isinstance(lang, str) and lang in languages()]
    return find_corpora(names, catalog, langs or tuple(dict.fromkeys(own_langs)), options)


def find_corpora(
    names: Sequence[str], catalog: Mapping[str, Corpus], langs: Sequence[str], options: BuildOptions
) -> dict[str, Corpus]:
    """Return the rows of corpora of OPUS and the Hub, by id."""
    access = Access(options.work / "downloads", options.corpora_lock, options.mirror, options.offline)
    return named_corpora(names, catalog, langs, access)


def in_memory_corpora(options: BuildOptions, langs: Sequence[str]) -> dict[str, Corpus]:
    """Return the corpora that a caller gives as tables, by id; their content is written to the work folder once."""
    own = [
        lang for recipe in options.recipes if isinstance(recipe, Mapping) for lang in listed(recipe.get("langs", ()))
    ]
    langs = langs or tuple(dict.fromkeys(own))
    return {
        name: value
        if isinstance(value, Corpus)
        else corpus_from_tables(name, _by_language(name, value, langs), options.work / "in-memory")
        for name, value in options.corpora.items()
    }


def _by_language(name: str, value: Any, langs: Sequence[str]) -> Mapping[str, Any]:
    """Return tables by language; a single table is in English if it has instructions, else in the one of `langs`."""
    if isinstance(value, Mapping):
        return _checked_mapping(name, value)
    if hasattr(value, "collect_schema"):  # a frame of Polars, perhaps lazy
        columns = value.collect_schema().names()
    else:
        columns = getattr(value, "column_names", getattr(value, "columns", ()))
    if "instruction" in columns or "messages" in columns:
        return {"en": value}
    if len(langs) != 1:
        raise InputError(
            f"The corpus '{name}' is one table, but there are {len(langs)} languages. Give a table for each language, "
            f"such as {{'{name}': {{'el': table}}}}."
        )
    return {langs[0]: value}


def _checked_mapping(name: str, tables: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Return tables by language; InputError for a mapping of columns or of splits."""
    if hasattr(tables, "with_format"):
        raise InputError(
            f"The corpus '{name}' has the splits {', '.join(tables)}. Choose one, such as dataset['train']."
        )
    if any(isinstance(value, Sequence) for value in tables.values()):
        raise InputError(
            f"The corpus '{name}' is a mapping of lists. Make a table of it, such as polars.DataFrame(columns)."
        )
    return {str(lang): table for lang, table in tables.items()}


def _check_names(recipes: Sequence[Recipe]) -> None:
    for name, count in Counter(recipe.name for recipe in recipes).items():
        if count > 1:
            raise InputError(f"{count} of the recipes are named {name}: a release has one. Rename a recipe's file.")


def _check_used(options: BuildOptions, recipes: Sequence[Recipe], catalog: Mapping[str, Corpus]) -> None:
    used = {source.corpus for recipe in recipes for source in required_sources(recipe, catalog)}
    for name in options.corpora:
        if name not in used:
            langs = ", ".join(catalog[name].langs)
            raise InputError(
                f"No recipe uses the corpus '{name}' ({langs}). Name it in a recipe with one of these languages, such "
                f"as bitext = ['{name}'], or leave it out."
            )


def _resolve_recipe(
    recipe_source: Any, options: BuildOptions, catalog: Mapping[str, Corpus], scores: QualityScores | None
) -> Recipe:
    """Return a recipe with the changes that the options make to it."""
    recipe = _find_recipe(recipe_source, catalog)
    _check_filters(recipe_source, recipe, options, scores)
    recipe = select_langs(recipe, options.langs) if options.langs else recipe
    skipped = options.skip_decontamination
    recipe = skip_decontamination(recipe, recipe.decontaminate_against if skipped == ("all",) else skipped)
    recipe = substitute_corpora(recipe, catalog, "sample") if options.sample else recipe
    return replace(
        recipe,
        max_instructions=options.max_instructions or recipe.max_instructions,
        filters=_merged(recipe.filters, parse_thresholds(options.set)),
        disable_filters=tuple(dict.fromkeys((*recipe.disable_filters, *options.disable_filters))),
        enable_filters=tuple(dict.fromkeys((*recipe.enable_filters, *options.enable_filters))),
    )


def _check_filters(recipe_source: Any, recipe: Recipe, options: BuildOptions, scores: QualityScores | None) -> None:
    """Raise InputError, with the recipe's file, if a filter or threshold that the recipe itself names is unknown."""
    enabled = replace(recipe, filters={}, disable_filters=(), enable_filters=options.enable_filters)
    resolve_filters(enabled, scores)  # errors of the tables and of the options
    try:
        resolve_filters(replace(recipe, enable_filters=(*recipe.enable_filters, *options.enable_filters)), scores)
    except InputError as error:
        is_named = not isinstance(recipe_source, Recipe | Mapping)
        raise InputError(
            f"{find_recipe(str(recipe_source)) if is_named else f'Recipe {recipe.name}'}: {error}"
        ) from None


def _find_recipe(recipe_source: Any, catalog: Mapping[str, Corpus]) -> Recipe:
    """Return the recipe of a name, a path, or a mapping of a recipe's keys and its `name`."""
    if isinstance(recipe_source, Recipe):
        return recipe_source
    if not isinstance(recipe_source, Mapping):
        return load_recipe(str(recipe_source), catalog)
    name = recipe_source.get("name", "my-recipe")
    if not isinstance(name, str):
        raise InputError(f"The name of a recipe is a text, such as 'my-recipe', not {name!r}.")
    table = {"title": name, "summary": f"{name}.", "configs": "language"} | dict(recipe_source)
    table.pop("name", None)
    return parse_recipe(name, table, catalog, f"The recipe '{name}'")


def _merged(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """Return thresholds of a recipe with those of the options in their place."""
    return {name: {**first.get(name, {}), **then.get(name, {})} for name in {**first, **then}}
