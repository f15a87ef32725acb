"""Queries: the files of sql/, run by DuckDB so that a person sees how far they are, can stop them and reads why not."""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
from tqdm import tqdm

from corpora.errors import InputError
from corpora.files import remove_sealed

OVERHEAD_BYTES = 600 * 2**20  # bytes that Python and its libraries hold beside DuckDB's tables


def sql(name: str, **texts: str) -> str:
    """The text of `sql/NAME.sql`, with our own pieces of SQL put in for {placeholders}."""
    text = (resources("builders") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    for placeholder, piece in texts.items():
        assert f"{{{placeholder}}}" in text, f"{name}.sql has no place for {placeholder}"
        text = text.replace(f"{{{placeholder}}}", piece)
    return text


def open_database(threads: int, memory: int | None, spill: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that knows the macros of sql/; `memory` is in bytes of the whole run, None is DuckDB's own."""
    database = duckdb.connect(":memory:")
    database.execute("set enable_progress_bar = false")  # it would write to stdout
    database.execute("set enable_external_file_cache = false")  # the system keeps files, without a count of ours
    database.execute("set threads = $n", {"n": threads})
    if memory:
        limit = max(memory - OVERHEAD_BYTES, memory // 4)
        database.execute("set memory_limit = $limit", {"limit": f"{limit // 2**20}MiB"})
    database.execute("set temp_directory = $path", {"path": str(spill)})
    database.execute(sql("macros"))
    return database


def execute(connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any], title: str) -> None:
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
def friendly_errors(files: Sequence[Path], folder: Path) -> Iterator[None]:
    """Turn DuckDB's errors that a person can mend into sentences; a damaged unit in `folder` is removed."""
    try:
        yield
    except duckdb.Error as error:
        for path in files:
            if path.exists() and not _is_readable(path):
                if not path.is_relative_to(folder):
                    raise InputError(f"{path} is damaged. `builders verify` says what else is; restore it.") from None
                remove_sealed(path)
                raise InputError(f"{path} was damaged and has been removed. Run the same command again.") from None
        if isinstance(error, duckdb.BinderException) and not all(path.is_relative_to(folder) for path in files):
            names = ", ".join(str(path) for path in files[:2])
            raise InputError(f"{names} have not the columns of a release of ours, so they cannot be read.") from None
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


def has_footer(path: Path) -> bool:
    """Whether a Parquet file has its footer, which is written last."""
    try:
        pq.read_metadata(path)
    except (OSError, ValueError):
        return False
    return True
