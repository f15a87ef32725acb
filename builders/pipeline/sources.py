"""Sources: the upstream files that a recipe needs."""

from collections.abc import Mapping

from corpora.catalog import Corpus, language
from corpora.download import Source
from corpora.errors import InputError
from recipes.recipe import Recipe


def required_sources(recipe: Recipe, catalog: Mapping[str, Corpus]) -> list[Source]:
    """Return the files that a recipe needs.

    Raises:
        InputError: No bitext, or a monolingual corpus not, has one of the languages.
    """
    sources: list[Source] = []
    if recipe.reads_bitext:
        sources += [source for lang in recipe.langs for source in _bitext_sources(recipe, lang, catalog)]
        sources += [
            source(catalog[name], lang)
            for name in recipe.decontaminate_against
            for lang in ("en", *recipe.langs)
            if catalog[name].has(lang)
        ]
    sources += [_text_source(catalog[name], lang) for name in recipe.monolingual for lang in recipe.langs]
    return sources + [
        source(catalog[name], lang)
        for name in recipe.instructions
        for lang in _instruction_langs(recipe, catalog[name])
    ]


def _instruction_langs(recipe: Recipe, corpus: Corpus) -> list[str]:
    """Return the languages in which a corpus of instructions is read: in English, and as it is where it has others."""
    own = recipe.langs if "xx" in recipe.instruction_langs else ()
    return [lang for lang in ("en", *own) if recipe.instruction_langs and corpus.has(lang)]


def source(corpus: Corpus, lang: str) -> Source:
    """Return the file that has a corpus in a language."""
    return Source(corpus.id, lang, corpus.location(lang), corpus.sha256.get(lang))


def _bitext_sources(recipe: Recipe, lang: str, catalog: Mapping[str, Corpus]) -> list[Source]:
    sources = [
        Source(name, lang, location, catalog[name].sha256.get(lang))
        for name in recipe.bitext
        if catalog[name].has(lang)
        for location in catalog[name].locations(lang)
    ]
    if not sources:
        raise InputError(
            f"Recipe {recipe.name} has no translation data in {language(lang).name} ({lang}): "
            f"{', '.join(recipe.bitext)} {'does' if len(recipe.bitext) == 1 else 'do'} not exist in it. "
            "Leave the language out of --langs, or see `builders list`."
        )
    return sources


def _text_source(corpus: Corpus, lang: str) -> Source:
    if not corpus.has(lang):
        raise InputError(f"The corpus '{corpus.id}' has no text in {language(lang).name} ({lang}).")
    return source(corpus, lang)
