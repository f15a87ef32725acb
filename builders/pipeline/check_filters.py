"""Check filters before any work: DuckDB binds their conditions in the stages' own SQL, over empty tables."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa

from builders.pipeline.decisions import TEXTS, WITH_TEXTS
from builders.pipeline.deduplication import BOTH_SIDES, MEASURED
from builders.pipeline.filter_sql import NONE, reject_sql
from builders.pipeline.filters import FILE, LATE_STAGES, TABLES, Filter, location, source_file
from builders.pipeline.measuring import measured_sql
from builders.workspace import macros, sql
from corpora.errors import InputError
from corpora.language_id import script_patterns
from corpora.reading import PAIRS

NUMBERS = ("first", "last", "ratio", "english_n", "foreign_n", "stride", "min_length", "foreign_min_length", "part")
MATCHES = """
    corpus varchar, line_number bigint, matched_corpus varchar, matched_line_number bigint, similarity double,
    reject_reason varchar
"""
NEAR_CANDIDATES = """
    is_better boolean, corpus varchar, line_number bigint, other_corpus varchar, other_line_number bigint,
    other_loss double
"""
NEAR_TEXTS = """
    for_corpus varchar, for_part bigint, corpus varchar, line_number bigint, en_norm varchar, xx_norm varchar
"""
LANGUAGES = """
    line_number bigint, en_label varchar, en_probability double, xx_label varchar, xx_probability double
"""
ALIGNMENT_SCORES = (
    "corpus varchar, line_number bigint, alignment double, chance double, domain bigint, domain_chance double"
)
DOMAINS = "corpus varchar, domain bigint, is_apart boolean"
MODEL_SCORES = "corpus varchar, line_number bigint, model_score double, model_chance double"
MISALIGNED_SHARES = "corpus varchar, max_alignment double"
FORBIDDEN = {
    "SUBQUERY": "a subquery, but it may read only its own row",
    "WINDOW": "a window function, but it may read only its own row",
}
NGRAMS = "benchmark varchar, item bigint, sentence varchar, num_ngrams bigint, is_whole_sentence boolean"
_CHECKED: set[str] = set()  # the filters that were checked, since recipes of a run share them


def check_filters(filters: Sequence[Filter], scores: Sequence[str] = ()) -> None:
    """Check that the conditions of filters fit their tables.

    Args:
        filters: Filters in use.
        scores: The columns with the user's scores, which the table `decisions` has.

    Raises:
        InputError: A condition names an unknown column or function, is not valid SQL, or is not true or false; a Python
            function is missing.
    """
    for rule in filters:
        if rule.function:
            rule.code()
    in_sql = [rule for rule in filters if rule.reject]
    checked = repr((in_sql, tuple(scores)))
    if checked in _CHECKED:
        return
    _check_syntax(in_sql)
    # Only booleans are bound here; a build would convert numbers, and fail at the first text that it cannot convert.
    in_sql = [replace(rule, reject=f"list_bool_or([{rule.reject}])") for rule in in_sql]
    try:
        _bind({table: reject_sql(in_sql, table, "en")[0] for table in TABLES}, scores)
    except duckdb.Error:
        for table in TABLES:
            _bind_alone([rule for rule in in_sql if rule.table == table], table, scores)
        raise
    _CHECKED.add(checked)


def _check_syntax(filters: Sequence[Filter]) -> None:
    """Raise InputError if a condition is not one SQL expression over one row."""
    with duckdb.connect(":memory:") as connection:
        for rule in filters:
            query = f"select ({rule.reject}\n)"
            row = connection.execute("select json_serialize_sql(?)", [query]).fetchone()
            assert row is not None
            tree = json.loads(row[0])
            if tree["error"]:
                raise InputError(f"{_where(rule)}: {tree['error_message']}. {_expected(rule)}")
            for kind, name in FORBIDDEN.items():
                if f'"class":"{kind}"' in row[0]:
                    raise InputError(f"{_where(rule)}: the condition holds {name}. {_expected(rule)}")


def _where(rule: Filter) -> str:
    return f"{location(rule)}, key 'reject'"


def _expected(rule: Filter) -> str:
    return f"It is a condition over the table {rule.table}."


def _bind_alone(rules: Sequence[Filter], table: str, scores: Sequence[str]) -> None:
    """Raise InputError for the filter of a table whose condition does not bind; those of the user's come first."""
    try:
        _bind({table: reject_sql(rules, table, "en")[0]}, scores)
    except duckdb.Error:
        for rule in sorted(rules, key=lambda rule: source_file(rule) == FILE):
            _bind_rule(rule, scores)
        raise


