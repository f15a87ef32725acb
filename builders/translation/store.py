"""Where the translation memory is kept: a shelf for each model and language, finished batches, and what they become."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.memory import TRANSLATIONS, TranslationMemory
from builders.translation.quality_checks import identity, judge
from corpora.catalog import languages
from corpora.errors import InputError
from corpora.files import atomic_path, locked, remove_leftovers

# flags: what the engine and the masks said; stopped_by: the guard that stops it, empty for none
REMEMBERED = TRANSLATIONS.append(pa.field("en", pa.string())).append(pa.field("stopped_by", pa.string()))
BY_HAND = "by hand"  # the model and decoding of translations that came as TMX
Entry = tuple[str, str]  # the translation, and the guard that stops it
_READ: dict[tuple[object, ...], pa.Table] = {}  # the table read last: a run asks for it several times


@dataclass(frozen=True)
class Shelf:
    """The translations of one model into one language: a table, and the batches that are finished since."""

    folder: Path
    lang: str
    model: str  # its digest

    @property
    def table(self) -> Path:
        """The compacted translations, ordered by key."""
        return self.folder / "memory.parquet"

    def batch(self, decoding: str, digests: Sequence[str]) -> Path:
        """Where a finished batch stands: its name says what is in it, so a run that goes on finds it."""
        text = "\n".join([identity(), decoding, *digests])
        return self.folder / "batches" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.parquet"

    def batches(self) -> set[Path]:
        """The finished batches that are not yet in the table."""
        return set((self.folder / "batches").glob("[0-9a-f]*.parquet"))

    def rows(self) -> pa.Table:
        """The table and the finished batches, each key once, judged by today's guards."""
        files = [path for path in (self.table, *sorted(self.batches())) if path.exists()]
        return _distinct(pa.concat_tables([REMEMBERED.empty_table(), *(self._read(path) for path in files)]))

    def judged(self) -> pa.Table:
        """What the table holds, judged by today's guards."""
        if not self.table.exists():
            return REMEMBERED.empty_table()
        now = self.table.stat()
        seen = (identity(), str(self.table), now.st_mtime_ns, now.st_ino)
        if seen not in _READ:
            _READ.clear()
            table = self._read(self.table)
            if (pq.read_schema(self.table).metadata or {}).get(b"guards") != identity().encode():
                _write(self.table, table)  # what was judged again need not be judged a third time
            _READ[seen] = table
        return _READ[seen]

    def entries(self, digests: Collection[str], decoding: str) -> dict[str, Entry]:
        """What the table holds of these segments in a decoding, by digest."""
        table = self._of(digests, decoding)
        told = zip(table["text"].to_pylist(), table["stopped_by"].to_pylist(), strict=True)
        return dict(zip(table["sha256"].to_pylist(), told, strict=True))

    def passed(self, digests: Collection[str], decoding: str) -> dict[str, str]:
        """The translations of these segments in a decoding that no guard stops, by digest."""
        table = self._of(digests, decoding)
        table = table.filter(pc.equal(table["stopped_by"], ""))
        return dict(zip(table["sha256"].to_pylist(), table["text"].to_pylist(), strict=True))

    def _of(self, digests: Collection[str], decoding: str) -> pa.Table:
        table = self.judged()
        table = table.filter(pc.equal(table["decoding"], decoding))
        return table.filter(pc.is_in(table["sha256"], pa.array(list(digests), pa.string())))

    def add(self, rows: Iterable[dict[str, object]]) -> None:
        """Put rows with new keys into the table."""
        new = [row | {"lang": self.lang, "model": self.model} for row in rows]
        _write(self.table, _distinct(pa.concat_tables([self.rows(), pa.Table.from_pylist(new, schema=REMEMBERED)])))
        for path in self.batches():
            path.unlink()

    def note(self, asked: int, known: int) -> None:
        """Remember how many distinct segments the newest run asked for, and how many of them were known."""
        with atomic_path(self.folder / "run.json") as path:
            path.write_text(json.dumps({"lang": self.lang, "model": self.model, "asked": asked, "known": known}) + "\n")

    def write(self, path: Path, rows: Iterable[Mapping[str, object]]) -> None:
        """Write rows as a file of this shelf, whole or not at all."""
        _write(path, pa.Table.from_pylist(list(rows), schema=REMEMBERED))

    def absorb(self) -> None:
        """Put every finished batch into the table; a kill in between leaves batches that are in it already."""
        if batches := self.batches():
            _write(self.table, self.rows())
            for path in batches:
                path.unlink()

    def _read(self, path: Path) -> pa.Table:
        """The rows of one file, judged again if the guards have changed; a damaged file is taken away and told."""
        try:
            table = pq.read_table(path, schema=REMEMBERED)
            metadata = pq.read_schema(path).metadata or {}
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, pa.ArrowException) and error.errno:
                raise
            aside = path.with_name(f"{path.name}.damaged")
            path.rename(aside)
            raise InputError(
                f"{path} of the translation memory is damaged; it is now {aside.name}. Run the same command again: "
                "what was in it is translated again."
            ) from None
        return table if metadata.get(b"guards") == identity().encode() else self._judged(table)

    def _judged(self, table: pa.Table) -> pa.Table:
        sources, outputs, facts = (table[name].to_pylist() for name in ("en", "text", "flags"))
        verdicts = judge(sources, outputs, facts, self.lang)
        return table.set_column(table.schema.get_field_index("stopped_by"), "stopped_by", pa.array(verdicts))


