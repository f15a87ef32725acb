"""One queue of what the translation memory lacks: planned by content, tokenised, translated, judged and written."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from tqdm import tqdm

from builders.translation.engine import Decoding, Engine, Output, Started
from builders.translation.placeholders import Masked, mask, unmask
from builders.translation.quality_checks import judge
from builders.translation.store import Entry, Shelf
from corpora.catalog import language

BYTES = {"cpu": 16_384, "cuda": 131_072}  # of English in a batch, padding counted: about a quarter as many tokens
MOST = 512  # segments of a batch
Texts = Mapping[str, str]  # segments by their digest


def translated(texts: Texts, shelf: Shelf, engine: Engine, decoding: Decoding) -> dict[str, Entry]:
    """Every segment with its translation and the guard that stops it, from the memory where it has it.

    Batches are planned from what the table lacks, in an order that depends on content alone; what a killed run has
    finished of the same plan is found, and what it has finished of another is put into the table first.
    """
    known = shelf.entries(texts, decoding.name)
    plan = _plan(_missing(texts, known), engine.device)
    if shelf.batches() - {shelf.batch(decoding.name, batch) for batch in plan}:
        shelf.absorb()
        known = shelf.entries(texts, decoding.name)
        plan = _plan(_missing(texts, known), engine.device)
    todo = [batch for batch in plan if not shelf.batch(decoding.name, batch).exists()]
    if todo:
        _run(todo, texts, shelf, engine, decoding)
    if plan:
        shelf.absorb()
        known = shelf.entries(texts, decoding.name)
    return {digest: known[digest] for digest in texts}


def _missing(texts: Texts, known: Mapping[str, Entry]) -> Texts:
    return {digest: text for digest, text in texts.items() if digest not in known}


def _plan(missing: Texts, device: str) -> list[list[str]]:
    """The digests of the missing segments in batches of like length, the longest first."""
    order = sorted(missing, key=lambda digest: (-len(missing[digest].encode()), digest))
    plan: list[list[str]] = []
    room = 0
    for digest in order:
        size = len(missing[digest].encode())
        if room < 1:
            plan.append([])
            room = max(1, min(BYTES[device] // size, MOST))
        plan[-1].append(digest)
        room -= 1
    return plan


@dataclass(frozen=True)
class Batch:
    """A batch under way: its segments, masked, and what the engine was given."""

    path: Path
    digests: Sequence[str]
    sources: Sequence[str]
    masked: Sequence[Masked]
    started: Started


def _run(plan: Sequence[Sequence[str]], texts: Texts, shelf: Shelf, engine: Engine, decoding: Decoding) -> None:
    """Translate the batches: this thread tokenises ahead, the engine translates, a third judges and writes."""
    bar = _bar(plan, texts, shelf.lang)
    pending: list[Future[Batch]] = []
    with ThreadPoolExecutor(1) as writer, bar:
        meter = _Meter(bar, texts)
        try:
            for batch in _begin(plan, texts, shelf, engine, decoding):
                pending.append(writer.submit(_finish, batch, shelf, decoding))
                while len(pending) > 2 * engine.workers:
                    meter.count(pending.pop(0).result())
            for future in pending:
                meter.count(future.result())
        except BaseException:
            writer.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(
    plan: Sequence[Sequence[str]], texts: Texts, shelf: Shelf, engine: Engine, decoding: Decoding
) -> Iterator[Batch]:
    for digests in plan:
        sources = [texts[digest] for digest in digests]
        masked = [mask(source) for source in sources]
        started = engine.start([m.text for m in masked], shelf.lang, decoding)
        yield Batch(shelf.batch(decoding.name, digests), digests, sources, masked, started)


def _finish(batch: Batch, shelf: Shelf, decoding: Decoding) -> Batch:
    """Wait for a batch, restore and judge it, and write it as a file."""
    outputs = [_restored(output, m) for output, m in zip(batch.started.finish(), batch.masked, strict=True)]
    verdicts = judge(batch.sources, [o.text for o in outputs], [o.facts for o in outputs], shelf.lang)
    constant: dict[str, object] = {"lang": shelf.lang, "model": shelf.model, "decoding": decoding.name}
    rows = (
        {"sha256": digest, "en": source, "text": output.text, "flags": list(output.facts), "stopped_by": verdict}
        for digest, source, output, verdict in zip(batch.digests, batch.sources, outputs, verdicts, strict=True)
    )
    shelf.write(batch.path, (row | constant for row in rows))
    return batch


def _restored(output: Output, masked: Masked) -> Output:
    """The translation with its spans put back, or with the fact that they cannot be."""
    text = unmask(output.text, masked.spans)
    return Output(output.text, (*output.facts, "mask_lost")) if text is None else Output(text, output.facts)


def _bar(plan: Sequence[Sequence[str]], texts: Texts, lang: str) -> "tqdm[Any]":
    total = sum(len(texts[digest]) for batch in plan for digest in batch)
    looks = "{desc} {percentage:3.0f}% |{bar}| {postfix}, {remaining} left"
    title = f"translating into {language(lang).name}"
    return tqdm(desc=title, total=total, delay=2, disable=None, leave=False, bar_format=looks, postfix="")


class _Meter:
    """What the progress bar says: segments and tokens a second."""

    def __init__(self, bar: "tqdm[Any]", texts: Texts) -> None:
        self.bar, self.texts, self.begin, self.segments, self.tokens = bar, texts, monotonic(), 0, 0

    def count(self, batch: Batch) -> None:
        """Add a batch that is finished."""
        seconds = max(monotonic() - self.begin, 1e-9)
        self.segments += len(batch.digests)
        self.tokens += batch.started.num_tokens
        said = f"{self.segments / seconds:,.0f} segments/s, {self.tokens / seconds:,.0f} tokens/s"
        self.bar.set_postfix_str(said, refresh=False)
        self.bar.update(sum(len(source) for source in batch.sources))
