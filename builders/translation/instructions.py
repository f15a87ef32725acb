"""From instructions in English to instructions in other languages: segmented, translated, checked, merged."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.ledger_rows import count_reasons
from builders.translation.bitext_words import BitextWords, MeaningCheck
from builders.translation.do_not_translate import FIELDS, do_not_translate_rows, find_do_not_translate
from builders.translation.memory import HUMAN, Origin
from builders.translation.placeholders import placeholder_rows
from builders.translation.quality_checks import checks_fingerprint
from builders.translation.segmentation import code_line_rows, join_wrapped_lines, segment
from builders.translation.segments import FIRST_PASS, Outcome, remembered, translate_segments
from builders.translation.store import HumanTranslations, TranslationStore, fingerprint
from builders.translation.text_ranges import text_ranges
from builders.translation.translator import Translator, check_languages
from builders.translation.worker import TranslationWorker
from builders.workspace import Task, WorkerPool, Workspace, inputs_json, query_task
from corpora.catalog import languages
from corpora.extensions import current_extensions
from corpora.files import atomic_path
from corpora.language_id import is_spaced
from corpora.progress import Progress

logger = logging.getLogger(__name__)
INSTRUCTION_ROWS = 1 << 17  # read at once
VERSION = 6  # of what these functions make; raise it whenever their results change
TEXTS = pa.list_(pa.string())
# A row is one field of one kept instruction, or one turn of a conversation; a field or turn that stays in English has
# no segments.
SEGMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("field", pa.string()),
        ("turn", pa.int32()),
        ("do_not_translate", pa.string()),
        ("skeleton", TEXTS),
        ("segments", TEXTS),
    ]
)
# A row is one distinct segment in one language: its translation and method, or the quality check that failed.
BY = tuple(f"by_{name}" for name in Origin._fields)  # the columns of who made a translation
TRANSLATIONS = pa.schema(
    [(name, pa.string()) for name in ("sha256", "lang", "en", "text", "method", "failed_check", *BY)]
    + [("is_meaning_checked", pa.bool_())]
)
Row = dict[str, Any]


@dataclass(frozen=True)
class TranslationTables:
    """The tables between the instructions of a corpus and the same in each language, by language."""

    segments: Path
    translations: Mapping[str, Path]
    translated: Mapping[str, Path]
    human_sha256: str = ""  # of the translations by people that were used before the translator


@dataclass(frozen=True)
class _Job:
    """What the translations of one corpus into one language depend on."""

    segments: Path
    lang: str
    translator: Translator
    store: TranslationStore
    human: HumanTranslations | None
    progress: Progress | None
    workers: WorkerPool | None = None
    words: BitextWords | None = None


def translate_instructions(
    instructions: Path,
    name: str,
    langs: Sequence[str],
    translator: Translator,
    work: Workspace,
    words: Mapping[str, BitextWords],
    progress: Progress | None = None,
) -> TranslationTables:
    """Return the tables of the instructions of a corpus in each language.

    Args:
        instructions: The table `instructions` of the corpus.
        name: The corpus.
        langs: The languages to translate into.
        translator: The back end.
        work: The work folder; it holds the translation memory too.
        words: What bitexts have taught of the languages, by which translations are judged.
        progress: Receives the number of segments to translate, and of those that are done.

    Raises:
        InputError: The translator does not have one of the languages.
    """
    if not translator.is_memory:
        check_languages(translator, langs)
    tables = {
        "placeholders": [asdict(row) for row in placeholder_rows().values()],
        "lines": [asdict(row) for row in code_line_rows().values()],
        "do_not_translate": [asdict(row) for row in do_not_translate_rows().values()],
    }
    inputs: Row = {"from": instructions.name, "version": VERSION, "sentencex": version("sentencex"), **tables}
    task = Task("segments", name, inputs)
    segments = work.make(task, partial(write_segments, instructions=instructions, inputs=inputs_json(task)))
    with TranslationStore(work.folder / "memory").open() as store:
        human = None if translator.is_memory else store.human()
        jobs = {
            lang: _Job(segments, lang, translator.for_lang(lang), store, human, progress, words=words.get(lang))
            for lang in langs
        }
        translations = _translate_all(jobs, name, work)
    translated = {
        lang: _translated(instructions, segments, path, f"{lang}-{name}", lang, work)
        for lang, path in translations.items()
    }
    work.wait(translated.values())
    return TranslationTables(segments, translations, translated, fingerprint(human))


def _translate_all(jobs: Mapping[str, _Job], name: str, work: Workspace) -> dict[str, Path]:
    """Return the translations by language: one language after the other, or all at once by workers elsewhere."""
    translators = {lang: job.translator for lang, job in jobs.items()}
    tasks = [_translation_task(job, f"{lang}-{name}") for lang, job in jobs.items()]
    missing = [task for task in tasks if not work.is_intact(work.path(task))]
    is_portable = all(translator.is_portable for translator in translators.values())
    workers = None
    if missing and is_portable:
        workers = work.executor.start_workers(TranslationWorker, translators, current_extensions())
    if not workers:
        return {lang: _translations(job, f"{lang}-{name}", work) for lang, job in jobs.items()}
    with ThreadPoolExecutor(len(jobs)) as threads:
        futures = {
            lang: threads.submit(
                copy_context().run, _translations, replace(job, workers=workers), f"{lang}-{name}", work
            )
            for lang, job in jobs.items()
        }
        try:
            return {lang: future.result() for lang, future in futures.items()}
        finally:
            workers.close()  # before later tasks, which need what the workers hold


def _translations(job: _Job, name: str, work: Workspace) -> Path:
    task = _translation_task(job, name)
    return work.make(task, partial(write_translations, job=job, inputs=inputs_json(task)))


def _translation_task(job: _Job, name: str) -> Task:
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


def _translated(instructions: Path, segments: Path, translations: Path, name: str, lang: str, work: Workspace) -> Path:
    tables = {"instructions": [instructions], "segments": [segments], "translations": [translations]}
    values = {"lang": lang, "spaced": is_spaced(lang)}
    return work.submit(query_task("translated_instructions", name, tables, values))


def write_segments(path: Path, instructions: Path, inputs: str) -> None:
    """Write every field of every kept instruction as segments and skeleton."""
    tables = (
        pa.Table.from_pylist([row for instruction in kept for row in _segment(instruction)], schema=SEGMENTS)
        for kept in read_kept(instructions)
    )
    _write(path, SEGMENTS, tables, inputs)


def read_kept(instructions: Path) -> Iterator[list[Row]]:
    """Yield the instructions that no filter has rejected, some thousands at once."""
    for batch in pq.ParquetFile(instructions).iter_batches(INSTRUCTION_ROWS):
        yield batch.filter(pc.is_null(batch["reject_reason"])).to_pylist()


def _segment(instruction: Row) -> Iterator[Row]:
    if instruction["messages"]:
        yield from _segment_turns(instruction["id"], instruction["messages"])
        return
    rule, english = find_do_not_translate(instruction) or ("", ())
    for field in FIELDS:
        yield _segment_text(instruction["id"], field, None, rule, instruction[field], field in english)


def _segment_turns(id: str, turns: Sequence[Row]) -> Iterator[Row]:
    """Yield the turns of a conversation: a question is an instruction, and the answer after it its output.

    A rule that keeps a question in English keeps the whole conversation, so that it stays in one language.
    """
    pairs = zip(turns, [*turns[1:], {"role": "", "content": ""}], strict=True)
    questions = [
        {"instruction": turn["content"], "input": "", "output": following["content"]}
        for turn, following in pairs
        if turn["role"] == "user"
    ]
    rules = [find_do_not_translate(question) or ("", ()) for question in questions]
    whole = next((name for name, fields in rules if "instruction" in fields), "")
    name = whole or next((name for name, _ in rules if name), "")
    exchange = -1
    for number, turn in enumerate(turns, 1):
        exchange += turn["role"] == "user"
        is_answer = turn["role"] == "assistant"
        is_kept = bool(whole) or (is_answer and "output" in rules[exchange][1])
        yield _segment_text(id, "output" if is_answer else "instruction", number, name, turn["content"], is_kept)


def _segment_text(id: str, field: str, turn: int | None, rule: str, text: str, is_kept: bool) -> Row:
    segments, skeleton = ([], [text]) if is_kept else segment(join_wrapped_lines(text))
    key = {"id": id, "field": field, "turn": turn, "do_not_translate": rule}
    return {**key, "skeleton": skeleton, "segments": segments}


def write_translations(path: Path, job: _Job, inputs: str) -> None:
    """Write every distinct segment with its translation, sorted by digest, a range of digests after the other."""
    usage: Counter[str] = Counter()
    tables = (_translate_range(texts, job, usage) for texts in text_ranges(job.segments, path.parent))
    _write(path, TRANSLATIONS, tables, inputs)


def _translate_range(texts: Mapping[str, str], job: _Job, usage: Counter[str]) -> pa.Table:
    """Return segments with their translations; `usage` counts how many of them, and of earlier ones, were known."""
    known = remembered(texts, job.lang, job.translator, job.store, usage, job.human)
    check = MeaningCheck.of(job.words, job.lang) if job.words and not job.translator.is_memory else None
    if check:  # which compares all translations
        known = {}
    missing = {key: text for key, text in texts.items() if key not in known}
    if cost := job.translator.describe_cost(missing.values()):
        logger.warning("Translation into %s by %s", languages()[job.lang].name, cost)
    outcomes = translate_segments(
        missing, job.lang, job.translator, job.store, job.human, job.progress, job.workers, check
    )
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


def _origins(texts: Mapping[str, str], outcomes: Mapping[str, Outcome], job: _Job) -> list[Origin]:
    """Return who made the translation of each segment."""
    by_people = [key for key, outcome in outcomes.items() if outcome.method == HUMAN]
    people = job.human.find(by_people, job.lang) if job.human else {}
    origins = job.translator.origins_of(list(texts), job.lang)
    return [people[key].origin if key in people else origin for key, origin in zip(texts, origins, strict=True)]


def count_translations(tables: TranslationTables, corpus: str) -> Iterator[Row]:
    """Yield the ledger rows of the segments and translations of a corpus.

    Of `segments`, instructions are counted: kept to be translated whole, or the do-not-translate rule that keeps them
    in English (`_in_part` where it keeps some fields only). Of `translations`, distinct segments are counted: kept, or
    the quality check that failed.
    """
    by_instruction = (
        pl.scan_parquet(tables.segments, glob=False)
        .group_by("id")
        .agg(pl.col("do_not_translate").first(), in_part=(pl.col("segments").list.len() > 0).any())
        .select(reason=pl.col("do_not_translate") + pl.when("in_part").then(pl.lit("_in_part")).otherwise(pl.lit("")))
        .select(reason=pl.when(~pl.col("reason").is_in(["", "_in_part"])).then("reason"))
    )
    yield from _count("segments", corpus, "en", by_instruction)
    for lang, path in tables.translations.items():
        failed = pl.when(pl.col("failed_check") != "").then("failed_check")
        yield from _count("translations", corpus, lang, pl.scan_parquet(path, glob=False).select(reason=failed))


def describe_translations(translator: Translator, tables: Iterable[TranslationTables]) -> dict[str, Any]:
    """Return what the manifest of a release says about its translations.

    That is the description of the translator, with the number of translated segments by language and method, by
    whether their meaning was checked, and by origin, and the digest of the translations by people that came before it.
    """
    methods: dict[str, Counter[str]] = {}
    checked: dict[str, Counter[bool]] = {}
    origins: Counter[Origin] = Counter()
    human_sha256 = ""
    for own in tables:
        human_sha256 = human_sha256 or own.human_sha256
        for lang, path in own.translations.items():
            for method, is_checked, *origin, num in _count_used(path):
                methods.setdefault(lang, Counter())[method] += num
                checked.setdefault(lang, Counter())[is_checked] += num
                origins[Origin(*origin)] += num
    meaning = {lang: {"num_checked": own[True], "num_unchecked": own[False]} for lang, own in checked.items()}
    entry: dict[str, Any] = {lang: dict(sorted(counts.items())) for lang, counts in methods.items()}
    return {
        **translator.describe(),
        **({"human_sha256": human_sha256} if human_sha256 else {}),
        **({"methods": entry} if entry else {}),
        **({"meaning": meaning} if meaning else {}),
        **({"origins": [_origin_entry(origin, origins[origin]) for origin in sorted(origins)]} if origins else {}),
    }


def _count_used(path: Path) -> list[tuple[Any, ...]]:
    """Return how many translations that pass all checks there are by method, meaning checked, and origin."""
    by = ("method", "is_meaning_checked", *BY)
    used = pl.scan_parquet(path, glob=False).filter(pl.col("failed_check") == "")
    return used.group_by(by).len().collect(engine="streaming").rows()


def _origin_entry(origin: Origin, num_segments: int) -> Row:
    """Return an origin as a manifest has it."""
    entry = origin._asdict()
    sha256 = entry.pop("model")
    return {**entry, "sha256": sha256, "num_segments": num_segments}


def _count(stage: str, corpus: str, lang: str, reasons: pl.LazyFrame) -> Iterator[Row]:
    counts = reasons.group_by("reason").len().collect()
    yield from count_reasons(stage, corpus, lang, dict(counts.rows()))


def _write(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], inputs: str) -> None:
    """Write tables into one file, each as a group of its rows."""
    schema = schema.with_metadata({"inputs": inputs})
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.replace_schema_metadata(schema.metadata))
