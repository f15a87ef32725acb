"""The work folder: units of work, each one Parquet file that stands under the key of everything that went into it."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from corpora.errors import InputError
from corpora.files import atomic_path, remove_leftovers

Tables = Mapping[str, Sequence[Path] | pa.Table]  # by the name that SQL calls them: Parquet files, or rows in memory
Inputs = Mapping[str, Any]  # JSON values: file names (which hold keys), digests, thresholds, code versions


STAGES = (
    *(
        "pairs",
        "screened",
        "duplicates",
        "near_duplicates",
        "hubs",
        "evaluation",
        "grams",
        "contaminated",
        "scores",
        "verdicts",
        "bitext",
        "shared_english",
    ),
    *("records", "segments", "translations", "translated", "instructions", "messages", "ledger"),
)


OVERHEAD = 600 * 2**20  # bytes that Python and its libraries hold beside DuckDB's tables


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

    @property
    def scratch(self) -> Path:
        """A folder for what no later run needs; it goes with the run."""
        return self.folder / ".builders-scratch"

    def clean(self) -> None:
        """Remove what killed runs left half-written, in our own folders only."""
        for name in (*STAGES, "builds", "identified"):
            remove_leftovers(self.folder / name)
        for store in (self.folder / "identified").glob("*"):
            remove_leftovers(store)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def forget(self, kept: set[str]) -> None:
        """Remove every unit but those of these paths, relative to the work folder."""
        for stage in STAGES:
            for path in (self.folder / stage).glob("*.parquet"):
                if re.fullmatch(r".+\.[0-9a-f]{16}\.parquet", path.name) and self.relative(path) not in kept:
                    path.unlink()

    def relative(self, path: Path) -> str:
        """The path of a unit within the work folder, as records of builds name it."""
        return path.relative_to(self.folder).as_posix()

    def path(self, unit: Unit) -> Path:
        """Where the unit's file stands once it is made."""
        return self.folder / unit.stage / f"{unit.name}.{unit.key}.parquet"

    def stands(self, unit: Unit) -> bool:
        """Whether the unit is made and its file whole; says why not to `explain`."""
        path = self.path(unit)
        self.used.append(path)
        if not path.exists():
            self.explain(f"{unit.stage} {unit.name}: made, {self._why(unit)}")
            return False
        if not is_whole(path):
            self.explain(f"{unit.stage} {unit.name}: made again, its file is damaged")
            path.unlink()
            return False
        self.explain(f"{unit.stage} {unit.name}: reused")
        return True

    def has(self, unit: Unit) -> bool:
        """Whether the unit is made and its file whole, without a word."""
        return self.path(unit).exists() and is_whole(self.path(unit))

    def _why(self, unit: Unit) -> str:
        """What differs from the newest unit of the same stage and name."""
        others = sorted((self.folder / unit.stage).glob(f"{unit.name}.*.parquet"), key=lambda p: p.stat().st_mtime)
        if not others:
            return "there is none yet"
        if not is_whole(others[-1]):
            return "the one before is damaged"
        before = json.loads((pq.read_metadata(others[-1]).metadata or {}).get(b"inputs", b"{}"))
        return "; ".join(_differences(before, json.loads(json.dumps(unit.inputs)))) or "its key is new"

    def make(self, unit: Unit, write: Callable[[Path], None]) -> Path:
        """The unit's file, written by `write` under a temporary name unless it already stands."""
        path = self.path(unit)
        if not self.stands(unit):
            with atomic_path(path) as temporary:
                write(temporary)
        return path

    def query(self, unit: Unit, tables: Tables, parameters: Inputs, **texts: str) -> Path:
        """The unit's file, made by the SQL file of the unit's stage over Parquet files as tables."""

        def write(path: Path) -> None:
            with self.connect(tables) as connection:
                copy = f"copy ({sql(unit.stage, **texts)}) to $path (format parquet, compression zstd, "
                copy += "compression_level 1, kv_metadata {inputs: $inputs})"
                named = {k: v for k, v in parameters.items() if f"${k}" in copy}
                values = named | {"path": str(path), "inputs": inputs_text(unit)}
                _execute(connection, copy, values, f"{unit.stage} {unit.name}")

        return self.make(unit, write)

    @contextmanager
    def connect(self, tables: Tables) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection that spills to the work folder and sees `tables` as views."""
        files = [path for rows in tables.values() if not isinstance(rows, pa.Table) for path in rows]
        with _answered(files), duckdb.connect(":memory:") as connection:
            connection.execute("set enable_progress_bar = false")  # it would write to stdout
            connection.execute("set threads = $n", {"n": self.threads})
            if self.memory:
                limit = max(self.memory - OVERHEAD, self.memory // 4)
                connection.execute("set memory_limit = $limit", {"limit": f"{limit // 2**20}MiB"})
            connection.execute("set temp_directory = $path", {"path": str(self.scratch / "spill")})
            connection.execute(sql("macros"))
            for name, rows in tables.items():
                if isinstance(rows, pa.Table):
                    connection.register(name, rows)
                else:
                    connection.read_parquet([str(path) for path in rows]).create_view(name)
            yield connection


def _execute(connection: duckdb.DuckDBPyConnection, query: str, values: Inputs, title: str) -> None:
    """Run a query in a thread of its own: this one shows how far it is, and hears Ctrl-C at once."""
    with (
        ThreadPoolExecutor(1) as pool,
        tqdm(desc=title, total=100, unit="%", delay=2, disable=None, leave=False) as bar,
    ):
        result = pool.submit(connection.execute, query, values)
        try:
            while wait([result], 0.1).not_done:
                bar.update(max(0.0, connection.query_progress() - bar.n))
        except KeyboardInterrupt:
            connection.interrupt()
            raise
        result.result()


@contextmanager
def _answered(files: Sequence[Path]) -> Iterator[None]:
    """Turn DuckDB's errors that a person can mend into sentences; a damaged unit among `files` is removed."""
    try:
        yield
    except duckdb.Error as error:
        for path in files:
            if path.exists() and not _is_readable(path):
                path.unlink()
                raise InputError(f"{path} was damaged and has been removed. Run the same command again.") from None
        if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
            told = re.search(r'"exception_message":"((?:[^"\\]|\\.)*)"', str(error))
            first = told[1].replace('\\"', '"') if told else str(error).split("\n", 1)[0]
            raise InputError(f"{first}. Finished work is kept: mend this and run the same command again.") from None
        raise


