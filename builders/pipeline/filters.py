"""Filters: the rows of `filters.toml` and of the user's, chosen and changed by recipes and options.

A filter has a condition over the columns of one table; a pair is rejected by the first filter that matches it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from corpora.catalog import base_code, language, languages
from corpora.errors import InputError, unknown
from corpora.extensions import UserFunction, load_function, read_extended_rows, row_file
from corpora.language_id import language_checks
from corpora.tables import STRICT, check_reference

Table = Literal[
    "pairs",
    "measured",
    "duplicates",
    "near_duplicates",
    "one_to_many",
    "contaminated",
    "decisions",
    "alignments",
    "model_scores",
]
TABLES: tuple[str, ...] = get_args(Table)  # in the order in which their filters are applied
LANGUAGE_STAGE = "decisions"  # the table of the filters that need the languages of texts
ALIGNMENT_STAGE = "alignments"  # the same table, for filters that need the alignments of pairs too: they come later
MODEL_STAGE = "model_scores"  # and for those that need the scores of a model: they come last
MODEL_FILTER = "unlikely_translation"  # which --score-with enables
LATE_STAGES = (LANGUAGE_STAGE, ALIGNMENT_STAGE, MODEL_STAGE)
FILE = Path(__file__).parent / "filters.toml"
Changes = Mapping[str, Mapping[str, float | Mapping[str, float]]]  # filter -> threshold -> value or {lang: value}


@dataclass(frozen=True)
class Filter:
    """A reason to reject a pair: a condition over the columns of a table, and the thresholds in it."""

    __pydantic_config__ = STRICT
    name: str
    """Name of the filter, as the ledger and the card show it: lower-case letters, digits and _."""
    table: Table
    """The table whose columns the condition reads."""
    description: str
    """Why a pair is rejected, in one sentence."""
    reject: str = ""
    """The condition in DuckDB's SQL, true for a rejected row; `$name` is a threshold."""
    histogram: str = ""
    """A comparison `MEASURE < $threshold` whose measure `builders browse` draws, where `reject` is not of this form."""
    function: str = ""
    """Instead of `reject`: a Python function `module:function` of a folder given with --with. It takes a Polars frame
    of the table's columns, and thresholds as keyword arguments; it returns a boolean Series, true for rejected rows."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Numbers that the condition compares with, by name."""
    by_language: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Other values of thresholds for a language."""
    thresholds_of: str = ""
    """Instead of thresholds: a row of language_checks.toml that has them for each language of a pair; `ROW.LANG` takes
    those of one language."""
    warn_above: float = 1.0
    """A share of a corpus in a language; a filter that rejects more of it causes a warning."""
    can_disable: bool = True
    """Whether recipes and --disable-filters may leave the filter out."""
    reason: str = ""
    """Why the filter cannot be disabled, if so."""
    default: Literal["on", "off"] = "on"
    """Whether the filter is used where nobody names it; `off` needs `enable_filters` or --enable-filters."""

    def threshold(self, name: str, lang: str) -> float:
        """Return the value of a threshold for a language; a variant has that of its language."""
        own = {**self.by_language.get(base_code(lang), {}), **self.by_language.get(lang, {})}
        return own.get(name, self.thresholds[name])

    def every_threshold(self) -> list[float]:
        """Return the values of all thresholds, in all languages."""
        return [value for table in (self.thresholds, *self.by_language.values()) for value in table.values()]

    def condition(self) -> str:
        """Return the condition as the manifest has it: SQL, or the Python function with the digest of its source."""
        return self.reject or f"Python function {self.function}, sha256 {self.code().sha256}"

    def code(self) -> UserFunction:
        """Return the filter's Python function.

        Raises:
            InputError: No folder that may hold code has it, or it cannot be imported.
        """
        return load_function(self.function, f"{location(self)}, key 'function'", source_file(self))


def all_filters() -> dict[str, Filter]:
    """Return the rows of `filters.toml`, ours and the user's, by name, in the order in which they are applied.

    Raises:
        InputError: A row is malformed, or names an unknown language or threshold.
    """
    rows = {name: _with_thresholds(rule) for name, rule in read_extended_rows(FILE, Filter).items()}
    for rule in rows.values():
        _check(rule, location(rule))
    return dict(sorted(rows.items(), key=lambda item: TABLES.index(item[1].table)))


def _with_thresholds(rule: Filter) -> Filter:
    """Return a filter with the thresholds that it shares with the quality checks of translations."""
    if not rule.thresholds_of:
        return rule
    where = f"{location(rule)}, key 'thresholds_of'"
    if rule.thresholds or rule.by_language:
        raise InputError(f"{where}: a filter has either thresholds of its own or 'thresholds_of'.")
    name, _, lang = rule.thresholds_of.partition(".")
    check_reference(name, language_checks(), "row of language_checks.toml", where)
    check = language_checks()[name]
    if lang:
        return replace(rule, thresholds=check.thresholds_of(language(lang).code))
    return replace(rule, thresholds=check.thresholds, by_language=check.by_language)


def source_file(rule: Filter) -> Path:
    """Return the file that a filter is from."""
    return row_file(FILE, rule.name)


def location(rule: Filter) -> str:
    """Return the file and the row of a filter, for errors."""
    return f"{source_file(rule)}, table [{rule.name}]"


def _check(rule: Filter, where: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", rule.name) or rule.name.startswith("score_"):
        raise InputError(
            f"{where}: a filter's name consists of lower-case letters, digits and _, and does not begin with score_."
        )
    if bool(rule.reject) == bool(rule.function):
        raise InputError(f"{where}: a filter has either 'reject' or 'function'.")
    if bool(rule.reason) == rule.can_disable:
        raise InputError(f"{where}: 'can_disable = false' and 'reason' belong together.")
    if not 0 <= rule.warn_above <= 1:
        raise InputError(f"{where}: 'warn_above' is a share from 0 to 1, not {rule.warn_above:g}.")
    for lang, values in rule.by_language.items():
        check_reference(lang, languages(), "language", f"{where}, key 'by_language'")
        for name in values:
            check_reference(name, rule.thresholds, "threshold", f"{where}, key 'by_language.{lang}'")
    used = re.findall(r"\$(\w+)", rule.reject)
    for name in used:
        check_reference(name, rule.thresholds, "threshold", f"{where}, key 'reject'")
    if rule.reject and not rule.thresholds_of:
        for name in rule.thresholds:
            if name not in used:
                raise InputError(f"{where}: 'reject' does not use the threshold '{name}'. Add ${name}, or remove it.")
    if not all(map(math.isfinite, rule.every_threshold())):
        raise InputError(f"{where}: a threshold must be a finite number.")


def choose_filters(
    changes: Changes, disable: Sequence[str], enable: Sequence[str] = (), more: Sequence[Filter] = ()
) -> tuple[Filter, ...]:
    """Return the filters in use, with changed thresholds, in the order in which they are applied.

    Args:
        changes: New values of thresholds by filter.
        disable: Filters to leave out.
        enable: Filters to use that are off by default.
        more: Filters that follow those of the files.

    Raises:
        InputError: A filter or threshold is unknown, a filter cannot be disabled, or a value is no finite number.
    """
    known = all_filters() | {rule.name: rule for rule in more}
    for name in (*changes, *disable, *enable):
        if name not in known and name.startswith("score_"):
            raise InputError(
                f"The filter {name} needs --quality-scores FILE with a column '{name.removeprefix('score_')}'."
            )
        if name not in known:
            raise unknown("filter", name, known)
    for name in changes:
        if known[name].default == "off" and name not in enable:
            raise InputError(f"The filter {name} is off by default: add --enable-filters {name}.")
    for name in disable:
        if not known[name].can_disable:
            raise InputError(f"The filter {name} cannot be disabled: {known[name].reason}")
    chosen = [f for f in known.values() if f.name not in disable and (f.name in enable or f.default == "on")]
    return tuple(_changed(f, changes.get(f.name, {})) for f in chosen)


def _changed(rule: Filter, changes: Mapping[str, float | Mapping[str, float]]) -> Filter:
    everywhere, by_language = dict(rule.thresholds), {lang: dict(v) for lang, v in rule.by_language.items()}
    for name, value in changes.items():
        if name not in rule.thresholds:
            raise InputError(f"Filter {rule.name}: {unknown('threshold', name, rule.thresholds)}")
        if isinstance(value, Mapping):
            for lang, own in value.items():
                by_language.setdefault(language(lang).code, {})[name] = _number(own, rule, name)
        else:
            everywhere[name] = _number(value, rule, name)
            by_language = {lang: {k: v for k, v in own.items() if k != name} for lang, own in by_language.items()}
    return replace(rule, thresholds=everywhere, by_language=by_language)


def _number(value: object, rule: Filter, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"Filter {rule.name}: the threshold '{name}' must be a finite number, not {value!r}.")
    return value
