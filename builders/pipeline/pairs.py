"""The sentence pairs of a build: read, measured, deduplicated, decontaminated, decided on and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from builders.pipeline.bitext import count_rows_of, measure, read_bitexts, select_kept
from builders.pipeline.decisions import PairTables, apply_filters, identify_languages
from builders.pipeline.decontamination import find_contaminated, index_ngrams
from builders.pipeline.deduplication import OVERLAP, deduplicate, english_overlap
from builders.pipeline.filters import Filter
from builders.pipeline.ledger import make_ledger
from builders.pipeline.quality_scores import QualityScores, scores_of
from builders.pipeline.steps import Steps
from builders.workspace import Workspace
from corpora.catalog import Corpus
from corpora.download import SourceFile
from recipes.recipe import Recipe


@dataclass(frozen=True)
class Pairs:
    """The tables of the sentence pairs of a build, by language."""

    bitext: Mapping[str, Path] = field(default_factory=dict)
    decisions: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    ngrams: Mapping[str, Path] = field(default_factory=dict)
    contaminated: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    ledgers: Sequence[Path] = ()
    english_overlap: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OVERLAP))


def build_pairs(
    recipe: Recipe,
    catalog: Mapping[str, Corpus],
    files: Mapping[str, Sequence[SourceFile]],
    filters: tuple[Filter, ...],
    scores: QualityScores | None,
    work: Workspace,
    step: Steps,
) -> Pairs:
    """Make the tables of the sentence pairs of a recipe from the files of its bitexts and benchmarks."""
    with step("pairs"):
        pairs = read_bitexts(files["bitext"], catalog, work)
    num_rows = sum(count_rows_of(path) for paths in pairs.values() for path in paths)
    with step("measured", num_rows):
        measured = {lang: measure(lang, pairs[lang], filters, work) for lang in pairs}
    with step("duplicates", num_rows):
        duplicates = {lang: deduplicate(lang, measured[lang], recipe.bitext, filters, work) for lang in pairs}
    with step("ngrams"):
        ngrams = index_ngrams(files["benchmark"], catalog, work)
    with step("contaminated", num_rows):
        contaminated = {
            lang: find_contaminated(lang, measured[lang], duplicates[lang], ngrams, filters, work) for lang in pairs
        }
    tables = {
        lang: PairTables(
            measured[lang], duplicates[lang], contaminated[lang], scores_of(scores, lang, pairs[lang], work)
        )
        for lang in pairs
    }
    with step("language_ids"):
        language_ids = identify_languages(tables, filters, work)
    with step("decisions", num_rows):
        decisions = apply_filters(tables, language_ids, filters, work)
    with step("bitext", num_rows):
        bitext = {lang: select_kept(lang, decisions[lang], work) for lang in pairs}
    with step("english_overlap"):
        overlap = english_overlap(bitext, work)
    ledgers = [
        make_ledger(lang, pairs[lang], tables[lang], decisions[lang], bitext[lang], filters, work) for lang in pairs
    ]
    return Pairs(bitext, decisions, ngrams, contaminated, ledgers, overlap)
