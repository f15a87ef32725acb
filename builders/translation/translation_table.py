"""The table `translations`: each distinct segment of a corpus in one language, several languages at once."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from builders.translation.bitext_words import BitextWords, MeaningCheck
from builders.translation.memory import HUMAN, Origin
from builders.translation.quality_checks import checks_fingerprint
from builders.translation.segments import FIRST_PASS, Outcome, remembered, translate_segments
from builders.translation.store import HumanTranslations, TranslationStore, fingerprint
from builders.translation.text_ranges import text_ranges
from builders.translation.translator import Translator
from builders.translation.worker import TranslationWorker
from builders.workspace import Task, ThreadWorkers, WorkerPool, Workspace, inputs_json, write_groups
from corpora.catalog import languages
from corpora.extensions import current_extensions
from corpora.progress import Progress

BY = tuple(f"by_{name}" for name in Origin._fields)  # the columns of who made a translation
# A row is one distinct segment in one language: its translation and method, or the quality check that failed.
TRANSLATIONS = pa.schema(
    [(name, pa.string()) for name in ("sha256", "lang", "en", "text", "method", "failed_check", *BY)]
    + [("is_meaning_checked", pa.bool_())]
)
LANGUAGES_AT_ONCE = 3  # each holds a range of its segments in memory
INTERVAL_S = 0.2  # between two looks at whether a language has ended
VERSION = 6  # of what these functions make; raise it whenever their results change
Row = dict[str, Any]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TranslationJob:
    """What the translations of one corpus into one language depend on."""

    segments: Path
    lang: str
    translator: Translator
    store: TranslationStore
    human: HumanTranslations | None
    progress: Progress | None
    words: BitextWords | None = None


def translate_all(jobs: Mapping[str, TranslationJob], name: str, work: Workspace) -> dict[str, Path]:
    """Return the translations by language: some languages at once, so that no worker waits for the end of one."""
    workers = _start_workers(jobs, name, work)
    threads = ThreadPoolExecutor(LANGUAGES_AT_ONCE, "language")
    try:
        futures = {
            lang: threads.submit(copy_context().run, _translations, job, f"{lang}-{name}", work, workers)
            for lang, job in jobs.items()
        }
        _wait(futures.values())
        return {lang: future.result() for lang, future in futures.items()}
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        workers.close()  # before later tasks, which need what the workers hold
        threads.shutdown()


def _wait(futures: Iterable[Future[Any]]) -> None:
    """Wait for all, or raise the first error.

    Each wait ends soon: Polars has a handler of Ctrl-C after which the system goes on with a wait that has no end.
    """
    pending = set(futures)
    while pending:
        done, pending = wait(pending, INTERVAL_S, FIRST_EXCEPTION)
        for future in done:
            future.result()


def _start_workers(jobs: Mapping[str, TranslationJob], name: str, work: Workspace) -> WorkerPool:
    """Start what translates: all that the executor has, or this process if it alone can have the translators."""
    translators = {lang: job.translator for lang, job in jobs.items()}
    arguments = (translators, current_extensions())
    tasks = [_translation_task(job, f"{lang}-{name}") for lang, job in jobs.items()]
    if all(work.is_intact(work.path(task)) for task in tasks):
        return ThreadWorkers(TranslationWorker(*arguments).do, 1)  # for what is remade
    num_threads = max(translator.num_workers for translator in translators.values())
    if all(translator.is_portable for translator in translators.values()):
        return work.executor.start_workers(TranslationWorker, *arguments, num_threads=num_threads)
    return ThreadWorkers(TranslationWorker(*arguments).do, num_threads)


def _translations(job: TranslationJob, name: str, work: Workspace, workers: WorkerPool) -> Path:
    task = _translation_task(job, name)
    return work.make(task, partial(write_translations, job=job, workers=workers, inputs=inputs_json(task)))


def _translation_task(job: TranslationJob, name: str) -> Task:
    inputs: Row = {
        "from": job.segments.name,
        "version": VERSION,
        "checks": checks_fingerprint(job.lang),
        "translator": job.translator.fingerprint,
        "decoding": job.translator.decoding,
        "human": fingerprint(job.human),
        "ratio": languages()[job.lang].ratio,
        "words": [path.name for path in (job.words.links, job.words.counts)] if job.words else [],
    }
    return Task("translations", name, inputs)


def write_translations(path: Path, job: TranslationJob, workers: WorkerPool, inputs: str) -> None:
    """Write every distinct segment with its translation, sorted by digest, a range of digests after the other."""
    usage: Counter[str] = Counter()
    tables = (_translate_range(texts, job, workers, usage) for texts in text_ranges(job.segments, path.parent))
    write_groups(path, TRANSLATIONS, tables, inputs)


def _translate_range(
    texts: Mapping[str, str], job: TranslationJob, workers: WorkerPool, usage: Counter[str]
) -> pa.Table:
    """Return segments with their translations; `usage` counts how many of them, and of earlier ones, were known."""
    known = remembered(texts, job.lang, job.translator, job.store, usage, job.human)
    check = MeaningCheck.of(job.words, job.lang) if job.words and not job.translator.is_memory else None
    if check:  # which compares all translations
        known = {}
    missing = {key: text for key, text in texts.items() if key not in known}
    if cost := job.translator.describe_cost(missing.values()):
        logger.warning("Translation into %s by %s", languages()[job.lang].name, cost)
    outcomes = translate_segments(missing, job.lang, job.translator, job.store, workers, job.human, job.progress, check)
    columns = [
        list(texts),
        [job.lang] * len(texts),
        list(texts.values()),
        [known[key] if key in known else outcomes[key].text for key in texts],
        [FIRST_PASS if key in known else outcomes[key].method for key in texts],
        ["" if key in known else outcomes[key].failed_check for key in texts],
        *zip(*_origins(texts, outcomes, job), strict=True),
    ]
    columns += [[]] * (len(TRANSLATIONS) - 1 - len(columns))  # of no segments
    columns += [[check is not None and key in check.judged for key in texts]]
    return pa.table(columns, schema=TRANSLATIONS)


def _origins(texts: Mapping[str, str], outcomes: Mapping[str, Outcome], job: TranslationJob) -> list[Origin]:
    """Return who made the translation of each segment."""
    by_people = [key for key, outcome in outcomes.items() if outcome.method == HUMAN]
    people = job.human.find(by_people, job.lang) if job.human else {}
    origins = job.translator.origins_of(list(texts), job.lang)
    return [people[key].origin if key in people else origin for key, origin in zip(texts, origins, strict=True)]
