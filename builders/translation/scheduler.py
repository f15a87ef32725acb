"""Translate the segments that the translation memory lacks, in batches that are files."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path

from builders.translation.partition import Entry, Partition
from builders.translation.placeholders import MaskedText, mask_placeholders, restore_placeholders
from builders.translation.quality_checks import check_translations
from builders.translation.translator import Translation, Translator
from builders.workspace import WorkerPool
from corpora.progress import NullProgress, Progress

MAX_SEGMENTS = 512  # of a batch
Texts = Mapping[str, str]  # segments by their digest


def translate_missing(
    texts: Texts,
    partition: Partition,
    translator: Translator,
    progress: Progress | None = None,
    workers: WorkerPool | None = None,
) -> dict[str, Entry]:
    """Return the translation of each segment, from the memory if it has it.

    The batches depend only on the segments that the table lacks. Batches that a killed run has finished are found by
    their names; those of another plan are compacted first.
    """
    known, plan = _plan_missing(texts, partition, translator)
    if partition.batches() - {partition.batch_path(translator.decoding, batch) for batch in plan}:
        partition.compact()
        known, plan = _plan_missing(texts, partition, translator)
    unfinished = [batch for batch in plan if not partition.batch_path(translator.decoding, batch).exists()]
    if unfinished and workers:
        _run_elsewhere(unfinished, texts, partition, translator, progress or NullProgress(), workers)
    elif unfinished:
        _run(unfinished, texts, partition, translator, progress or NullProgress())
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


@dataclass(frozen=True)
class Batch:
    """Segments that are translated together: digests, English, masked English, and the file of the result."""

    path: Path
    digests: Sequence[str]
    sources: Sequence[str]
    masked: Sequence[MaskedText]


@dataclass(frozen=True)
class BatchRequest:
    """A batch for a worker elsewhere: segments by digest, and the partition of the memory that its file belongs to."""

    partition: Partition
    decoding: str
    texts: Texts


@dataclass
class _Pending:
    """The batches that the translator has, and their number at most."""

    pool: ThreadPoolExecutor
    limit: int
    futures: dict[Future[list[Translation]], Batch] = field(default_factory=dict)

    def submit(self, batch: Batch, translator: Translator, lang: str) -> None:
        texts = [masked.text for masked in batch.masked]
        self.futures[self.pool.submit(copy_context().run, translator.translate, texts, lang)] = batch

    def finished(self, is_last: bool) -> Iterator[tuple[Batch, list[Translation]]]:
        """Yield finished batches until there is room for another one, or until none is left."""
        while self.futures and (is_last or len(self.futures) >= self.limit):
            for future in wait(self.futures, return_when=FIRST_COMPLETED).done:
                yield self.futures.pop(future), future.result()


def _run(
    plan: Sequence[Sequence[str]], texts: Texts, partition: Partition, translator: Translator, progress: Progress
) -> None:
    """Translate batches in the translator's threads; this thread masks, checks and writes them."""
    progress.extend(sum(map(len, plan)))
    workers = 2 * translator.num_workers  # so that a worker never waits for a batch
    with ThreadPoolExecutor(workers) as pool:
        pending = _Pending(pool, workers)
        try:
            for digests in plan:
                pending.submit(make_batch(digests, texts, partition, translator), translator, partition.lang)
                for finished in pending.finished(is_last=False):
                    write_batch(*finished, partition, translator, progress)
            for finished in pending.finished(is_last=True):
                write_batch(*finished, partition, translator, progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run_elsewhere(
    plan: Sequence[Sequence[str]],
    texts: Texts,
    partition: Partition,
    translator: Translator,
    progress: Progress,
    workers: WorkerPool,
) -> None:
    """Let workers elsewhere translate batches and write their files."""
    progress.extend(sum(map(len, plan)))
    requests = (BatchRequest(partition, translator.decoding, {key: texts[key] for key in batch}) for batch in plan)
    for future in as_completed([workers.submit(request) for request in requests]):
        progress.advance(future.result())


def make_batch(digests: Sequence[str], texts: Texts, partition: Partition, translator: Translator) -> Batch:
    """Return a batch with its placeholders masked."""
    sources = [texts[digest] for digest in digests]
    path = partition.batch_path(translator.decoding, digests)
    return Batch(path, digests, sources, [mask_placeholders(source) for source in sources])


def write_batch(
    batch: Batch,
    translations: Sequence[Translation],
    partition: Partition,
    translator: Translator,
    progress: Progress | None = None,
) -> None:
    """Restore the placeholders of a batch, check it, and write it as a file."""
    restored = [_restore(translation, masked) for translation, masked in zip(translations, batch.masked, strict=True)]
    texts, flags = [t.text for t in restored], [list(t.flags) for t in restored]
    failed = check_translations(batch.sources, texts, flags, partition.lang)
    columns = {"sha256": batch.digests, "en": batch.sources, "text": texts, "flags": flags, "failed_check": failed}
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    origin = {"decoding": translator.decoding, **translator.origin()._asdict()}
    partition.write_batch(batch.path, ({**row, **origin} for row in rows))
    if progress:
        progress.advance(len(batch.digests))


def _restore(translation: Translation, masked: MaskedText) -> Translation:
    """Return a translation with its placeholders, or with the flag that they are lost."""
    text = restore_placeholders(translation.text, masked.placeholders)
    if text is None:
        return Translation(translation.text, (*translation.flags, "placeholder_lost"))
    return translation._replace(text=text)