def _is_readable(path: Path) -> bool:
    """Whether every page of a Parquet file can be read."""
    try:
        for _ in pq.ParquetFile(path).iter_batches():
            pass
    except (OSError, ValueError):
        return False
    return True


def is_whole(path: Path) -> bool:
    """Whether a Parquet file has its footer, which is written last."""
    try:
        pq.read_metadata(path)
    except (OSError, ValueError):
        return False
    return True


def sql(name: str, **texts: str) -> str:
    """The text of `sql/NAME.sql`, with our own pieces of SQL put in for {placeholders}."""
    text = (files("builders") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    for placeholder, piece in texts.items():
        assert f"{{{placeholder}}}" in text, f"{name}.sql has no place for {placeholder}"
        text = text.replace(f"{{{placeholder}}}", piece)
    return text


def inputs_text(unit: Unit) -> str:
    """The unit's inputs as JSON, as they stand in its file's metadata."""
    return json.dumps(unit.inputs, sort_keys=True, ensure_ascii=False)


def _differences(before: Any, now: Any, where: str = "") -> list[str]:
    """Sentences on what differs between two JSON values, by path."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [d for k in keys for d in _differences(before.get(k), now.get(k), f"{where}.{k}".lstrip("."))]
    return [] if before == now else [f"{where} was {before!r}, is {now!r}"]


def unit_of(stage: str, name: str, made_from: Sequence[Path], **inputs: Any) -> Unit:
    """A unit that an SQL file makes from other units, whose file names hold their keys."""
    text = hashlib.sha256((sql("macros") + sql(stage)).encode()).hexdigest()[:16]
    origin = {"from": [path.name for path in made_from], "sql": text, "duckdb": duckdb.__version__}
    return Unit(stage, name, origin | inputs)
