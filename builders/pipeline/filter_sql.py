"""Filters as SQL: the condition of a table's filters, Python functions in it, and a check before any work."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from builders.pipeline.filters import Filter
from corpora.errors import InputError
from corpora.extensions import UserFunction

NONE = "cast(null as varchar)"


def reject_sql(filters: Sequence[Filter], table: str, lang: str) -> tuple[str, dict[str, float]]:
    """Return SQL for the name of the first filter over `table` that rejects a row (or null), and its $parameters."""
    branches: list[str] = []
    parameters: dict[str, float] = {}
    for rule in filters:
        if rule.table == table:
            branches.append(f"when {condition(rule)} then '{rule.name}'")
            parameters |= {f"{rule.name}_{name}": rule.threshold(name, lang) for name in rule.thresholds}
    return ("case " + " ".join(branches) + " end" if branches else NONE), parameters


def condition(rule: Filter) -> str:
    """Return the SQL that is true for a row that a filter rejects; the SQL files name the row `filter_row`."""
    if rule.function:
        thresholds = [f"${rule.name}_{name}" for name in rule.thresholds] or [
            "0"
        ]  # DuckDB wants two arguments of `call`
        arguments = ["filter_row", *thresholds]
        return f"{_sql_name(rule, rule.code())}({', '.join(arguments)})"
    return re.sub(r"\$(\w+)", rf"${rule.name}_\1", rule.reject)


def _sql_name(rule: Filter, code: UserFunction) -> str:
    """Return the function's name in SQL; the digest in it makes tasks depend on the source of the function."""
    return f"python_{rule.name}_{code.sha256[:16]}"


def python_functions(filters: Sequence[Filter], *tables: str) -> dict[str, Callable[..., Any]]:
    """Return the Python functions of the filters over some tables, by their names in SQL."""
    own = [(rule, rule.code()) for rule in filters if rule.function and rule.table in tables]
    return {_sql_name(rule, code): _wrapped(rule, code) for rule, code in own}


def _wrapped(rule: Filter, code: UserFunction) -> Callable[..., Any]:
    """Return a function over Arrow arrays that DuckDB can call: rows as structs, and thresholds as constants."""

    def call(rows: Any, *thresholds: Any) -> pa.Array:
        structs = rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows
        frame = pl.DataFrame(pa.Table.from_struct_array(structs))
        values = {name: value[0].as_py() for name, value in zip(rule.thresholds, thresholds, strict=False)}
        try:
            result = code.function(frame, **values)
        except Exception as error:
            raise InputError(f"The filter {rule.name} failed: {code.reference} raised {_shown(error)}.") from error
        return _checked(result, frame.height, f"The filter {rule.name} failed: {code.reference} returned")

    return call


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).rstrip('.')}"


def _checked(result: object, height: int, returned: str) -> pa.Array:
    """Return a function's result as an Arrow array; a null does not reject a row."""
    if isinstance(result, pa.Array | pa.ChunkedArray):
        result = pl.Series(result)
    if not isinstance(result, pl.Series) or result.dtype != pl.Boolean:
        kind = f"a Series of {result.dtype}" if isinstance(result, pl.Series) else type(result).__name__
        raise InputError(f"{returned} {kind}; a boolean Series was expected.")
    if len(result) != height:
        raise InputError(f"{returned} {len(result):,} values for {height:,} rows.")
    return result.fill_null(False).to_arrow()
