"""build_recipe(): from upstream's files to the examples of every config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from builders.pipeline.alignments import count_domains
from builders.pipeline.check_filters import check_filters
from builders.pipeline.decisions import PartTables, count_script_variants
from builders.pipeline.decontamination import decontamination_report
from builders.pipeline.examples import count_rows, format_examples, read_documents
from builders.pipeline.filters import MODEL_FILTER, Filter, choose_filters
from builders.pipeline.format import build_html, build_text
from builders.pipeline.instructions import build_instructions, build_translations, check_turns
from builders.pipeline.ledger import read_ledger
from builders.pipeline.lines import part_lines
from builders.pipeline.pairs import Pairs, build_pairs
from builders.pipeline.quality_scores import QualityScores, score_filters
from builders.pipeline.steps import Steps, build_stages
from builders.pipeline.write_tables import instruction_ledger_rows
from builders.pipeline.wrong_shares import count_rejected
from builders.scoring import Scorer
from builders.translation import TranslationTables, Translator, count_translations
from builders.workspace import Workspace
from corpora.catalog import Corpus
from corpora.download import SourceFile
from recipes.recipe import Recipe


@dataclass(frozen=True, repr=False)
class BuildResult:
    """The result of a build: the examples of every config, the decisions on every line, and the ledger."""

    recipe: Recipe
    filters: tuple[Filter, ...]
    fetched: tuple[SourceFile, ...]
    translator: Translator
    examples: Mapping[str, Sequence[Path]]  # config -> files, in the order of ids
    parts: Mapping[str, Sequence[PartTables]]  # lang -> the tables of each part of its bitexts
    ledger: pl.DataFrame
    composition: pl.DataFrame
    decontamination: pl.DataFrame
    english_overlap: pl.DataFrame
    script_variants: pl.DataFrame
    alignment: pl.DataFrame  # misaligned pairs by language and corpus; empty where none was judged
    domains: pl.DataFrame  # parts of corpora that are judged apart, for their vocabulary
    model_alignment: pl.DataFrame  # the same as a model finds them
    translations: Mapping[str, TranslationTables] = field(default_factory=dict)  # by corpus of instructions
    allocation: Mapping[str, Any] | None = None  # how a budget was split, if there is one
    scorer: Scorer | None = None  # the model that has scored pairs, if there is one

    def lines(self, lang: str) -> pl.LazyFrame:
        """Return every line of a language's bitexts, with its measures and the filter that rejects it."""
        return pl.concat(part_lines(own.part.pairs, own.measured, own.decisions) for own in self.parts[lang])

    def __repr__(self) -> str:
        return build_text(self.recipe.name, self.ledger, self.composition)

    def _repr_html_(self) -> str:
        return build_html(self.recipe.name, self.ledger, self.composition)


def resolve_filters(recipe: Recipe, scores: QualityScores | None) -> tuple[Filter, ...]:
    """Return the filters of a recipe in their order, those over the user's own scores at the end.

    Raises:
        InputError: A filter or threshold is unknown, or a condition does not fit its table.
    """
    filters = choose_filters(recipe.filters, recipe.disable_filters, recipe.enable_filters, score_filters(scores))
    check_filters(filters, [f"score_{name}" for name in scores.names] if scores else [])
    return filters


def build_recipe(
    recipe: Recipe,
    catalog: Mapping[str, Corpus],
    fetched: Sequence[SourceFile],
    filters: tuple[Filter, ...],
    translator: Translator,
    scores: QualityScores | None,
    work: Workspace,
    steps: Steps | None = None,
    has_turns: bool = True,
    scorer: Scorer | None = None,
) -> BuildResult:
    """Make the tables between upstream's files and the examples of each config; reuse what is made already.

    Args:
        recipe: What to build.
        catalog: Corpora by id.
        fetched: The files that `required_sources` names.
        filters: Those of `resolve_filters`.
        translator: What translates instructions.
        scores: The user's scores of pairs.
        work: The workspace.
        steps: Where progress is reported, for the stages that `build_stages` names.
        has_turns: Whether examples may be conversations with several questions.
        scorer: A model that scores pairs; None for none.

    Raises:
        InputError: An instruction is such a conversation, and must not be.
    """
    step = steps or Steps(work, len(build_stages(recipe)))
    files = {
        kind: [file for file in fetched if catalog[file.source.corpus].kind == kind]
        for kind in ("bitext", "benchmark", "instructions", "monolingual")
    }
    instructions = build_instructions(files["instructions"], catalog, recipe, work) if recipe.instructions else {}
    documents = read_documents(files["monolingual"], catalog, recipe, work) if recipe.monolingual else {}
    is_translated = translator.is_available and bool(recipe.instructions) and "xx" in recipe.instruction_langs
    pairs = Pairs()
    if recipe.reads_bitext:
        pairs = build_pairs(recipe, catalog, files, filters, scores, work, step, is_translated, scorer)
    texts = {lang: list(own.values()) for lang, own in instructions.items()}
    translations: dict[str, TranslationTables] = {}
    if recipe.instructions:
        with step("instructions"):
            work.wait([path for paths in texts.values() for path in paths])
            if not has_turns:
                check_turns([path for paths in texts.values() for path in paths], recipe.instructions)
        if "xx" in recipe.instruction_langs:
            with step("translations"):
                translations = build_translations(instructions, recipe, translator, work, pairs.words)
            for tables in translations.values():
                for lang, path in tables.translated.items():
                    texts.setdefault(lang, []).append(path)
    if recipe.monolingual:
        with step("documents"):
            for lang, paths in documents.items():
                work.wait(paths)
                texts[lang] = [*texts.get(lang, ()), *paths]
    with step("examples"):
        examples = {
            config: format_examples(config, langs, recipe, pairs.kept, texts, work)
            for config, langs in recipe.config_langs().items()
        }
        work.wait([path for paths in examples.values() for path in paths])
    with step("ledger"):
        parts = [own for tables in pairs.parts.values() for own in tables]
        work.wait([own.ledger for own in parts])
        counts = [row for paths in texts.values() for path in paths for row in instruction_ledger_rows(path)]
        counts += [row for name, tables in translations.items() for row in count_translations(tables, name)]
        return BuildResult(
            recipe=recipe,
            filters=filters,
            fetched=tuple(fetched),
            translator=translator,
            examples=examples,
            parts=pairs.parts,
            ledger=read_ledger([own.ledger for own in parts], counts),
            composition=count_rows(examples),
            decontamination=decontamination_report(
                pairs.ngrams, {lang: [own.contaminated for own in tables] for lang, tables in pairs.parts.items()}
            ),
            english_overlap=pairs.english_overlap,
            script_variants=count_script_variants(pairs.parts),
            alignment=count_rejected(pairs.parts, "misaligned_shares", "misaligned"),
            domains=count_domains(pairs.parts),
            model_alignment=count_rejected(pairs.parts, "model_shares", MODEL_FILTER),
            scorer=scorer,
            translations=translations,
        )
