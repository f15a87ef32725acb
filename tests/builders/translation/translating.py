"""The translation of a few segments by threads of this process, as a build does it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from builders.translation import Translator
from builders.translation.segments import Outcome, translate_segments
from builders.translation.store import TranslationStore
from builders.translation.worker import TranslationWorker
from builders.workspace import ThreadWorkers
from corpora.extensions import current_extensions


@contextmanager
def open_workers(translator: Translator, lang: str = "el") -> Iterator[ThreadWorkers]:
    """Yield threads of this process that translate into a language."""
    worker = TranslationWorker({lang: translator}, current_extensions())
    workers = ThreadWorkers(worker.do, translator.num_workers)
    try:
        yield workers
    finally:
        workers.close()


def translate_texts(
    texts: Mapping[str, str], translator: Translator, folder: Path, lang: str = "el"
) -> dict[str, Outcome]:
    """Return the outcomes of segments by digest, with the translation memory in a folder."""
    with open_workers(translator, lang) as workers:
        return translate_segments(texts, lang, translator, TranslationStore(folder), workers)
