"""Tasks that judge the pairs of a language by their words: tokens, links, scores, shares of wrong pairs.

The halves, and the sample of them that teaches, are chosen by the digest of the English side. The half that holds a
pair never teaches what judges it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from builders.alignment import MIN_HALF_PAIRS, MIN_NAMED, MODEL_VERSION, TOKENIZER_VERSION
from builders.pipeline.decisions import PartTables
from builders.pipeline.domains import write_domain_words, write_domains
from builders.pipeline.filters import ALIGNMENT_STAGE, MODEL_STAGE, Filter
from builders.pipeline.judging import (
    write_counts,
    write_evidence,
    write_links,
    write_random,
    write_scores,
    write_tokens,
)
from builders.pipeline.kept_texts import kept_texts_task
from builders.pipeline.wrong_shares import write_shares
from builders.translation import BitextWords
from builders.workspace import Task, Workspace, inputs_json, sql

HALVES = (0, 1)
APART = pl.Schema(
    [
        ("lang", pl.String),
        ("corpus", pl.String),
        ("words", pl.List(pl.String)),
        ("num_pairs", pl.Int64),
        ("num_spared", pl.Int64),
    ]
)


@dataclass(frozen=True)
class Alignments:
    """The files that say how the pairs of a language are aligned; none where the language is not judged."""

    scores: Sequence[Path] = ()  # of each part
    shares: Sequence[Path] = ()  # of all corpora
    domains: Sequence[Path] = ()


def align_pairs(
    lang: str, parts: Sequence[PartTables], filters: tuple[Filter, ...], scores: Sequence[str], work: Workspace
) -> Alignments:
    """Submit the tasks that judge the pairs of a language; a language with too few lines is not judged.

    Args:
        lang: The language.
        parts: Its parts, with all tables that decide which pairs other filters keep.
        filters: Filters in use.
        scores: Columns with the user's scores.
        work: The work folder.
    """
    needs_alignment = any(rule.table == ALIGNMENT_STAGE for rule in filters)
    if not needs_alignment or sum(own.part.num_rows for own in parts) < 2 * MIN_HALF_PAIRS:
        return Alignments()
    tokens = [work.submit(_tokens_task(own, filters, scores)) for own in parts]
    links = [work.submit(_task("word_links", f"{lang}-{half}", tokens, write_links, half)) for half in HALVES]
    words = work.submit(_task("domain_words", lang, tokens, write_domain_words))
    judges, all_random = list[Path](), list[Path]()
    for half in HALVES:  # judged by the links that the other half teaches
        taught = [*tokens, links[1 - half]]
        evidence = work.submit(_task("usual_evidence", f"{lang}-{half}", taught, write_evidence, half))
        random = work.submit(_task("random_pairs", f"{lang}-{half}", [*taught, evidence, words], write_random, half))
        judges += [links[1 - half], evidence, random]
        all_random.append(random)
    own_scores = []
    for own, path in zip(parts, tokens, strict=True):
        task = _task("alignment_scores", own.part.name, [path, words, *judges], write_scores)
        own_scores.append(work.submit(replace(task, num_rows=own.part.num_rows)))
    shares = work.submit(_task("misaligned_shares", lang, own_scores, write_shares))
    texts = [own.part.pairs for own in parts]
    return Alignments(own_scores, [shares], [work.submit(_domains_task(lang, own_scores, all_random, shares, texts))])


def learn_words(
    lang: str, parts: Sequence[PartTables], filters: tuple[Filter, ...], scores: Sequence[str], work: Workspace
) -> BitextWords | None:
    """Submit the tasks that learn from the pairs of a language what judges translations; None if they are too few.

    Args:
        lang: The language.
        parts: Its parts, with all tables that decide which pairs other filters keep.
        filters: Filters in use.
        scores: Columns with the user's scores.
        work: The work folder.
    """
    if sum(own.part.num_rows for own in parts) < 2 * MIN_HALF_PAIRS:
        return None
    tokens = [work.submit(_tokens_task(own, filters, scores)) for own in parts]
    links, counts = _task("word_links", lang, tokens, write_links), _task("token_counts", lang, tokens, write_counts)
    return BitextWords(work.submit(links), work.submit(counts))


def count_domains(tables: Mapping[str, Sequence[PartTables]]) -> pl.DataFrame:
    """Return the domains that are judged apart and gain several pairs by that, by language and corpus."""
    frames = [
        pl.read_parquet(parts[0].domains[0], glob=False)
        .filter(pl.col("is_apart") & (pl.col("num_spared") >= MIN_NAMED))
        .select(pl.lit(lang).alias("lang"), *list(APART)[1:])
        for lang, parts in tables.items()
        if parts and parts[0].domains
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=APART)


def domain_warnings(domains: pl.DataFrame) -> list[str]:
    """Return a sentence for each domain that is judged apart, and gains by that."""
    return [
        f"{row['lang']}: {row['num_pairs']:,} pairs of {row['corpus']} have a vocabulary of their own "
        f"({', '.join(row['words'])}). They are judged by random pairs of the same kind, so `misaligned` keeps "
        f"{row['num_spared']:,} of them that it would reject. Read some; if they matter, build them as a corpus apart."
        for row in domains.iter_rows(named=True)
    ]


def _tokens_task(tables: PartTables, filters: tuple[Filter, ...], scores: Sequence[str]) -> Task:
    """Return the task of `alignment_tokens`: the tokens of the pairs of a part that no other filter rejects."""
    others = tuple(rule for rule in filters if rule.table not in (ALIGNMENT_STAGE, MODEL_STAGE))
    write = partial(write_tokens, lang=tables.part.lang)
    return kept_texts_task("alignment_tokens", tables, others, scores, write, {"tokenizer": TOKENIZER_VERSION})


def _domains_task(
    lang: str, scores: Sequence[Path], random: Sequence[Path], shares: Path, pairs: Sequence[Path]
) -> Task:
    """Return the task of `domains`: which domains of the corpora of a language are judged by their own random pairs."""
    needs = (*scores, *random, shares, *pairs)
    made_from = {"from": [path.name for path in needs], "sql": [sql("domains"), sql("domain_texts")]}
    inputs = {**made_from, "duckdb": duckdb.__version__, "model": MODEL_VERSION}
    task = Task("domains", lang, inputs, needs)
    run = partial(write_domains, scores=tuple(scores), random=tuple(random), shares=shares, pairs=tuple(pairs))
    return replace(task, run=partial(run, inputs=inputs_json(task)))


def _task(stage: str, name: str, needs: Sequence[Path], run: Any, half: int | None = None) -> Task:
    """Return a task over files of other tasks, and of a half if it has one."""
    own = {} if half is None else {"half": half}
    queries = [sql("alignment_sample"), sql("misaligned_shares")]
    made_from = {"from": [path.name for path in needs], "sql": queries, "duckdb": duckdb.__version__}
    inputs = {**made_from, "model": MODEL_VERSION, **own}
    task = Task(stage, name, inputs, tuple(needs))
    return replace(task, run=partial(run, files=tuple(needs), inputs=inputs_json(task), **own))
