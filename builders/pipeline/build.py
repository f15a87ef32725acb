"""build(): from upstream's files to the examples of every config, a stage a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from builders.pipeline.bitext import apply_filters, ledger_rows, measure, read_bitexts, script_variants, select_kept
from builders.pipeline.decontamination import decontamination_report, find_contaminated, index_ngrams
from builders.pipeline.deduplication import deduplicate, english_overlap
from builders.pipeline.examples import build_instructions, count_rows, format_examples, read_documents
from builders.pipeline.filters import Filter, choose_filters
from builders.pipeline.ledger import read_ledger
from builders.pipeline.quality_scores import Scores, score_filters, scored
from builders.pipeline.write_tables import instruction_ledger_rows
from builders.translation import Translator, count_translations
from builders.workspace import Workspace
from corpora.catalog import Corpus, language
from corpora.download import Source, SourceFile
from corpora.errors import InputError
from recipes.recipe import Recipe


@dataclass(frozen=True)
class Built:
    """What a build made: the examples of every config, the judged pairs of every language, and the account."""

    recipe: Recipe
    filters: tuple[Filter, ...]
    fetched: tuple[SourceFile, ...]
    translator: Translator
    examples: Mapping[str, Path]  # config -> instructions
    decisions: Mapping[str, Sequence[Path]]  # lang -> shards
    ledger: pl.DataFrame
    composition: pl.DataFrame
    decontamination: pl.DataFrame
    english_overlap: pl.DataFrame
    script_variants: pl.DataFrame
    allocation: Mapping[str, Any] | None = None  # how a budget was split, in a release by budget


def sources(recipe: Recipe, catalog: Mapping[str, Corpus]) -> list[Source]:
    """The files that a recipe needs; InputError if a language has no sentence pairs and needs some."""
    needed = []
    for lang in recipe.langs if recipe.directions else ():
        found = [catalog[name] for name in recipe.bitext if catalog[name].has(lang)]
        if not found:
            raise InputError(
                f"Recipe {recipe.name} has no translation data in {language(lang).name} ({lang}): "
                f"{', '.join(recipe.bitext)} {'does' if len(recipe.bitext) == 1 else 'do'} not exist in it. "
                "Leave the language out of --langs, or see `builders list`."
            )
        needed += [source(corpus, lang) for corpus in found]
    if recipe.directions:
        needed += [
            source(catalog[name], lang)
            for name in recipe.decontaminate_against
            for lang in ("en", *recipe.langs)
            if catalog[name].has(lang)
        ]
    needed += [source(catalog[name], lang) for name in recipe.monolingual for lang in _with_text(catalog[name], recipe)]
    return needed + [source(catalog[name], "en") for name in recipe.instructions if recipe.instruction_langs]


def _with_text(corpus: Corpus, recipe: Recipe) -> tuple[str, ...]:
    """The languages of a recipe; InputError if a monolingual corpus lacks one."""
    for lang in recipe.langs:
        if not corpus.has(lang):
            raise InputError(f"The corpus '{corpus.id}' has no text in {language(lang).name} ({lang}).")
    return recipe.langs


def source(corpus: Corpus, lang: str) -> Source:
    """The file that holds a corpus in a language."""
    return Source(corpus.id, lang, corpus.location(lang), corpus.sha256.get(lang))


def chosen_filters(recipe: Recipe, scores: Scores | None) -> tuple[Filter, ...]:
    """The filters of a recipe, those over the user's own scores at last; InputError for what is not known."""
    return choose_filters(recipe.filters, recipe.disable_filters, recipe.enable_filters, score_filters(scores))


def build(
    recipe: Recipe,
    catalog: Mapping[str, Corpus],
    fetched: Sequence[SourceFile],
    translator: Translator,
    scores: Scores | None,
    work: Workspace,
) -> Built:
    """Make the tables between upstream's files and the examples of each config; reuse what is made already."""
    filters = chosen_filters(recipe, scores)
    files = {
        kind: [file for file in fetched if catalog[file.source.corpus].kind == kind]
        for kind in ("bitext", "benchmark", "instructions", "monolingual")
    }
    pairs = read_bitexts(files["bitext"], catalog, work)
    measured = {lang: measure(lang, pairs[lang], filters, work) for lang in pairs}
    duplicates = {lang: deduplicate(lang, measured[lang], recipe.bitext, filters, work) for lang in pairs}
    ngrams = index_ngrams(files["benchmark"], catalog, work)
    contaminated = {
        lang: find_contaminated(lang, measured[lang], duplicates[lang], ngrams, filters, work) for lang in pairs
    }
    decisions = apply_filters(
        {
            lang: {
                "measured": measured[lang],
                "duplicates": duplicates[lang],
                "contaminated": contaminated[lang],
                "quality_scores": scored(scores, lang, pairs[lang], work),
            }
            for lang in pairs
        },
        filters,
        work,
    )
    bitext = {lang: select_kept(lang, decisions[lang], work) for lang in pairs}
    instructions, translations = build_instructions(files["instructions"], catalog, recipe, translator, work)
    documents = read_documents(files["monolingual"], catalog, recipe, work)
    records = {lang: [*instructions.get(lang, ()), *documents.get(lang, ())] for lang in {**instructions, **documents}}
    examples = {
        config: format_examples(config, langs, recipe, _of(bitext, langs), _all_of(records, ("en", *langs)), work)
        for config, langs in recipe.config_langs().items()
    }
    ledgers = [
        ledger_rows(
            lang,
            {
                "pairs": pairs[lang],
                "measured": measured[lang],
                "duplicates": duplicates[lang],
                "contaminated": contaminated[lang],
                "decisions": decisions[lang],
                "bitext": [bitext[lang]],
            },
            filters,
            work,
        )
        for lang in pairs
    ]
    more = [row for paths in records.values() for path in paths for row in instruction_ledger_rows(path)]
    more += [row for name, tables in translations.items() for row in count_translations(tables, name)]
    return Built(
        recipe=recipe,
        filters=filters,
        fetched=tuple(fetched),
        translator=translator,
        examples=examples,
        decisions=decisions,
        ledger=read_ledger(ledgers, more),
        composition=count_rows(examples),
        decontamination=decontamination_report(ngrams, contaminated),
        english_overlap=english_overlap(bitext, work),
        script_variants=script_variants(decisions),
    )


def _of(tables: Mapping[str, Path], langs: Sequence[str]) -> list[Path]:
    return [tables[lang] for lang in langs if lang in tables]


def _all_of(tables: Mapping[str, Sequence[Path]], langs: Sequence[str]) -> list[Path]:
    return [path for lang in langs for path in tables.get(lang, ())]