def _bind_rule(rule: Filter, scores: Sequence[str]) -> None:
    try:
        _bind({rule.table: reject_sql([rule], rule.table, "en")[0]}, scores)
    except duckdb.Error as error:
        raise InputError(f"{_where(rule)}: {_sentence(str(error))} {_expected(rule)}") from None


def _bind(conditions: dict[str, str], scores: Sequence[str]) -> None:
    """Bind a condition of each table, over the empty tables that the stages' SQL reads."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("set threads = 1")
        connection.execute(macros())
        early, late = (conditions.get(table, NONE) for table in ("pairs", "measured"))
        names = pa.schema([("corpus", pa.string()), ("lang", pa.string())])
        connection.register("pairs", pa.unify_schemas([names, PAIRS]).empty_table())
        _run(connection, "create table measured as", measured_sql(early, late))
        for table in ("duplicates", "near_duplicates", "repeats"):
            connection.execute(f"create table {table}({MATCHES})")
        connection.execute(f"create table near_candidates({NEAR_CANDIDATES}); create table near_texts({NEAR_TEXTS})")
        pieces = {"duplicates": {"pairs": MEASURED}, "one_to_many": {"sides": BOTH_SIDES}, "near_duplicates": {}}
        for table, texts in pieces.items():
            if conditions.get(table, NONE) != NONE:
                _run(connection, "explain", sql(table, reject_reason=conditions[table], **texts))
        connection.execute(f"create table english_ngrams({NGRAMS}); create table foreign_ngrams({NGRAMS})")
        query = sql("contaminated", reject_reason=conditions.get("contaminated", NONE))
        _run(connection, "create table contaminated as", query)
        columns = "".join(f", {name} double" for name in scores)
        connection.execute(f"create table quality_scores(corpus varchar, line_number bigint{columns})")
        connection.execute(f"create table language_ids({LANGUAGES})")
        connection.execute(f"create table alignment_scores({ALIGNMENT_SCORES})")
        connection.execute(f"create table misaligned_shares({MISALIGNED_SHARES}); create table domains({DOMAINS})")
        connection.execute(f"create table model_scores({MODEL_SCORES}); create table model_shares({MISALIGNED_SHARES})")
        last, *after = (conditions.get(table, NONE) for table in LATE_STAGES)
        if {last, *after} != {NONE}:
            named = "".join(f"{name}, " for name in scores)
            texts = {"reject_reason": last, "late_reject_reason": ", ".join(after), "texts": TEXTS, "pairs": WITH_TEXTS}
            _run(connection, "explain", sql("decisions", scores=named, **texts))


def _run(connection: duckdb.DuckDBPyConnection, verb: str, query: str) -> None:
    connection.execute(f"{verb} {query}", _values(query))


def _values(query: str) -> dict[str, Any]:
    """Return a value for each of a query's $parameters; thresholds are numbers."""
    values: dict[str, Any] = dict.fromkeys(re.findall(r"\$([a-z]\w*)", query), 1.0)
    known: dict[str, Any] = {**script_patterns("el"), **dict.fromkeys(NUMBERS, 1)}
    known |= {"exact_only": False, "corpus": "", **{key: [""] for key in ("corpora", "labels", "english_labels")}}
    return values | {name: value for name, value in known.items() if name in values}


def _sentence(message: str) -> str:
    """Return DuckDB's message about a condition as a sentence, with the nearest known names."""
    if match := re.search(r'Referenced column "([^"]+)" (?:was )?not found', message):
        near = re.findall(r'"([^"]+)"', message.partition("Candidate bindings:")[2].partition("\n")[0])
        names = [name.rpartition(".")[2] for name in near]
        return f"unknown column '{match[1]}'." + (f" Did you mean {' or '.join(names[:3])}?" if names else "")
    if match := re.search(r"Function with name ([^\s]+) does not exist!", message):
        near = re.findall(r'"([^"]+)"', message.partition("Did you mean")[2].partition("\n")[0])
        return f"unknown function '{match[1]}'." + (f" Did you mean {near[0]}?" if near else "")
    if "No matching aggregate function" in message:
        return "the condition is not true or false."
    if "GROUP BY" in message:
        return "the condition holds an aggregate function, which reads several rows."
    first = message.partition("\n")[0]
    return f"{(first.partition('Error: ')[2] or first).rstrip('.!')}."
