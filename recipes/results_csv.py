"""Results from a CSV with the columns lang, num_pairs, value and, where known, std."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.reading import decode_text
from recipes.metric_units import check_units
from recipes.results import NORMAL_95, Result, parse_result, read_bytes

COLUMNS = ["lang", "num_pairs", "value"]
UNKNOWN = {"release": "", "composition": {}, "num_documents": 0, "n": 0, "signature": "imported"}


def read_results_csv(
    path: Path,
    model: str,
    metric: str,
    benchmark: str = "",
    direction: str = "",
    metric_range: tuple[float, float] = (0.0, 100.0),
) -> list[Result]:
    """Return the rows of a CSV as results of one model, metric, benchmark and direction.

    Rows of one language and number of pairs are repeated runs; they get the seeds 0, 1, 2, ... in the file's order.

    Args:
        path: A CSV with the columns lang, num_pairs, value and, optionally, std: the standard error of the value.
        model: The name of the model that the values are of.
        metric: The metric of all values.
        benchmark: The benchmark of all values; empty if unknown.
        direction: The direction of a translation: `en-xx`, `xx-en` or empty.
        metric_range: The least and the greatest value of the metric.

    Raises:
        InputError: A column or value is not as expected; the message has file and line.
    """
    if not (results := imported_results(_rows(path), model, metric, benchmark, direction, metric_range)):
        raise InputError(f"{path} holds no row.")
    return results


def results_from_rows(rows: Sequence[Mapping[str, Any]], *details: Any) -> list[Result]:
    """Return the rows of a table with the same columns as results; `details` are as in `read_results_csv`."""
    for row in rows[:1]:
        if sorted(row) not in (COLUMNS, sorted([*COLUMNS, "std"])):
            raise InputError(
                f"The table has the columns {', '.join(row)}; lang, num_pairs, value and perhaps std were expected."
            )
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    if not texts:
        raise InputError("The table of results holds no row.")
    return imported_results([(f"The table, row {number}", row) for number, row in enumerate(texts, 1)], *details)


def imported_results(
    rows: Sequence[tuple[str, dict[str, Any]]],
    model: str,
    metric: str,
    benchmark: str = "",
    direction: str = "",
    metric_range: tuple[float, float] = (0.0, 100.0),
) -> list[Result]:
    """Return results from rows of texts, each with where it is."""
    low, high = metric_range
    fixed = UNKNOWN | {"model": model, "metric": metric, "benchmark": benchmark, "direction": direction}
    fixed |= {"metric_min": low, "metric_max": high}
    results, seeds = [], dict[tuple[str, int], int]()
    for where, row in rows:
        lang, num_pairs = (row["lang"] or "").strip(), _num_pairs(row["num_pairs"], where)
        seed = seeds[lang, num_pairs] = seeds.get((lang, num_pairs), -1) + 1
        own = {"lang": lang, "num_pairs": num_pairs, "seed": seed}
        results.append(parse_result(fixed | own | _value_and_interval(row, where), where))
    check_units(results, rows[0][0].rsplit(", ", 1)[0] if rows else "The table")
    return results


def _rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return where each row is, for errors, and its values by column."""
    reader = csv.DictReader(io.StringIO(decode_text(read_bytes(path), path), newline=""), restkey="", restval=None)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    if sorted(reader.fieldnames) not in (COLUMNS, sorted([*COLUMNS, "std"])):
        raise InputError(f"{path}, line 1: the columns lang,num_pairs,value or lang,num_pairs,value,std were expected.")
    rows = []
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if "" in row:
            raise InputError(f"{where}: there are more values than columns.")
        rows.append((where, row))
    return rows


def _value_and_interval(row: dict[str, Any], where: str) -> dict[str, Any]:
    value, std = _number(row["value"], "value", where), row.get("std")
    if not (std or "").strip():
        return {"value": value, "interval": None}
    half_width = NORMAL_95 * _number(std, "std", where)
    if half_width < 0:
        raise InputError(f"{where}: 'std' must be a number of at least 0, not {std!r}.")
    return {"value": value, "interval": [value - half_width, value + half_width]}


def _num_pairs(text: str | None, where: str) -> int:
    number = _number(text, "num_pairs", where)
    if number < 0 or number % 1:
        raise InputError(f"{where}: 'num_pairs' must be a whole number of at least 0, not {text!r}.")
    return int(number)


def _number(text: str | None, column: str, where: str) -> float:
    if text is None or not text.strip():
        raise InputError(f"{where}: '{column}' is missing.")
    try:
        number = float(text.strip().replace("_", "x"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{where}: '{column}' must be a number, not {text!r}.")
    return number
