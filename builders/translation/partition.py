"""A partition of the translation memory: finished batches, and tables by the first digits of a segment's digest.

A table that grows beyond `MAX_ROWS` is split by the next hexadecimal digit, so that no process reads more than that
many translations at once, however many there are.
"""

import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.memory import HUMAN, MEMORY_SCHEMA, MODEL, Remembered, remembered_rows
from builders.translation.quality_checks import check_translations, checks_fingerprint
from corpora.errors import InputError
from corpora.files import atomic_path

# A row is a translation with its source and the quality check that it fails, empty for none.
STORE_SCHEMA = MEMORY_SCHEMA.append(pa.field("en", pa.string())).append(pa.field("failed_check", pa.string()))
KEY = ("decoding", "sha256")  # a row is a translation of a segment in a decoding
TABLE = re.compile(r"memory(?:-([0-9a-f]+))?\.parquet")  # memory.parquet, or memory-3f.parquet of digests from 3f
DIGITS = "0123456789abcdef"
MAX_ROWS = 1 << 18  # of a table
BATCH_ROWS = 1 << 12  # of a table that is read from its beginning to its end
MAX_TABLES = 2  # kept of those that a thread has read last: one of people and one of a model
_LAST = threading.local()  # with these as `tables`: each thread translates into another language


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

    def table(self, prefix: str = "") -> Path:
        """Return the file of the compacted translations whose digests have a prefix, sorted by key."""
        return self.folder / (f"memory-{prefix}.parquet" if prefix else "memory.parquet")

    def batch_path(self, decoding: str, digests: Sequence[str]) -> Path:
        """Return the file of a finished batch. Its name depends on the content, so a run that continues finds it."""
        text = "\n".join([checks_fingerprint(self.lang), decoding, *digests])
        return self.folder / "batches" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.parquet"

    def batches(self) -> set[Path]:
        """Return the finished batches that are not compacted yet."""
        return set((self.folder / "batches").glob("[0-9a-f]*.parquet"))

    def rows(self) -> pa.Table:
        """Return all translations, compacted or not, each key once, checked by today's quality checks."""
        return pa.concat_tables([STORE_SCHEMA.empty_table(), *self.parts()])

    def parts(self) -> Iterator[pa.Table]:
        """Yield all translations as `rows` does, one table after the other."""
        batches = sorted(self.batches())
        for prefix in self._prefixes():
            own = [self._read(self.table(prefix))] if self.table(prefix).exists() else []
            yield _deduplicate(_concat([*own, *(_starting(self._read(batch), prefix) for batch in batches)]))

    def accepted_texts(self) -> Iterator[tuple[str, str]]:
        """Yield digest and text of the compacted translations that pass all checks, sorted, few in memory at once."""
        for path in self._tables().values():
            if (pq.read_schema(path).metadata or {}).get(b"checks") != checks_fingerprint(self.lang).encode():
                self._rechecked(path)
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(BATCH_ROWS, columns=["sha256", "text", "failed_check"]):
                    own = batch.filter(pc.equal(batch["failed_check"], ""))
                    yield from zip(own["sha256"].to_pylist(), own["text"].to_pylist(), strict=True)

    def remembered(self, digests: Collection[str], decoding: str) -> dict[str, Remembered]:
        """Return as `accepted` does the translations of these segments, each with who made it."""
        known: dict[str, Remembered] = {}
        for table in self._select(digests, decoding):
            known |= remembered_rows(table.filter(pc.equal(table["failed_check"], "")))
        return known

    def entries(self, digests: Collection[str], decoding: str) -> dict[str, Entry]:
        """Return the compacted translations of these segments in a decoding, by digest."""
        entries: dict[str, Entry] = {}
        for table in self._select(digests, decoding):
            rows = map(Entry, table["text"].to_pylist(), table["failed_check"].to_pylist())
            entries.update(zip(table["sha256"].to_pylist(), rows, strict=True))
        return entries

    def accepted(self, digests: Collection[str], decoding: str) -> dict[str, str]:
        """Return the compacted translations of these segments in a decoding that pass all checks, by digest."""
        entries = self.entries(digests, decoding)
        return {key: entry.text for key, entry in entries.items() if not entry.failed_check}

    def lacking(self, rows: pa.Table) -> pa.Table:
        """Return the first row of each key of some rows, but those that the compacted translations have."""
        rows = _deduplicate(rows)
        known = [rows.select(KEY).slice(0, 0)]
        for decoding in rows["decoding"].unique().to_pylist():
            digests = rows.filter(pc.equal(rows["decoding"], decoding))["sha256"].to_pylist()
            known += [table.select(KEY) for table in self._select(digests, decoding)]
        numbered = rows.select(KEY).append_column("number", pa.array(range(rows.num_rows)))
        numbers = numbered.join(pa.concat_tables(known), list(KEY), join_type="left anti")["number"]
        return rows.take(numbers.combine_chunks().sort())

    def add(self, rows: Iterable[Mapping[str, object]] | pa.Table) -> None:
        """Add rows with new keys to the tables, and compact them."""
        self.compact()
        self._merge(rows if isinstance(rows, pa.Table) else self._table_of(rows))

    def put(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Add rows to the tables, in the place of those with the same key, and compact them."""
        self.compact()
        self._merge(self._table_of(rows), replaces=True)

    def write_batch(self, path: Path, rows: Iterable[Mapping[str, object]]) -> None:
        """Write rows as a finished batch, whole or not at all."""
        self._write(path, self._table_of(rows))

    def compact(self) -> None:
        """Move every finished batch into the tables; a kill in between leaves batches that these have already."""
        for paths, table in self._batch_tables():
            self._merge(table)
            for path in paths:
                path.unlink()

    def log_usage(self, num_requested: int, num_known: int) -> None:
        """Write down how many distinct segments the newest run requested, and how many of them were known."""
        usage = {"lang": self.lang, "model": self.model, "num_requested": num_requested, "num_known": num_known}
        with atomic_path(self.folder / "run.json") as path:
            path.write_text(json.dumps(usage) + "\n")

    def _files(self) -> dict[str, Path]:
        """Return the files of tables by prefix."""
        names = ((TABLE.fullmatch(path.name), path) for path in sorted(self.folder.glob("memory*.parquet")))
        return {match[1] or "": path for match, path in names if match}

    def _tables(self) -> dict[str, Path]:
        """Return the tables by prefix. One that is being split stands for its parts, which may not all be there."""
        tables = self._files()
        return {
            prefix: tables[prefix]
            for prefix in sorted(tables)
            if not any(prefix[:length] in tables for length in range(len(prefix)))
        }

    def _finish_splits(self) -> None:
        """Split tables again whose split was killed; what their parts have more, as of another machine, stays."""
        for prefix, path in self._tables().items():
            below = [file for longer, file in self._files().items() if longer != prefix and longer.startswith(prefix)]
            if below:
                self._write_table(prefix, _deduplicate(_concat(map(self._read, [*below, path]))))
                for file in below if path.exists() else ():
                    file.unlink()

    def _prefixes(self) -> list[str]:
        """Return the prefixes of all tables, those that are missing included: a damaged one was set aside."""
        known = set(self._tables()) or {""}
        above = {prefix[:length] for prefix in known for length in range(len(prefix))}
        missing = {prefix + digit for prefix in above for digit in DIGITS} - above
        return sorted(known | missing)

    def _batch_tables(self) -> Iterator[tuple[list[Path], pa.Table]]:
        """Yield the finished batches, about as many rows at once as a table may have."""
        paths: list[Path] = []
        tables: list[pa.Table] = []
        for path in sorted(self.batches()):
            paths.append(path)
            tables.append(self._read(path))
            if sum(table.num_rows for table in tables) >= MAX_ROWS:
                yield paths, _concat(tables)
                paths, tables = [], []
        if paths:
            yield paths, _concat(tables)

    def _merge(self, new: pa.Table, replaces: bool = False) -> None:
        """Write rows into the tables of their digests; of two with one key the new row stays only if it replaces."""
        self._finish_splits()
        _LAST.__dict__.pop("tables", None)  # which are of an earlier state
        for prefix in self._prefixes():
            own = _starting(new, prefix)
            if own.num_rows:
                old = _concat([self._read(self.table(prefix))] if self.table(prefix).exists() else [])
                self._write_table(prefix, _deduplicate(_concat([own, old] if replaces else [old, own])))

    def _write_table(self, prefix: str, table: pa.Table) -> None:
        """Write a table, or its parts if it is too large; of a killed split, the whole is there until all parts are."""
        if table.num_rows <= MAX_ROWS:
            self._write(self.table(prefix), table)
            return
        for digit in DIGITS:
            self._write_table(prefix + digit, _starting(table, prefix + digit))
        self.table(prefix).unlink(missing_ok=True)

    def _select(self, digests: Collection[str], decoding: str) -> Iterator[pa.Table]:
        """Yield the rows of these segments in a decoding, from the tables that may have them."""
        tables = self._tables()
        by_prefix = defaultdict[str, list[str]](list)
        for length in {len(prefix) for prefix in tables}:
            for digest in digests:
                by_prefix[digest[:length]].append(digest)
        for prefix, path in tables.items():
            if prefix in by_prefix:
                table = self._rechecked(path)
                table = table.filter(pc.equal(table["decoding"], decoding))
                yield table.filter(pc.is_in(table["sha256"], pa.array(by_prefix[prefix], pa.string())))

    def _rechecked(self, path: Path) -> pa.Table:
        stat, checks = path.stat(), checks_fingerprint(self.lang)
        key = (checks, str(path), stat.st_mtime_ns, stat.st_ino)
        last: dict[tuple[object, ...], pa.Table] = _LAST.__dict__.setdefault("tables", {})
        if (known := last.get(key)) is not None:
            return known
        while len(last) >= MAX_TABLES:
            last.pop(next(iter(last)))
        table = self._read(path)
        if (pq.read_schema(path).metadata or {}).get(b"checks") != checks.encode():
            self._write(path, table)  # so that the next run need not check it again
        last[key] = table
        return table

    def _table_of(self, rows: Iterable[Mapping[str, object]]) -> pa.Table:
        own = {"lang": self.lang, "model": self.model, "origin": self.origin}
        return pa.Table.from_pylist([{**row, **own} for row in rows], schema=STORE_SCHEMA)

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


def _concat(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([STORE_SCHEMA.empty_table(), *tables])


def _starting(table: pa.Table, prefix: str) -> pa.Table:
    """Return the rows whose digests have a prefix."""
    return table.filter(pc.starts_with(table["sha256"], prefix)) if prefix else table


def _deduplicate(table: pa.Table) -> pa.Table:
    """Return the first row of each key, sorted by key."""
    numbered = table.append_column("number", pa.array(range(table.num_rows)))
    firsts = numbered.group_by(list(KEY)).aggregate([("number", "min")])
    return table.take(firsts["number_min"]).sort_by([(name, "ascending") for name in KEY])
