"""Queries: the files of sql/, the DuckDB that runs them, and its errors in sentences."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files as resources
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.files import remove_sealed
from corpora.language_id import language_check_macros, without_accents_macro

OVERHEAD_BYTES = 700 * 2**20  # what Python and its libraries hold beside DuckDB's tables
SQL = Path(str(resources("builders") / "sql"))
FUNCTION_FAILED = "executing the UDF: InputError: "  # how DuckDB repeats what a Python filter raised


def sql(name: str, **texts: str) -> str:
    """Return the text of `sql/NAME.sql` with pieces of our own SQL in its {placeholders}."""
    text = _read_text(SQL / f"{name}.sql")
    for placeholder, piece in texts.items():
        assert f"{{{placeholder}}}" in text, f"{name}.sql has no placeholder {placeholder}"
        text = text.replace(f"{{{placeholder}}}", piece)
    return text


@cache
def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def macros() -> str:
    """Return the SQL of all macros: those of sql/macros.sql, the checks of language that filters share, and letters."""
    return sql("macros") + language_check_macros() + without_accents_macro()


def open_database(threads: int, memory: int | None, spill: Path) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB in memory with the macros of sql/; `memory` is the run's limit in bytes, None DuckDB's own."""
    database = duckdb.connect(":memory:")
    database.execute("set enable_progress_bar = false")  # it would write to stdout
    database.execute(
        "set enable_external_file_cache = false"
    )  # it would count beside our limit; the system caches files
    database.execute("set threads = $n", {"n": threads})
    if memory:
        limit = max(memory - OVERHEAD_BYTES, memory // 4)
        database.execute("set memory_limit = $limit", {"limit": f"{limit // 2**20}MiB"})
    database.execute("set temp_directory = $path", {"path": str(spill)})
    database.execute(macros())
    return database


@contextmanager
def friendly_errors(files: Sequence[Path], folder: Path) -> Iterator[None]:
    """Turn DuckDB's errors that a user can fix into InputErrors; a damaged file in `folder` is removed."""
    try:
        yield
    except duckdb.Error as error:
        if FUNCTION_FAILED in str(error):
            raise InputError(str(error).partition(FUNCTION_FAILED)[2].partition("\n")[0]) from None
        for path in files:
            if path.exists() and not _is_readable(path):
                if not path.is_relative_to(folder):
                    raise InputError(f"{path} is damaged. Restore it; `builders verify` checks the others.") from None
                remove_sealed(path)
                raise InputError(f"{path} was damaged and has been removed. Run the same command again.") from None
        if isinstance(error, duckdb.BinderException) and not all(path.is_relative_to(folder) for path in files):
            names = ", ".join(str(path) for path in files[:2])
            raise InputError(f"{names} do not have the columns of a release.") from None
        if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
            match = re.search(r'"exception_message":"((?:[^"\\]|\\.)*)"', str(error))
            first = match[1].replace('\\"', '"') if match else str(error).split("\n", 1)[0]
            raise InputError(f"{first}. Finished work is kept: fix this and run the same command again.") from None
        if isinstance(error, duckdb.ConversionException):
            raise InputError(
                f"A condition of a filter cannot be computed: {str(error).partition(chr(10))[0]}."
            ) from None
        raise


def _is_readable(path: Path) -> bool:
    """Return whether every page of a Parquet file can be read."""
    try:
        for _ in pq.ParquetFile(path).iter_batches():
            pass
    except (OSError, ValueError):
        return False
    return True


def has_footer(path: Path) -> bool:
    """Return whether a Parquet file has its footer, which is written last."""
    try:
        pq.read_metadata(path)
    except (OSError, ValueError):
        return False
    return True
