"""Translate the instructions of one corpus: a build whose examples are files for the user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.execution import build_recipes, open_workspace, plan_steps
from builders.options import BuildOptions, parse_thresholds
from builders.pipeline import BuildResult, required_sources, resolve_filters
from builders.resolve import BuildPlan, find_corpora, in_memory_corpora
from builders.translation import (
    check_instructions,
    check_tables,
    describe_translations,
    export,
    load_instructions,
    output_path,
    translate_text,
)
from corpora.catalog import language_codes, load_catalog
from corpora.errors import InputError, unknown
from corpora.notebook import TextInNotebook
from corpora.progress import Progress
from recipes.recipe import DEFAULT_NAMES, Recipe, load_recipe


@dataclass(frozen=True, repr=False)
class TranslateResult(TextInNotebook):
    """Translated instructions: a Parquet file for each language, and the build that made them."""

    built: BuildResult
    files: Mapping[str, Path]

    @property
    def translator(self) -> dict[str, Any]:
        """The translator, and the number of translated segments by language and method."""
        return describe_translations(self.built.translator, self.built.translations.values())

    def __repr__(self) -> str:
        return translate_text(self.built.ledger, self.files, self.translator)


def run_translation(
    what: str, output: Path, build_options: BuildOptions, progress: Progress, bitext: Sequence[str] = ()
) -> TranslateResult:
    """Translate a corpus of the catalogue, or a file, into a Parquet file per language in a folder.

    The words of the corpora of `bitext` judge the translations.
    """
    files, built = build_translations(what, build_options, progress, output, bitext)
    return TranslateResult(built, files)


def build_translations(
    what: str,
    build_options: BuildOptions,
    progress: Progress,
    output: Path | None = None,
    bitext: Sequence[str] = (),
) -> tuple[dict[str, Path], BuildResult]:
    """Return the files of a corpus's translations by language, if there is a folder for them, and their build."""
    check_tables(build_options.translator)
    catalog = load_catalog(sample=build_options.sample) | in_memory_corpora(build_options, ())
    corpus, stem = load_instructions(what, catalog)
    catalog |= {corpus.id: corpus}
    langs = language_codes(build_options.langs) or load_recipe(DEFAULT_NAMES[0], catalog).langs
    if "en" in langs:
        raise InputError("The instructions are in English, so they are not translated into it. Remove en from --langs.")
    catalog |= find_corpora(bitext, catalog, langs, build_options)
    for name in bitext:
        if name not in catalog or catalog[name].kind != "bitext":
            raise InputError(
                f"--bitext: {unknown('bitext', name, [n for n, c in catalog.items() if c.kind == 'bitext'])}"
            )
    files = {lang: output_path(corpus, output / f"{stem}.{lang}.parquet") for lang in langs} if output else {}
    recipe = _translation_recipe(corpus.id, corpus.title, tuple(langs), build_options.max_instructions, tuple(bitext))
    recipe = replace(
        recipe,
        filters=parse_thresholds(build_options.set),
        disable_filters=build_options.disable_filters,
        enable_filters=build_options.enable_filters,
    )
    filters = resolve_filters(recipe, None) if bitext else ()
    plan = BuildPlan(
        build_options,
        catalog,
        (recipe,),
        {recipe.name: tuple(required_sources(recipe, catalog))},
        {recipe.name: filters},
    )
    with open_workspace(build_options) as work:
        (built,) = build_recipes(plan, work, plan_steps(plan, work, progress))
        check_instructions(built.ledger, corpus)
        for lang, path in files.items():
            export(built.examples[lang], path)
    return files, built


def _translation_recipe(
    corpus: str, title: str, langs: tuple[str, ...], max_instructions: int | None, bitext: tuple[str, ...]
) -> Recipe:
    return Recipe(
        name=f"translate-{corpus}",
        title=title,
        summary=f"{title}, translated.",
        configs="language",
        langs=langs,
        bitext=bitext,
        decontaminate_against=(),
        instructions=(corpus,),
        instruction_langs=("xx",),
        max_instructions=max_instructions,
    )