@dataclass(frozen=True)
class MemoryFolder:
    """The translation memory of a work folder."""

    folder: Path

    def shelf(self, model: str, lang: str) -> Shelf:
        """The shelf of a model, by its digest, and a language."""
        return Shelf(self.folder / model[:16].replace(" ", "-") / lang, lang, model)

    def by_hand(self) -> tuple[TranslationMemory | None, str]:
        """What was imported as made by hand and no guard stops, and a digest of it; nothing if there is none."""
        shelves = [shelf for lang in languages() if (shelf := self.shelf(BY_HAND, lang)).table.exists()]
        tables = [shelf.judged().filter(pc.equal(shelf.judged()["stopped_by"], "")) for shelf in shelves]
        texts = {(row["sha256"], row["lang"]): row["text"] for table in tables for row in table.to_pylist()}
        told = "".join(f"{key}\t{text}\n" for key, text in sorted(texts.items()))
        return (TranslationMemory(texts), hashlib.sha256(told.encode()).hexdigest()) if texts else (None, "")

    def shelves(self) -> Iterator[Shelf]:
        """Every shelf that holds a table or finished batches, in the order of their names."""
        for folder in sorted(path for path in self.folder.glob("*/*") if path.name in languages()):
            rows = Shelf(folder, folder.name, "").rows()
            if rows.num_rows:
                yield Shelf(folder, folder.name, rows["model"][0].as_py())

    @contextmanager
    def opened(self) -> Iterator["MemoryFolder"]:
        """Hold the memory for this process alone, without what killed runs left half-written."""
        with locked(self.folder, "translation memory"):
            for folder in [*self.folder.glob("*/*"), *self.folder.glob("*/*/batches")]:
                remove_leftovers(folder)
            yield self


def _distinct(table: pa.Table) -> pa.Table:
    """Each key once, in the order of keys; of equal keys the first."""
    numbered = table.append_column("place", pa.array(range(table.num_rows)))
    firsts = numbered.group_by(["decoding", "sha256"]).aggregate([("place", "min")])
    kept = table.take(firsts["place_min"])
    return kept.sort_by([("decoding", "ascending"), ("sha256", "ascending")])


def _write(path: Path, table: pa.Table) -> None:
    with atomic_path(path) as temporary:
        schema = REMEMBERED.with_metadata({"guards": identity()})
        pq.write_table(table.cast(REMEMBERED).replace_schema_metadata(schema.metadata), temporary, compression="zstd")
