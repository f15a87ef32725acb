"""The lines that `builders inspect` prints: position, reason, the measures that decided, and both sides."""

import json
import operator
import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from builders.pipeline import Filter, all_filters
from corpora.catalog import language
from corpora.errors import InputError
from corpora.terminal_tables import wrap_after

SHOWN = ("corpus", "line_number", "en", "xx", "lang", "reject_reason", "matched_corpus", "matched_line_number")
UNEXPLAINED = ("en_unexplained", "xx_unexplained")  # words of a judged pair
COMPARISON = re.compile(r"(\w+) (<=|>=|<|>) \$(\w+)")  # of a measure and a threshold, in the condition of a filter
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
LIMITS = {"<": "at least", "<=": "more than", ">": "at most", ">=": "less than"}  # what a kept pair has
MAX_CHARS = 300  # of a side


def lines_text(rows: pl.DataFrame, lang: str, measures: bool = False) -> str:
    """Return lines with position, reason, the measures that decided with their thresholds, and both sides.

    Args:
        rows: The lines.
        lang: Their language.
        measures: Whether all measures are shown.
    """
    if rows.is_empty():
        return "There is no such line."
    return "\n\n".join(_line(row, lang, measures) for row in rows.iter_rows(named=True))


def _line(row: Mapping[str, Any], lang: str, measures: bool) -> str:
    match = f" of {row['matched_corpus']}:{row['matched_line_number']}" if row["matched_corpus"] else ""
    deciding = ", ".join(_deciding(row, lang))
    head = f"{row['corpus']}:{row['line_number']}  {row['reject_reason'] or 'kept'}{match}"
    width = max(len(language(code).name) for code in ("en", lang))
    lines = wrap_after("", head + (f": {deciding}" if deciding else ""))
    for code, side in (("en", "en"), (lang, "xx")):
        lines += wrap_after(f"  {language(code).name:{width}}  ", _cut(row[side]))
    if row["reject_reason"] == "misaligned" and row.get(UNEXPLAINED[0]) is not None:
        words = " | ".join(" ".join(row[name]) for name in UNEXPLAINED)
        lines += wrap_after(f"  {'unexplained':{width}}  ", _cut(words))
    if measures:
        lines += wrap_after("  ", "; ".join(f"{name} {_value(value)}" for name, value in _measures(row).items()))
    return "\n".join(lines)


def _measures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in (*SHOWN, *UNEXPLAINED) and value is not None}


def _deciding(row: Mapping[str, Any], lang: str) -> list[str]:
    """Return the measures in the condition of the filter that rejected a line, first those beyond a threshold.

    Thresholds are those of the filter's row; one that a recipe or --set has changed is left out where it would not
    reject the line.
    """
    rule = all_filters().get(row["reject_reason"] or "")
    if rule is None and (score := row.get(row["reject_reason"] or "")) is not None:
        return [f"{row['reject_reason']} {_value(score)}"]
    if rule is None:
        return [f"margin {_value(row['margin'])}"] if row.get("margin") is not None else []
    beyond = {
        name: f"{name} {_value(row[name])}, {LIMITS[sign]} {limit:g}"
        for name, sign, key in COMPARISON.findall(rule.reject)
        if isinstance(row.get(name), int | float)
        and (limit := _threshold(rule, key, lang)) is not None
        and COMPARE[sign](row[name], limit)
    }
    words = dict.fromkeys(re.findall(r"\w+", rule.reject))
    others = [f"{name} {_value(value)}" for name, value in _measures(row).items() if name in words]
    return list(beyond.values()) or others


def _threshold(rule: Filter, name: str, lang: str) -> float | None:
    try:
        return rule.threshold(name, lang)
    except (InputError, KeyError):
        return None


def _value(value: object) -> str:
    if isinstance(value, float):
        return format_measure(value)
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def format_measure(value: float) -> str:
    """Return a measure with six digits, or with more where six would round it to a rounder number.

    A margin of 1.0399999 is not printed as 1.04: a threshold of 1.04 rejects it.
    """
    for digits in range(6, 18):
        text = f"{value:.{digits}g}"
        significant = text.partition("e")[0].replace(".", "").lstrip("-0")
        if float(text) == value or len(significant) == digits:
            return text
    return repr(value)


def _cut(text: str | None) -> str:
    """Return a text on one line, its control characters visible, cut after MAX_CHARS characters."""
    joiners = "\u200c\u200d"  # a part of words in Persian and Hindi
    safe = "".join(c if c.isprintable() or c in joiners else repr(c)[1:-1] for c in (text or "")[: MAX_CHARS + 1])
    return safe if len(safe) <= MAX_CHARS else safe[:MAX_CHARS] + "…"


def lines_json(rows: pl.DataFrame) -> str:
    """Return lines as JSON Lines."""
    return "\n".join(json.dumps(row) for row in rows.iter_rows(named=True))
