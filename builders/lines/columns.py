"""Columns of all lines of a language in a build: numbers, read when a page needs them; texts stay on the disk."""

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builders.lines.builds import Build, PartFiles, ReplacedError
from builders.workspace import macros
from corpora.catalog import language

MAX_CACHED_BYTES = 1 << 30  # of columns of all builds and languages
TEXTS = {"en", "xx", "en_cleaned", "xx_cleaned", "en_norm", "xx_norm"}
ALIASES = {"overlap": "benchmark_overlap", "similarity": "matched_similarity"}  # of other tables, in `decisions`
EXPECTED = {"en_is_expected": "en_label", "xx_is_expected": "xx_label"}
Array = np.ndarray


class _Cache:
    """The columns that were read last."""

    def __init__(self) -> None:
        self._values: OrderedDict[object, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> Any:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: object, value: Any) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > 1 and sum(column.nbytes for column in self._values.values()) > MAX_CACHED_BYTES:
                self._values.popitem(last=False)


CACHE = _Cache()


class Lines:
    """The lines of a language in a build, numbered from 0 over all parts."""

    def __init__(self, build: Build, lang: str) -> None:
        self.build, self.lang = build, lang
        self.parts: tuple[PartFiles, ...] = build.parts[lang]
        self.names = ["kept", *(rule.name for rule in build.filters)]
        self.offsets = np.cumsum([0, *(part.num_rows for part in self.parts)])

    @property
    def num_rows(self) -> int:
        """The number of lines."""
        return int(self.offsets[-1])

    @cached_property
    def reasons(self) -> Array:
        """The decision on each line as an index of `names`: 0 for kept, else the filter that rejects it."""
        chunks = []
        for part in self.parts:
            column = _read(part, "decisions", "reject_reason").combine_chunks()
            encoded = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
            codes = np.array([self.names.index(name) for name in encoded.dictionary.to_pylist()] or [0], np.uint8)
            rows = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
            chunks.append(np.where(encoded.is_valid().to_numpy(zero_copy_only=False), codes[rows], np.uint8(0)))
        return np.concatenate(chunks) if chunks else np.zeros(0, np.uint8)

    def code(self, name: str) -> int:
        """Return the number by which `reasons` has a decision: `kept`, or a filter."""
        return self.names.index(name)

    def counts(self) -> dict[str, int]:
        """Return the number of lines by decision."""
        return dict(zip(self.names, np.bincount(self.reasons, minlength=len(self.names)).tolist(), strict=True))

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column of `measured` or `decisions` that holds no texts."""
        assert name not in TEXTS, name
        key = self._key(name)
        if (cached := CACHE.get(key)) is not None:
            return cached
        value = self._read_column(name)
        CACHE.put(key, value)
        return value

    def _read_column(self, name: str) -> pa.ChunkedArray:
        table = "decisions" if name in self._decisions else "measured"
        return pa.chunked_array([chunk for part in self.parts for chunk in _read(part, table, name).chunks])

    def numbers(self, expression: str) -> Array:
        """Return the value of an SQL expression over the columns as a number for every line; NaN if it has none."""
        key = self._key("numbers", expression)
        if (cached := CACHE.get(key)) is None:
            is_column = self.source(expression) == expression
            values = self._read_column(expression) if is_column else self._evaluate(expression, {})
            cached = values.cast(pa.float64()).to_numpy()
            CACHE.put(key, cached)
        value: Array = cached
        return value

    def has_read(self, expression: str) -> bool:
        """Return whether `numbers` of an expression are in memory."""
        return CACHE.get(self._key("numbers", expression)) is not None

    @cached_property
    def _decisions(self) -> set[str]:
        return set(pq.read_schema(self.parts[0].decisions).names) - {"corpus", "lang", "line_number"}

    @cached_property
    def _measured(self) -> set[str]:
        return set(pq.read_schema(self.parts[0].measured).names)

    def has_columns(self, expression: str) -> bool:
        """Return whether an SQL expression reads columns that hold no texts."""
        words = _words(expression)
        return not words & TEXTS and any(self.source(word) for word in words)

    def source(self, word: str) -> str | None:
        """Return the column that a word of an expression is made from, if it names one."""
        name = EXPECTED.get(word, ALIASES.get(word, word))
        return name if name in (self._decisions | self._measured) - TEXTS - {"reject_reason"} else None

    def evaluate(self, expression: str, parameters: Mapping[str, float] | None = None) -> pa.ChunkedArray:
        """Return the value of an SQL expression over the columns for every line."""
        values = dict(parameters or {})
        key = self._key(expression, *values.items())
        if (cached := CACHE.get(key)) is not None:
            return cached
        value = self._evaluate(expression, values)
        CACHE.put(key, value)
        return value

    def _key(self, *names: object) -> tuple[object, ...]:
        return (self.build.work, self.build.recipe, self.build.stamp, self.lang, *names)

    def _evaluate(self, expression: str, values: Mapping[str, float]) -> pa.ChunkedArray:
        words = {word: source for word in _words(expression) if (source := self.source(word))}
        table = pa.table({source: self.column(source) for source in set(words.values())})
        labels = {"en_is_expected": language("en").labels, "xx_is_expected": language(self.lang).labels}
        shown = ", ".join(_shown(word, source) for word, source in words.items())
        query = f"select {expression} as value from (select {shown} from lines) as filter_row"
        lists = {f"{word}_labels": list(labels[word]) for word in words if word in EXPECTED}
        with open_database().cursor() as connection:
            connection.register("lines", table)
            try:
                result: pa.Table = connection.sql(query, params={**lists, **values}).to_arrow_table()
                return result["value"]
            finally:
                connection.unregister("lines")


def _shown(word: str, source: str) -> str:
    """Return a column of an expression as SQL, under the name that the expression has for it."""
    if word in EXPECTED:
        return f"coalesce(list_contains(${word}_labels, {source}), false) as {word}"
    return f"{source} as {word}"


def _words(expression: str) -> set[str]:
    return set(re.findall(r"(?<![$\w])[a-z_]\w*", expression))


def _read(part: PartFiles, table: str, name: str) -> pa.ChunkedArray:
    path = getattr(part, table)
    try:
        is_text = pa.types.is_string(pq.read_schema(path).field(name).type)
        return pq.read_table(path, columns=[name], read_dictionary=[name] if is_text else None)[
            name
        ].unify_dictionaries()
    except (OSError, pa.ArrowInvalid):
        raise ReplacedError(
            f"{path.name} cannot be read: the tables of this build were replaced, removed or damaged. Reload the page."
        ) from None


@lru_cache(maxsize=1)
def open_database() -> duckdb.DuckDBPyConnection:
    """Return the DuckDB of this process, in memory, with the macros of the filters; each request takes a cursor."""
    database = duckdb.connect(":memory:")
    database.execute("set enable_progress_bar = false")
    database.execute(macros())
    return database


_OPEN: OrderedDict[object, Lines] = OrderedDict()
_OPEN_LOCK = threading.Lock()
MAX_OPEN = 32  # languages of builds


def open_lines(build: Build, lang: str) -> Lines:
    """Return the lines of a language in a build; the same object until the build is replaced."""
    key = (build.work, build.recipe, build.stamp, build.lang(lang))
    with _OPEN_LOCK:
        lines = _OPEN.pop(key, None) or Lines(build, build.lang(lang))
        _OPEN[key] = lines
        while len(_OPEN) > MAX_OPEN:
            _OPEN.popitem(last=False)
    return lines
