"""The sentence pairs of a build: read in parts, measured, deduplicated, decontaminated, decided on and counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from builders.pipeline.alignments import align_pairs, learn_words
from builders.pipeline.decisions import PartTables, deciding_task, keeping_task
from builders.pipeline.decontamination import contamination_task, index_ngrams
from builders.pipeline.deduplication import (
    candidates,
    find_duplicates,
    find_one_to_many,
    find_repeats,
    leave_out_repeats,
)
from builders.pipeline.filters import Filter
from builders.pipeline.kept_pairs import OVERLAP, KeptPairs, english_overlap, kept_pairs
from builders.pipeline.ledger import counting_task
from builders.pipeline.measures import language_task, measuring_task
from builders.pipeline.model_scores import score_by_model
from builders.pipeline.near_duplicates import find_near_duplicates
from builders.pipeline.parts import Part, num_parts, part_of, reading_task, reuse_parts
from builders.pipeline.quality_scores import QualityScores, scores_of
from builders.pipeline.steps import Steps
from builders.scoring import Scorer
from builders.translation import BitextWords
from builders.workspace import Task, Workspace
from corpora.catalog import Corpus
from corpora.download import SourceFile
from recipes.recipe import Recipe

SMALL_INPUT_BYTES = 2 * 2**20  # compressed bytes of bitexts that are done before compiled code is loaded


@dataclass(frozen=True)
class Pairs:
    """The tables of the sentence pairs of a build."""

    parts: Mapping[str, Sequence[PartTables]] = field(default_factory=dict)  # by language
    kept: KeptPairs = field(default_factory=lambda: KeptPairs({}))
    ngrams: Mapping[str, Path] = field(default_factory=dict)
    english_overlap: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OVERLAP))
    words: Mapping[str, BitextWords] = field(default_factory=dict)  # what judges translations, by language


@dataclass(frozen=True)
class _Inputs:
    """What all tasks of a build have in common."""

    recipe: Recipe
    filters: tuple[Filter, ...]
    scores: QualityScores | None
    ngrams: Mapping[str, Path]
    is_large: bool
    work: Workspace
    scorer: Scorer | None = None


def build_pairs(
    recipe: Recipe,
    catalog: Mapping[str, Corpus],
    files: Mapping[str, Sequence[SourceFile]],
    filters: tuple[Filter, ...],
    scores: QualityScores | None,
    work: Workspace,
    step: Steps,
    learns_words: bool = False,
    scorer: Scorer | None = None,
) -> Pairs:
    """Make the tables of the sentence pairs of a recipe from the files of its bitexts and benchmarks.

    Tasks are submitted as soon as it is known how many there are: those of a part when the part is written, the others
    of a language when its files are read. The steps wait for one stage after the other.
    """
    ngrams = index_ngrams(files["benchmark"], catalog, work)
    is_large = sum(file.path.stat().st_size for file in files["bitext"]) > SMALL_INPUT_BYTES
    inputs = _Inputs(recipe, filters, scores, ngrams, is_large, work, scorer)
    parts: dict[str, list[tuple[Part, Path, Path]]] = {file.source.lang: [] for file in files["bitext"]}
    with step("pairs"):
        for part in _read_parts(files["bitext"], catalog, work):
            measured = work.submit(measuring_task(part, filters, ngrams, is_large))
            parts[part.lang].append((part, measured, work.submit(language_task(part, filters, is_large))))
    order = [(file.source.lang, file.source.corpus) for file in files["bitext"]]
    tables = {
        lang: _submit_language(
            lang, sorted(own, key=lambda row: (order.index((lang, row[0].corpus)), row[0].number)), inputs
        )
        for lang, own in parts.items()
    }
    names = _score_names(inputs)
    learned = {lang: learn_words(lang, own, filters, names, work) for lang, own in tables.items() if learns_words}
    words = {lang: own for lang, own in learned.items() if own}
    all_parts = [own for parts in tables.values() for own in parts]
    num_rows = sum(own.part.num_rows for own in all_parts)
    kept = kept_pairs({lang: [(own.part, own.bitext) for own in parts] for lang, parts in tables.items()}, work)
    with step("measured", num_rows):
        work.wait([own.measured for own in all_parts])
    with step("language_ids", num_rows):
        work.wait([own.language_ids for own in all_parts])
    with step("duplicates", num_rows):
        work.wait([own.repeats for own in all_parts])
    with step("contaminated", num_rows):
        work.wait([own.contaminated for own in all_parts])
    judged = [own for own in all_parts if own.alignment_scores]
    with step("alignment_scores", sum(own.part.num_rows for own in judged)):
        work.wait([path for own in judged for path in own.alignment_scores])
    if scored := [path for own in all_parts for path in own.model_scores]:
        with step("model_scores"):
            work.wait(scored)
    with step("decisions", num_rows):
        work.wait([own.decisions for own in all_parts])
    with step("bitext", num_rows):
        work.wait([own.bitext for own in all_parts])
    with step("english_overlap"):
        overlap = english_overlap(kept, work)
        work.wait([path for own in words.values() for path in (own.links, own.counts)])
    return Pairs(tables, kept, ngrams, overlap, words)


def _score_names(inputs: _Inputs) -> list[str]:
    return [f"score_{name}" for name in inputs.scores.names] if inputs.scores else []


def _read_parts(files: Sequence[SourceFile], catalog: Mapping[str, Corpus], work: Workspace) -> Iterator[Part]:
    """Submit the reading of all files, and yield each part as soon as it is written."""
    unfinished: dict[str, tuple[Task, str, Path, int]] = {}
    groups: dict[tuple[str, str], list[SourceFile]] = {}
    for file in files:
        groups.setdefault((file.source.corpus, file.source.lang), []).append(file)
    readings = [(reading_task(own, catalog[corpus]), lang) for (corpus, lang), own in groups.items()]
    for reading, lang in readings:
        reuse_parts(reading, work)
        unfinished[reading.name] = (reading, lang, work.submit(reading), 0)
    while unfinished:
        next_parts = {name: part_of(task, lang, n, work).pairs for name, (task, lang, _, n) in unfinished.items()}
        written = work.wait([*next_parts.values(), *(path for _, _, path, _ in unfinished.values())], some=True)
        for name, (task, lang, path, number) in list(unfinished.items()):
            if next_parts[name] in written and not (path in written and number >= num_parts(path)):
                yield part_of(task, lang, number, work)
                unfinished[name] = (task, lang, path, number + 1)
            elif path in written:
                del unfinished[name]


def _submit_language(lang: str, rows: Sequence[tuple[Part, Path, Path]], inputs: _Inputs) -> list[PartTables]:
    """Submit all tasks of a language but those that read its texts, which are submitted already."""
    work, filters, corpora = inputs.work, inputs.filters, inputs.recipe.bitext
    measured_pairs = candidates(lang, [part for part, _, _ in rows], [measured for _, measured, _ in rows], work)
    duplicates = find_duplicates(measured_pairs, corpora, filters, work)
    near = find_near_duplicates(measured_pairs, duplicates, corpora, filters, work)
    one_to_many = find_one_to_many(leave_out_repeats(measured_pairs, duplicates, near, work), filters, work)
    scores = scores_of(inputs.scores, lang, measured_pairs.parts, work)
    names = _score_names(inputs)
    undecided = []
    for number, (part, measured, language_ids) in enumerate(rows):
        repeats = find_repeats(part, duplicates, near[number : number + 1], one_to_many, work)
        contaminated = work.submit(contamination_task(part, measured, repeats, inputs.ngrams, filters))
        own = PartTables(part, measured, language_ids, repeats, contaminated, scores)
        undecided.append(own)
    alignments = align_pairs(lang, undecided, filters, names, work)
    aligned = [
        replace(
            own,
            alignment_scores=alignments.scores[number : number + 1],
            misaligned_shares=alignments.shares,
            domains=alignments.domains,
        )
        for number, own in enumerate(undecided)
    ]
    model = score_by_model(lang, aligned, filters, names, inputs.scorer, work)
    tables = []
    for number, own in enumerate(aligned):
        own = replace(own, model_scores=model.scores[number : number + 1], model_shares=model.shares)
        own = replace(own, decisions=work.submit(deciding_task(own, filters, names)))
        own = replace(own, bitext=work.submit(keeping_task(own)))
        tables.append(replace(own, ledger=work.submit(counting_task(own, filters))))
    return tables
