"""The translation memory of a work folder: a partition for each model and language."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from builders.translation.memory import HUMAN, Remembered
from builders.translation.partition import TABLE, Partition
from corpora.catalog import languages
from corpora.files import lock_folder, remove_leftovers, sha256_of


@dataclass(frozen=True)
class TranslationStore:
    """The translation memory of a work folder, in the folder `memory_dir`."""

    memory_dir: Path

    def partition(self, model: str, lang: str) -> Partition:
        """Return the partition of a translator, by its fingerprint, and a language; an empty model is people."""
        return Partition(self.memory_dir / (model[:16] or HUMAN) / lang, lang, model)

    def human(self) -> "HumanTranslations":
        """Return the imported translations by people that pass all checks."""
        return HumanTranslations(self)

    def partitions(self) -> Iterator[Partition]:
        """Yield every partition that holds translations, in the order of their folders."""
        for folder in sorted(path for path in self.memory_dir.glob("*/*") if path.name in languages()):
            models = (rows["model"][0].as_py() for rows in Partition(folder, folder.name, "").parts() if rows.num_rows)
            if (model := next(models, None)) is not None:
                yield Partition(folder, folder.name, model)

    @contextmanager
    def open(self) -> Iterator["TranslationStore"]:
        """Lock the memory for this process, and remove what killed runs have left half-written."""
        with lock_folder(self.memory_dir, "translation memory"):
            for folder in [self.memory_dir, *self.memory_dir.glob("*/*"), *self.memory_dir.glob("*/*/batches")]:
                remove_leftovers(folder)
            yield self


@dataclass(frozen=True)
class HumanTranslations:
    """The translations by people that pass all checks, looked up in the tables of each language."""

    store: TranslationStore

    def find(self, digests: Iterable[str], lang: str) -> dict[str, Remembered]:
        """Return the translations of those segments that have one into a language, by digest."""
        return self.store.partition("", lang).remembered(list(digests), "")

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all of them, empty if there are none."""
        sha256 = None
        for key, lang, text in heapq.merge(*map(self._texts, languages())):
            sha256 = sha256 or hashlib.sha256()
            sha256.update(f"{(key, lang)}\t{text}\n".encode())
        return sha256.hexdigest() if sha256 else ""

    def _texts(self, lang: str) -> Iterator[tuple[str, str, str]]:
        """Yield digest, language and text of the translations into a language, sorted."""
        for key, text in self.store.partition("", lang).accepted_texts():
            yield key, lang, text


def fingerprint(human: HumanTranslations | None) -> str:
    """Return a digest of translations by people, empty for none."""
    return human.fingerprint if human else ""


def as_batch(path: Path) -> Path:
    """Return where a table's file goes to be a finished batch beside a newer table; another file stays."""
    if not TABLE.fullmatch(path.name):
        return path
    (path.parent / "batches").mkdir(exist_ok=True)
    return path.parent / "batches" / f"{sha256_of(path)[:32]}.parquet"
