"""The work folder: units of work, each one Parquet file that stands under the key of everything that went into it."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from builders.workspace.queries import answered, execute, has_footer, open_database, sql
from corpora.files import is_whole, remove_leftovers, remove_sealed, sealed

Tables = Mapping[str, Sequence[Path] | pa.Table]  # by the name that SQL calls them: Parquet files, or rows in memory
Inputs = Mapping[str, Any]  # JSON values: file names (which hold keys), digests, thresholds, code versions


STAGES = (
    *("pairs", "measured", "duplicates", "near_duplicates", "one_to_many", "benchmark_texts", "ngrams", "contaminated"),
    *("quality_scores", "decisions", "bitext", "english_overlap", "instructions", "segments", "translations"),
    *("translated_instructions", "documents", "examples", "messages", "subsampled", "ledger"),
)


ROWS = 25 * 2048  # a row group, the unit that DuckDB writes and reads in parallel: whole vectors of it
COMMON = 40  # characters that two versions of a text are shown with on either side of where they differ


@dataclass(frozen=True)
class Unit:
    """One unit of work: a stage, a name within it, and everything that its result depends on."""

    stage: str
    name: str
    inputs: Inputs

    @cached_property
    def key(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of stage, name and inputs as canonical JSON."""
        text = json.dumps([self.stage, self.name, self.inputs], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Work:
    """A folder of finished units, and the means to make missing ones."""

    folder: Path
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    memory: int | None = None  # bytes that all processes of a run may hold; None: DuckDB's own limit
    explain: Callable[[str], None] = lambda sentence: None
    used: list[Path] = field(default_factory=list)
    checked: set[Path] = field(default_factory=set)  # found to be as they were written, by this run

    @property
    def scratch(self) -> Path:
        """A folder for what no later run needs; it goes with the run."""
        return self.folder / ".builders-scratch"

    def clean(self) -> None:
        """Remove what killed runs left half-written, in our own folders only."""
        for name in (*STAGES, "builds", "language_ids"):
            remove_leftovers(self.folder / name)
        for store in (self.folder / "language_ids").glob("*"):
            remove_leftovers(store)
        for seal in (seal for name in (*STAGES, "language_ids/*") for seal in self.folder.glob(f"{name}/*.sha256")):
            if re.fullmatch(r"(.+\.)?[0-9a-f]{16,32}", seal.stem) and not seal.with_suffix(".parquet").exists():
                seal.unlink()  # a kill came between it and its file
        shutil.rmtree(self.scratch, ignore_errors=True)

    def forget(self, kept: set[str]) -> None:
        """Remove every unit but those of these paths, relative to the work folder."""
        for stage in STAGES:
            for path in (self.folder / stage).glob("*.parquet"):
                if re.fullmatch(r".+\.[0-9a-f]{16}\.parquet", path.name) and self.relative(path) not in kept:
                    remove_sealed(path)

    def relative(self, path: Path) -> str:
        """The path of a unit within the work folder, as records of builds name it."""
        return path.relative_to(self.folder).as_posix()

    def path(self, unit: Unit) -> Path:
        """Where the unit's file stands once it is made."""
        return self.folder / unit.stage / f"{unit.name}.{unit.key}.parquet"

    def stands(self, unit: Unit) -> bool:
        """Whether the unit is made and its file as it was written; says why not to `explain`."""
        path = self.path(unit)
        self.used.append(path)
        if not path.exists():
            self.explain(f"{unit.stage} {unit.name}: made, {self._why(unit)}")
            return False
        if not self.has(unit):
            self.explain(f"{unit.stage} {unit.name}: made again, its file is damaged")
            remove_sealed(path)
            return False
        self.explain(f"{unit.stage} {unit.name}: reused")
        return True

    def has(self, unit: Unit) -> bool:
        """Whether the unit is made and its file as it was written, without a word; a file is read for it once a run."""
        path = self.path(unit)
        if path not in self.checked and is_whole(path):
            self.checked.add(path)
        return path in self.checked

    def _why(self, unit: Unit) -> str:
        """What differs from the newest unit of the same stage and name."""
        others = sorted((self.folder / unit.stage).glob(f"{unit.name}.*.parquet"), key=lambda p: p.stat().st_mtime)
        if not others:
            return "there is none yet"
        if not has_footer(others[-1]):
            return "the one before is damaged"
        before = json.loads((pq.read_metadata(others[-1]).metadata or {}).get(b"inputs", b"{}"))
        return "; ".join(_differences(before, json.loads(json.dumps(unit.inputs)))) or "its key is new"

    def make(self, unit: Unit, write: Callable[[Path], None]) -> Path:
        """The unit's file, written by `write` under a temporary name unless it already stands."""
        path = self.path(unit)
        if not self.stands(unit):
            with sealed(path) as temporary:
                write(temporary)
        return path

    def query(self, unit: Unit, tables: Tables, parameters: Inputs, **texts: str) -> Path:
        """The unit's file, made by the SQL file of the unit's stage over Parquet files as tables."""

        def write(path: Path) -> None:
            with self.connect(tables) as connection:
                copy = f"copy ({sql(unit.stage, **texts)}) to $path (format parquet, compression zstd, "
                copy += f"compression_level 1, row_group_size {ROWS}, kv_metadata {{inputs: $inputs}})"
                named = {k: v for k, v in parameters.items() if f"${k}" in copy}
                values = named | {"path": str(path), "inputs": inputs_text(unit)}
                execute(connection, copy, values, f"{unit.stage} {unit.name}")

        return self.make(unit, write)

    @contextmanager
    def connect(self, tables: Tables) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection that spills to the work folder and sees `tables` as views, in a schema of its own."""
        files = [path for rows in tables.values() if not isinstance(rows, pa.Table) for path in rows]
        self.scratch.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder of a path only
        pa.default_memory_pool().release_unused()  # or what Arrow has done with counts beside what DuckDB takes
        try:
            with answered(files, self.folder), self._database.cursor() as connection:
                connection.execute("create schema views; set search_path = 'views,main'")
                try:
                    for name, rows in tables.items():
                        if isinstance(rows, pa.Table):
                            connection.register(name, rows)
                        else:
                            connection.read_parquet([str(path) for path in rows]).create_view(name)
                    yield connection
                finally:
                    connection.execute("set search_path = 'main'; drop schema views cascade")
        finally:
            if self.memory and (database := self.__dict__.pop("_database", None)):
                database.close()  # or it would hold what it has done with, where memory is counted

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        """One DuckDB for all queries of a run: starting one takes longer than most of them."""
        return open_database(self.threads, self.memory, self.scratch / "spill")


@contextmanager
def bench() -> Iterator[Work]:
    """A work folder for one task that leaves nothing behind."""
    with TemporaryDirectory(prefix="builders-") as folder:
        yield Work(Path(folder))


def inputs_text(unit: Unit) -> str:
    """The unit's inputs as JSON, as they stand in its file's metadata."""
    return json.dumps(unit.inputs, sort_keys=True, ensure_ascii=False)


def _differences(before: Any, now: Any, where: str = "") -> list[str]:
    """Sentences on what differs between two JSON values, by path."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [d for k in keys for d in _differences(before.get(k), now.get(k), f"{where}.{k}".lstrip("."))]
    if before == now:
        return []
    if isinstance(before, list) and isinstance(now, list):
        before, now = [x for x in before if x not in now] or before, [x for x in now if x not in before] or now
    if isinstance(before, str) and isinstance(now, str):
        before, now = _apart(before, now)
    return [f"{where} was {before!r}, is {now!r}"]


def _apart(before: str, now: str) -> tuple[str, str]:
    """Two texts without most of what they have in common at either end."""
    start = max(0, _alike(before, now) - COMMON)
    end = max(0, _alike(before[:start:-1], now[:start:-1]) - COMMON)
    cut, short = "…" * (start > 0), "…" * (end > 0)
    return cut + before[start : len(before) - end] + short, cut + now[start : len(now) - end] + short


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (x, y) in pairs if x != y), min(len(one), len(other)))


def unit_of(stage: str, name: str, made_from: Sequence[Path], **inputs: Any) -> Unit:
    """A unit that an SQL file makes from other units, whose file names hold their keys."""
    text = hashlib.sha256((sql("macros") + sql(stage)).encode()).hexdigest()[:16]
    origin = {"from": [path.name for path in made_from], "sql": text, "duckdb": duckdb.__version__}
    return Unit(stage, name, origin | inputs)
