"""build(): from upstream's files to the examples of every config, a stage a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from builders.pipeline.bitext import account, judge, keep, read, screen, writings
from builders.pipeline.decontamination import collect, find, report
from builders.pipeline.deduplication import charge, share_english
from builders.pipeline.examples import collect_texts, count_examples, exemplify, instruct
from builders.pipeline.filters import Filter, choose_filters
from builders.pipeline.ledger import read_ledger
from builders.pipeline.quality_scores import Scores, score_filters, scored
from builders.pipeline.write_tables import counted
from builders.translation.translate import counted as counted_segments
from builders.translation.translator import Translator
from builders.workspace.workspace import Work
from corpora.catalog import Corpus, language
from corpora.download.pull import Fetched, Source
from corpora.errors import InputError
from recipes.recipe import Recipe


@dataclass(frozen=True)
class Built:
    """What a build made: the examples of every config, the judged pairs of every language, and the account."""

    recipe: Recipe
    filters: tuple[Filter, ...]
    fetched: tuple[Fetched, ...]
    translator: Translator
    examples: Mapping[str, Path]  # config -> instructions
    verdicts: Mapping[str, Sequence[Path]]  # lang -> shards
    ledger: pl.DataFrame
    mixture: pl.DataFrame
    decontamination: pl.DataFrame
    shared_english: pl.DataFrame
    writings: pl.DataFrame
    budget: Mapping[str, Any] | None = None  # how a budget was split, in a release by budget


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
    fetched: Sequence[Fetched],
    translator: Translator,
    scores: Scores | None,
    work: Work,
) -> Built:
    """Make, or find made, every table between upstream's files and the examples of each config."""
    filters = chosen_filters(recipe, scores)
    bitext_files = [f for f in fetched if catalog[f.source.corpus].kind == "bitext"]
    evaluation_files = [f for f in fetched if catalog[f.source.corpus].kind == "benchmark"]
    record_files = [f for f in fetched if catalog[f.source.corpus].kind == "instructions"]
    text_files = [f for f in fetched if catalog[f.source.corpus].kind == "monolingual"]

    pairs = read(bitext_files, catalog, work)
    screened = {lang: screen(lang, pairs[lang], filters, work) for lang in pairs}
    duplicates = {lang: charge(lang, screened[lang], recipe.bitext, filters, work) for lang in pairs}
    grams = collect(evaluation_files, catalog, work)
    contaminated = {lang: find(lang, screened[lang], duplicates[lang], grams, filters, work) for lang in pairs}
    known = {
        lang: {
            "screened": screened[lang],
            "duplicates": duplicates[lang],
            "contaminated": contaminated[lang],
            "scores": scored(scores, lang, pairs[lang], work),
        }
        for lang in pairs
    }
    verdicts = judge(known, filters, work)
    bitext = {lang: keep(lang, verdicts[lang], work) for lang in pairs}
    instructed = instruct(record_files, catalog, recipe, translator, work)
    texts = collect_texts(text_files, catalog, recipe, work)
    records = {
        lang: [*instructed.records.get(lang, ()), *texts.get(lang, ())] for lang in {**instructed.records, **texts}
    }
    examples = {
        config: exemplify(config, langs, recipe, _of(bitext, langs), _all_of(records, ("en", *langs)), work)
        for config, langs in recipe.config_langs().items()
    }

    ledgers = [
        account(
            lang,
            {
                "pairs": pairs[lang],
                "screened": screened[lang],
                "duplicates": duplicates[lang],
                "contaminated": contaminated[lang],
                "verdicts": verdicts[lang],
                "bitext": [bitext[lang]],
            },
            filters,
            work,
        )
        for lang in pairs
    ]
    told = [row for paths in records.values() for path in paths for row in counted(path)]
    told += [row for name, made in instructed.made.items() for row in counted_segments(made, name)]
    return Built(
        recipe=recipe,
        filters=filters,
        fetched=tuple(fetched),
        translator=translator,
        examples=examples,
        verdicts=verdicts,
        ledger=read_ledger(ledgers, told),
        mixture=count_examples(examples, work),
        decontamination=report(grams, contaminated),
        shared_english=share_english(bitext, work),
        writings=writings(verdicts),
    )


def _of(tables: Mapping[str, Path], langs: Sequence[str]) -> list[Path]:
    return [tables[lang] for lang in langs if lang in tables]


def _all_of(tables: Mapping[str, Sequence[Path]], langs: Sequence[str]) -> list[Path]:
    return [path for lang in langs for path in tables.get(lang, ())]
