"""The translation memory of a work folder: a partition for each model and language, a table and finished batches."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.memory import HUMAN, MEMORY_SCHEMA, MODEL, Origin, TranslationMemory
from builders.translation.quality_checks import check_translations, checks_fingerprint
from corpora.catalog import languages
from corpora.errors import InputError
from corpora.files import atomic_path, lock_folder, remove_leftovers, sha256_of

# A row is a translation with its source and the quality check that it fails, empty for none.
STORE_SCHEMA = MEMORY_SCHEMA.append(pa.field("en", pa.string())).append(pa.field("failed_check", pa.string()))
TABLE = "memory.parquet"  # of a partition
_LAST_TABLE: dict[tuple[object, ...], pa.Table] = {}  # the table read last: a run reads it several times


class Entry(NamedTuple):
    """A stored translation, and the quality check that it fails, empty for none."""

    text: str
    failed_check: str


@dataclass(frozen=True)
class Partition:
    """The translations of one model, or of people, into one language."""

    folder: Path
    lang: str
    model: str  # fingerprint of the translator, empty for people

    @property
    def origin(self) -> str:
        """MODEL or HUMAN."""
        return MODEL if self.model else HUMAN

    @property
    def table(self) -> Path:
        """The file of the compacted translations, sorted by key."""
        return self.folder / TABLE

    def batch_path(self, decoding: str, digests: Sequence[str]) -> Path:
        """Return the file of a finished batch. Its name depends on the content, so a run that continues finds it."""
        text = "\n".join([checks_fingerprint(self.lang), decoding, *digests])
        return self.folder / "batches" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.parquet"

    def batches(self) -> set[Path]:
        """Return the finished batches that are not compacted yet."""
        return set((self.folder / "batches").glob("[0-9a-f]*.parquet"))

    def rows(self) -> pa.Table:
        """Return all translations, compacted or not, each key once, checked by today's quality checks."""
        files = [path for path in (self.table, *sorted(self.batches())) if path.exists()]
        return _deduplicate(pa.concat_tables([STORE_SCHEMA.empty_table(), *(self._read(path) for path in files)]))

    def rechecked(self) -> pa.Table:
        """Return the compacted translations, checked again if the quality checks have changed."""
        if not self.table.exists():
            return STORE_SCHEMA.empty_table()
        stat, checks = self.table.stat(), checks_fingerprint(self.lang)
        key = (checks, str(self.table), stat.st_mtime_ns, stat.st_ino)
        if (known := _LAST_TABLE.get(key)) is not None:
            return known
        _LAST_TABLE.clear()
        table = self._read(self.table)
        if (pq.read_schema(self.table).metadata or {}).get(b"checks") != checks.encode():
            self._write(self.table, table)  # so that the next run need not check it again
        _LAST_TABLE[key] = table
        return table

    def entries(self, digests: Collection[str], decoding: str) -> dict[str, Entry]:
        """Return the compacted translations of these segments in a decoding, by digest."""
        table = self._select(digests, decoding)
        entries = map(Entry, table["text"].to_pylist(), table["failed_check"].to_pylist())
        return dict(zip(table["sha256"].to_pylist(), entries, strict=True))

    def accepted(self, digests: Collection[str], decoding: str) -> dict[str, str]:
        """Return the compacted translations of these segments in a decoding that pass all checks, by digest."""
        table = self._select(digests, decoding)
        table = table.filter(pc.equal(table["failed_check"], ""))
        return dict(zip(table["sha256"].to_pylist(), table["text"].to_pylist(), strict=True))

    def _select(self, digests: Collection[str], decoding: str) -> pa.Table:
        table = self.rechecked()
        table = table.filter(pc.equal(table["decoding"], decoding))
        return table.filter(pc.is_in(table["sha256"], pa.array(list(digests), pa.string())))

    def add(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Add rows with new keys to the table, and compact it."""
        table = pa.Table.from_pylist([self._complete(row) for row in rows], schema=STORE_SCHEMA)
        self._write(self.table, _deduplicate(pa.concat_tables([self.rows(), table])))
        self._remove_batches()

    def put(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Add rows to the table, in the place of those with the same key, and compact it."""
        table = pa.Table.from_pylist([self._complete(row) for row in rows], schema=STORE_SCHEMA)
        self._write(self.table, _deduplicate(pa.concat_tables([table, self.rows()])))
        self._remove_batches()

    def write_batch(self, path: Path, rows: Iterable[Mapping[str, object]]) -> None:
        """Write rows as a finished batch, whole or not at all."""
        self._write(path, pa.Table.from_pylist([self._complete(row) for row in rows], schema=STORE_SCHEMA))

    def compact(self) -> None:
        """Move every finished batch into the table; a kill in between leaves batches that the table has already."""
        if self.batches():
            self._write(self.table, self.rows())
            self._remove_batches()

    def log_usage(self, num_requested: int, num_known: int) -> None:
        """Write down how many distinct segments the newest run requested, and how many of them were known."""
        usage = {"lang": self.lang, "model": self.model, "num_requested": num_requested, "num_known": num_known}
        with atomic_path(self.folder / "run.json") as path:
            path.write_text(json.dumps(usage) + "\n")

    def _complete(self, row: Mapping[str, object]) -> dict[str, object]:
        return {**row, "lang": self.lang, "model": self.model, "origin": self.origin}

    def _remove_batches(self) -> None:
        for path in self.batches():
            path.unlink()

    def _read(self, path: Path) -> pa.Table:
        """Return the rows of one file, checked again if the checks have changed; a damaged file is set aside."""
        try:
            table = pq.read_table(path, schema=STORE_SCHEMA)
            metadata = pq.read_schema(path).metadata or {}
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, pa.ArrowException) and error.errno:
                raise
            damaged = path.with_name(f"{path.name}.damaged")
            path.rename(damaged)
            raise InputError(
                f"{path} of the translation memory is damaged and was renamed to {damaged.name}. Run the same command "
                "again: its segments are translated again."
            ) from None
        return table if metadata.get(b"checks") == checks_fingerprint(self.lang).encode() else self._recheck(table)

    def _recheck(self, table: pa.Table) -> pa.Table:
        sources, texts, flags = (table[name].to_pylist() for name in ("en", "text", "flags"))
        failed = check_translations(sources, texts, flags, self.lang)
        return table.set_column(table.schema.get_field_index("failed_check"), "failed_check", pa.array(failed))

    def _write(self, path: Path, table: pa.Table) -> None:
        metadata = {"checks": checks_fingerprint(self.lang)}
        with atomic_path(path) as temporary:
            pq.write_table(table.cast(STORE_SCHEMA).replace_schema_metadata(metadata), temporary, compression="zstd")


