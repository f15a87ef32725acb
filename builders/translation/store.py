"""The translation memory of a work folder: a partition for each model and language."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from builders.translation.memory import HUMAN, Origin, TranslationMemory
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

    def human(self) -> TranslationMemory:
        """Return the imported translations by people that pass all checks."""
        tables = [table for lang in languages() for table in self.partition("", lang).rechecked()]
        rows = [row for table in tables for row in table.filter(pc.equal(table["failed_check"], "")).to_pylist()]
        texts = {(row["sha256"], row["lang"]): row["text"] for row in rows}
        return TranslationMemory(texts, {(row["sha256"], row["lang"]): Origin.of_row(row) for row in rows})

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


def fingerprint(memory: TranslationMemory) -> str:
    """Return a digest of the translations of a memory, empty if it has none."""
    text = "".join(f"{key}\t{text}\n" for key, text in sorted(memory.texts.items()))
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def as_batch(path: Path) -> Path:
    """Return where a table's file goes to be a finished batch beside a newer table; another file stays."""
    if not TABLE.fullmatch(path.name):
        return path
    (path.parent / "batches").mkdir(exist_ok=True)
    return path.parent / "batches" / f"{sha256_of(path)[:32]}.parquet"
