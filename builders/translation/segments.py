"""Translate segments: at once, at a second try, around placeholders, clause by clause, or not at all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from builders.translation.bitext_words import MeaningCheck
from builders.translation.clauses import split_at_clauses
from builders.translation.memory import HUMAN, Lookup, digest
from builders.translation.placeholders import has_translatable_text, mask_placeholders, split_at_placeholders
from builders.translation.quality_checks import first_flag
from builders.translation.scheduler import translate_missing
from builders.translation.store import TranslationStore
from builders.translation.translator import Translator
from builders.workspace import WorkerPool
from corpora.language_id import is_spaced
from corpora.progress import Progress

# The methods by which a translation came about.
FIRST_PASS, RETRY, SPLIT_AT_PLACEHOLDERS, SPLIT_AT_CLAUSES, MEMORY = (
    "first_pass",
    "retry",
    "split_at_placeholders",
    "split_at_clauses",
    "memory",
)
SOURCE_TOO_LONG = "source_too_long"  # the check that fails where a segment must be split at clauses

Texts = Mapping[str, str]  # segments by their digest
Parts = Sequence[tuple[str, bool]]  # of a segment: each with whether it stays as it is


class Outcome(NamedTuple):
    """A translation and the method by which it came about; or None and the quality check that failed."""

    text: str | None
    method: str
    failed_check: str


Split = Callable[[str], Parts]
Translate = Callable[[Texts], dict[str, Outcome]]


def translate_segments(
    texts: Texts,
    lang: str,
    translator: Translator,
    store: TranslationStore,
    workers: WorkerPool,
    human: Lookup | None = None,
    progress: Progress | None = None,
    check: MeaningCheck | None = None,
) -> dict[str, Outcome]:
    """Return the outcome of each segment, in the order of `texts`.

    Translations by people come first. A segment that fails a check is tried once more by the translator's fallback; if
    it fails again and has placeholders, the parts around them are translated alone. A segment that is too long for the
    translator is translated clause by clause.

    Args:
        texts: English segments by their digest.
        lang: The language to translate into.
        translator: The back end.
        store: The translation memory; a translator that is a memory itself does not use it.
        workers: Translate the batches of all languages.
        human: Translations by people.
        progress: Receives the number of segments to translate, and of those that are done.
        check: What the words of a bitext say; it reads all first translations before it judges one.
    """
    if translator.is_memory or not translator.is_available:
        return _look_up(texts, lang, translator)
    translations = _by_people(texts, lang, human)
    rest = {key: text for key, text in texts.items() if key not in translations}
    attempt = partial(
        _attempt, lang=lang, translator=translator, store=store, workers=workers, progress=progress, check=check
    )
    if check:
        partition = store.partition(translator.fingerprint, lang)
        check.read(rest, translate_missing(rest, partition, translator, workers, progress))
    translations |= _translate_whole(rest, attempt)
    too_long = {key: text for key, text in rest.items() if translations[key].failed_check == SOURCE_TOO_LONG}
    translations |= _translate_clauses(too_long, lang, translator, attempt)
    return {key: translations[key] for key in texts}


def remembered(
    texts: Texts,
    lang: str,
    translator: Translator,
    store: TranslationStore,
    usage: Counter[str],
    human: Lookup | None = None,
) -> dict[str, str]:
    """Return translations from the memory that pass all checks, and log how many of the segments were known.

    Of those before, which are counted in `usage`, too.
    """
    if translator.is_memory or not translator.is_available:
        return {}
    partition = store.partition(translator.fingerprint, lang)
    by_people = _by_people(texts, lang, human).keys()
    accepted = partition.accepted(texts, translator.decoding)
    rejected = partition.entries(texts.keys() - accepted.keys(), translator.decoding)
    usage["num_requested"] += len(texts)
    usage["num_known"] += len(accepted.keys() | rejected.keys() | by_people)
    partition.log_usage(usage["num_requested"], usage["num_known"])
    return {key: accepted[key] for key in texts if key in accepted and key not in by_people}


def _look_up(texts: Texts, lang: str, translator: Translator) -> dict[str, Outcome]:
    """Return the outcomes of a translator that is a memory itself, or none."""
    outcomes = {}
    for key, translation in zip(texts, translator.translate(list(texts.values()), lang), strict=True):
        failed = first_flag(translation.flags)
        method = HUMAN if HUMAN in translation.flags else MEMORY
        outcomes[key] = Outcome(None, "", failed) if failed else Outcome(translation.text, method, "")
    return outcomes


def _by_people(texts: Texts, lang: str, human: Lookup | None) -> dict[str, Outcome]:
    known = human.find(texts, lang) if human else {}
    return {key: Outcome(known[key].text, HUMAN, "") for key in texts if key in known}


def _attempt(
    texts: Texts,
    lang: str,
    translator: Translator,
    store: TranslationStore,
    workers: WorkerPool,
    progress: Progress | None,
    check: MeaningCheck | None,
) -> dict[str, Outcome]:
    """Return the outcome of each segment at the first pass, or at the retry."""
    partition = store.partition(translator.fingerprint, lang)
    first = translate_missing(texts, partition, translator, workers, progress)
    first = check.apply(texts, first) if check else first
    outcomes = {key: Outcome(None if failed else text, FIRST_PASS, failed) for key, (text, failed) in first.items()}
    fallback = translator.fallback()
    if fallback:
        again = {key: texts[key] for key, entry in first.items() if entry.failed_check not in ("", SOURCE_TOO_LONG)}
        second = translate_missing(again, store.partition(fallback.fingerprint, lang), fallback, workers, progress)
        second = check.apply(again, second) if check else second
        outcomes |= {key: Outcome(text, RETRY, "") for key, (text, failed) in second.items() if not failed}
    return outcomes


def _translate_whole(texts: Texts, attempt: Translate) -> dict[str, Outcome]:
    """Return the outcome of each segment as a whole, or of the parts around its placeholders."""
    outcomes = attempt(texts)
    failed = {key: texts[key] for key, outcome in outcomes.items() if outcome.failed_check not in ("", SOURCE_TOO_LONG)}
    splittable = {key: text for key, text in failed.items() if len(split_at_placeholders(text)) > 1}
    return outcomes | _translate_parts(splittable, SPLIT_AT_PLACEHOLDERS, split_at_placeholders, attempt)


def _translate_clauses(texts: Texts, lang: str, translator: Translator, attempt: Translate) -> dict[str, Outcome]:
    """Return the outcomes of those segments whose clauses could all be translated."""
    limit = translator.max_tokens

    def split(text: str) -> Parts:
        clauses = split_at_clauses(
            text, lambda part: limit is None or translator.num_tokens(mask_placeholders(part).text) <= limit
        )
        return [(clause, False) for clause in clauses]

    whole = partial(_translate_whole, attempt=attempt)
    return _translate_parts(texts, SPLIT_AT_CLAUSES, split, whole, is_spaced(lang))


def _translate_parts(
    texts: Texts, method: str, split: Split, translate: Translate, spaced: bool = True
) -> dict[str, Outcome]:
    """Return the outcomes of those segments whose parts could all be translated."""
    parts = {key: split(text) for key, text in texts.items()}
    needed = {part.strip() for own in parts.values() for part in _translatable(own)}
    done = translate({digest(part): part for part in sorted(needed)}) if needed else {}
    joined = {key: _join(own, done, spaced) for key, own in parts.items()}
    return {key: Outcome(text, method, "") for key, text in joined.items() if text is not None}


def _translatable(parts: Parts) -> list[str]:
    return [part for part, stays in parts if not stays and has_translatable_text(part)]


def _join(parts: Parts, done: Mapping[str, Outcome], spaced: bool) -> str | None:
    """Return the translated parts as one text, None if one of them failed. Space around them stays if `spaced`."""
    joined = []
    for part, stays in parts:
        text = part
        if not stays and has_translatable_text(part):
            source = part.strip()
            translation = done[digest(source)].text
            if translation is None:
                return None
            text = part.replace(source, translation, 1) if spaced else translation
        joined.append(text)
    return "".join(joined)
