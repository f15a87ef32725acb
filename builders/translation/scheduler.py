"""Translate the segments that the translation memory lacks, in batches that are files."""

from collections.abc import Mapping
from concurrent.futures import as_completed

from builders.translation.partition import Entry, Partition
from builders.translation.translator import Translator
from builders.translation.worker import BatchRequest
from builders.workspace import WorkerPool
from corpora.progress import NullProgress, Progress

MAX_SEGMENTS = 512  # of a batch
Texts = Mapping[str, str]  # segments by their digest


def translate_missing(
    texts: Texts,
    partition: Partition,
    translator: Translator,
    workers: WorkerPool,
    progress: Progress | None = None,
) -> dict[str, Entry]:
    """Return the translation of each segment, from the memory if it has it, else by the workers.

    The batches depend only on the segments that the table lacks. Batches that a killed run has finished are found by
    their names; those of another plan are compacted first.
    """
    known, plan = _plan_missing(texts, partition, translator)
    if partition.batches() - {partition.batch_path(translator.decoding, batch) for batch in plan}:
        partition.compact()
        known, plan = _plan_missing(texts, partition, translator)
    unfinished = [batch for batch in plan if not partition.batch_path(translator.decoding, batch).exists()]
    requests = [BatchRequest(partition, translator.decoding, {key: texts[key] for key in own}) for own in unfinished]
    _run(requests, workers, progress or NullProgress())
    if plan:
        partition.compact()
        known = partition.entries(texts, translator.decoding)
    return {digest: known[digest] for digest in texts}


def _plan_missing(
    texts: Texts, partition: Partition, translator: Translator
) -> tuple[dict[str, Entry], list[list[str]]]:
    known = partition.entries(texts, translator.decoding)
    missing = {digest: text for digest, text in texts.items() if digest not in known}
    return known, plan_batches(missing, translator.batch_bytes)


def plan_batches(missing: Texts, batch_bytes: int) -> list[list[str]]:
    """Return the digests of segments in batches of similar length, the longest first."""
    order = sorted(missing, key=lambda digest: (-len(missing[digest].encode()), digest))
    plan: list[list[str]] = []
    remaining = 0
    for digest in order:
        if remaining < 1:
            plan.append([])
            remaining = max(1, min(batch_bytes // len(missing[digest].encode()), MAX_SEGMENTS))
        plan[-1].append(digest)
        remaining -= 1
    return plan


def _run(requests: list[BatchRequest], workers: WorkerPool, progress: Progress) -> None:
    """Let workers translate batches and write their files."""
    progress.extend(sum(len(request.texts) for request in requests))
    for future in as_completed([workers.submit(request) for request in requests]):
        progress.advance(future.result())
