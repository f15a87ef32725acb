"""Filter: a row of `filters.toml`, its thresholds for a language, and the SQL that names the first to reject a pair."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from corpora.catalog import language
from corpora.errors import InputError, unknown
from corpora.tables import read_toml

TABLES = ("pairs", "measured", "duplicates", "near_duplicates", "one_to_many", "contaminated", "decisions")  # in order
Changes = Mapping[str, Mapping[str, float | Mapping[str, float]]]  # filter -> threshold -> value or {lang: value}


@dataclass(frozen=True)
class Filter:
    """A reason to reject a pair: the table whose columns it reads, SQL that is true for a rejected row, and why."""

    name: str
    table: str
    reject: str
    description: str
    thresholds: Mapping[str, float]
    by_language: Mapping[str, Mapping[str, float]]  # lang -> threshold -> value
    warn_above: float = 1.0  # the share of a corpus that it may reject before a run warns of it
    can_disable: bool = True
    reason: str = ""  # why it cannot be disabled
    default: str = "on"

    def threshold(self, name: str, lang: str) -> float:
        """The value of a threshold for a language."""
        return self.by_language.get(lang, {}).get(name, self.thresholds[name])

    def every_threshold(self) -> list[float]:
        """The values of all thresholds, in all languages."""
        return [value for table in (self.thresholds, *self.by_language.values()) for value in table.values()]


@cache
def all_filters() -> dict[str, Filter]:
    """The rows of `filters.toml` by name, in file order."""
    tables = read_toml(Path(__file__).parent / "filters.toml")
    return {name: Filter(name, **{"thresholds": {}, "by_language": {}} | table) for name, table in tables.items()}


def choose_filters(
    changes: Changes, without: Sequence[str], also: Sequence[str] = (), more: Sequence[Filter] = ()
) -> tuple[Filter, ...]:
    """The filters in use, with changed thresholds; InputError for an unknown filter or threshold.

    That is every filter but the optional ones, `also` these, `without` those, and the user's own, `more`, at last.
    """
    known = all_filters() | {rule.name: rule for rule in more}
    for name in (*changes, *without, *also):
        if name not in known and name.startswith("score_"):
            column = name.removeprefix("score_")
            raise InputError(f"The filter {name} needs --quality-scores FILE with a column '{column}'.")
        if name not in known:
            raise unknown("filter", name, known)
    for name in changes:
        if known[name].default == "off" and name not in also:
            raise InputError(f"The filter {name} is off by default: add --enable-filters {name}.")
    for name in without:
        if not known[name].can_disable:
            raise InputError(f"The filter {name} cannot be disabled: {known[name].reason}")
    chosen = [f for f in known.values() if f.name not in without and (f.name in also or f.default == "on")]
    return tuple(_changed(f, changes.get(f.name, {})) for f in chosen)


def _changed(filter: Filter, changes: Mapping[str, float | Mapping[str, float]]) -> Filter:
    everywhere, by_language = dict(filter.thresholds), {lang: dict(v) for lang, v in filter.by_language.items()}
    for name, value in changes.items():
        if name not in filter.thresholds:
            raise InputError(f"Filter {filter.name}: {unknown('threshold', name, filter.thresholds)}")
        if isinstance(value, Mapping):
            for lang, own in value.items():
                by_language.setdefault(language(lang).code, {})[name] = _number(own, filter, name)
        else:
            everywhere[name] = _number(value, filter, name)
            by_language = {lang: {k: v for k, v in own.items() if k != name} for lang, own in by_language.items()}
    return replace(filter, thresholds=everywhere, by_language=by_language)


def _number(value: object, filter: Filter, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"Filter {filter.name}: the threshold '{name}' must be a finite number, not {value!r}.")
    return value


def reject_sql(filters: tuple[Filter, ...], table: str, lang: str) -> tuple[str, dict[str, float]]:
    """SQL for the name of the first filter over `table` that rejects a row (or null), and its $parameters."""
    branches: list[str] = []
    parameters: dict[str, float] = {}
    for rule in filters:
        if rule.table == table:
            rejects = re.sub(r"\$(\w+)", rf"${rule.name}_\1", rule.reject)
            branches.append(f"when {rejects} then '{rule.name}'")
            parameters |= {f"{rule.name}_{name}": rule.threshold(name, lang) for name in rule.thresholds}
    return ("case " + " ".join(branches) + " end" if branches else "cast(null as varchar)"), parameters