@dataclass(frozen=True)
class TranslationStore:
    """The translation memory of a work folder, in the folder `memory_dir`."""

    memory_dir: Path

    def partition(self, model: str, lang: str) -> Partition:
        """Return the partition of a translator, by its fingerprint, and a language; an empty model is people."""
        return Partition(self.memory_dir / (model[:16] or HUMAN) / lang, lang, model)

    def human(self) -> TranslationMemory:
        """Return the imported translations by people that pass all checks."""
        partitions = [own for lang in languages() if (own := self.partition("", lang)).table.exists()]
        tables = [own.rechecked().filter(pc.equal(own.rechecked()["failed_check"], "")) for own in partitions]
        texts = {(row["sha256"], row["lang"]): row["text"] for table in tables for row in table.to_pylist()}
        origins = {(row["sha256"], row["lang"]): Origin.of_row(row) for table in tables for row in table.to_pylist()}
        return TranslationMemory(texts, origins)

    def partitions(self) -> Iterator[Partition]:
        """Yield every partition that holds translations, in the order of their folders."""
        for folder in sorted(path for path in self.memory_dir.glob("*/*") if path.name in languages()):
            rows = Partition(folder, folder.name, "").rows()
            if rows.num_rows:
                yield Partition(folder, folder.name, rows["model"][0].as_py())

    @contextmanager
    def open(self) -> Iterator["TranslationStore"]:
        """Lock the memory for this process, and remove what killed runs have left half-written."""
        with lock_folder(self.memory_dir, "translation memory"):
            for folder in [*self.memory_dir.glob("*/*"), *self.memory_dir.glob("*/*/batches")]:
                remove_leftovers(folder)
            yield self


def fingerprint(memory: TranslationMemory) -> str:
    """Return a digest of the translations of a memory, empty if it has none."""
    text = "".join(f"{key}\t{text}\n" for key, text in sorted(memory.texts.items()))
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _deduplicate(table: pa.Table) -> pa.Table:
    """Return the first row of each key, sorted by key."""
    numbered = table.append_column("number", pa.array(range(table.num_rows)))
    firsts = numbered.group_by(["decoding", "sha256"]).aggregate([("number", "min")])
    return table.take(firsts["number_min"]).sort_by([("decoding", "ascending"), ("sha256", "ascending")])


def as_batch(path: Path) -> Path:
    """Return where a table's file goes to be a finished batch beside a newer table; another file stays."""
    if path.name != TABLE:
        return path
    (path.parent / "batches").mkdir(exist_ok=True)
    return path.parent / "batches" / f"{sha256_of(path)[:32]}.parquet"
