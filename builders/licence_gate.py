"""The gate of `--licence`: a release whose sources do not allow the use is refused, before anything is downloaded."""

from collections.abc import Mapping, Sequence

from builders.translation import Translator, translator_rows
from corpora.catalog import Corpus
from corpora.errors import InputError
from corpora.licences import Use, allows
from recipes.recipe import Recipe


def required_use(recipe: Recipe, requested: Use | None) -> Use:
    """Return what the licences of a release must allow: what the user asks for, or else the recipe."""
    return requested or recipe.licence


def check_corpora(recipe: Recipe, catalog: Mapping[str, Corpus], use: Use) -> None:
    """Raise InputError if a corpus whose text is in the rows is not known to allow a use.

    Benchmarks are only searched for.
    """
    corpora = [catalog[name] for name in (*recipe.bitext, *recipe.instructions, *recipe.monolingual)]
    refused = [corpus for corpus in corpora if not allows(corpus.licence, use)]
    _refuse(recipe.name, [_sentence(corpus.id, corpus.licence, corpus.licence_note) for corpus in refused])


def check_translator_row(recipe: Recipe, name: str, use: Use) -> None:
    """Raise InputError if a row of translators.toml has a licence that is not known to allow a use."""
    row = translator_rows().get(name)
    if row and row.licence and not allows(row.licence, use):
        _refuse(recipe.name, [_sentence(row.name, row.licence)])


def check_translator(recipe: Recipe, translator: Translator, use: Use) -> None:
    """Raise InputError if a model that translates is not known to allow a use of its translations."""
    if "xx" in recipe.instruction_langs and translator.is_available:
        models = translator.models()
        _refuse(recipe.name, [_sentence(m["name"], m["licence"]) for m in models if not allows(m["licence"], use)])


def _sentence(name: str, licence: str, note: str = "") -> str:
    return f"{name} ({licence}{f': {note}' if note else ''})"


def _refuse(recipe: str, refused: Sequence[str]) -> None:
    if sources := "; ".join(refused):
        raise InputError(
            f"{recipe} cannot be published for commercial use: {sources}. Leave these out or name others, or use "
            "--licence any. A licence that is not known to allow it counts as one that does not."
        )
