"""Results of several models side by side: a table for each benchmark, with a column for each metric.

A row is one system in one language: a model, the release, the number of pairs and the mixture that it was trained on.
Nothing that differs in these is averaged. Runs that differ in their seed only are one row.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from tabulate import tabulate

from cards.display_names import metric_name
from cards.escaping import code, html, markdown
from corpora.catalog import language, languages
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from corpora.strict_json import load_json
from corpora.terminal_tables import format_table
from recipes.results import Result, read_results

BEGIN, END = "<!-- results -->", "<!-- /results -->"
MEAN = "mean"  # of all languages, in the place of a language
NOTE = (
    "A value with an interval is of one run; [a, b] is its 95% confidence interval over the items. "
    "± is the standard deviation over the number of seeds in the column seeds."
)
HEADS = ("lang", "direction", "model", "release", "pairs", "documents", "mixture")
NUMBERS = ("pairs", "documents", "mixture")
DROP = ("release", "direction", "documents", "seeds")
System = tuple[Any, ...]  # what a row is of: all that differs between two models but their seed
Group = tuple[System, str, str]  # a system, a direction and a language


@dataclass(frozen=True)
class BenchmarkTable:
    """The results of one benchmark.

    Args:
        benchmark: The benchmark; empty if unknown.
        metrics: The columns of metrics, as pairs of a metric and a signature.
        rows: The rows; each has the keys of `HEADS`, and `values`: {value, spread, low, high, is_best} by column.
    """

    benchmark: str
    metrics: tuple[tuple[str, str], ...]
    rows: tuple[Mapping[str, Any], ...]

    def heads(self) -> list[str]:
        """Return the heads of the metrics' columns; those of a metric with several signatures are numbered."""
        names = [metric for metric, _ in self.metrics]
        return [
            metric_name(name) + (f" ({names[: i + 1].count(name)})" if names.count(name) > 1 else "")
            for i, name in enumerate(names)
        ]


@dataclass(frozen=True, repr=False)
class Leaderboard:
    """A table for each benchmark."""

    tables: tuple[BenchmarkTable, ...]

    def to_text(self) -> str:
        """Return the tables for a terminal."""
        parts = [f"{table.benchmark or 'results'}\n\n{_text_table(table)}" for table in self.tables]
        signatures = [f"{head}: {signature}" for head, signature in self._signatures()]
        return "\n\n".join([*parts, NOTE, *(["\n".join(signatures)] if signatures else [])])

    def to_markdown(self) -> str:
        """Return the tables for a card, the best value of each language in bold, the signatures folded."""
        parts = [_markdown_table(table) for table in self.tables]
        lines = [f"- {markdown(head)}: {code(signature)}" for head, signature in self._signatures()]
        fold = ["<details><summary>Signatures of the metrics</summary>", "\n".join(lines), "</details>"]
        return "\n\n".join([*parts, NOTE, *(fold if lines else [])])

    def _signatures(self) -> Iterable[tuple[str, str]]:
        """Return the metrics with the signatures of their values, each once."""
        several = len(self.tables) > 1
        pairs = [
            (f"{table.benchmark}, {head}" if several else head, signature)
            for table in self.tables
            for head, (_, signature) in zip(table.heads(), table.metrics, strict=True)
            if signature
        ]
        return dict.fromkeys(pairs)

    def to_json(self) -> str:
        """Return the tables as JSON."""
        tables = [
            {"benchmark": table.benchmark, "metrics": [list(pair) for pair in table.metrics], "rows": list(table.rows)}
            for table in self.tables
        ]
        return json.dumps(tables, indent=2, ensure_ascii=False)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return "".join(
            f"<h4>{html(table.benchmark)}</h4>"
            + tabulate(
                [_cells(table, row) for row in table.rows],
                _heads(table),
                tablefmt="html",
                disable_numparse=True,
            )
            for table in self.tables
        )


def select_results(results: Path, metric: str | None = None, benchmark: str | None = None) -> list[Result]:
    """Return the results of a file with a metric and a benchmark; None means any.

    Raises:
        InputError: There is no such result.
    """
    rows = read_results(results)
    for kind, name in (("metric", metric), ("benchmark", benchmark)):
        known = {getattr(row, kind) for row in rows}
        if name is not None and name not in known:
            raise unknown(f"{kind} in {results}", name, known)
    chosen = [row for row in rows if metric in (None, row.metric) and benchmark in (None, row.benchmark)]
    if not chosen:
        raise InputError(f"{results} holds no {metric} of {benchmark}.")
    return chosen


def tabulate_results(results: Sequence[Result]) -> Leaderboard:
    """Return results as tables, in the order in which their benchmarks appear."""
    names = dict.fromkeys(result.benchmark for result in results)
    return Leaderboard(tuple(_table(name, [r for r in results if r.benchmark == name]) for name in names))


def _table(benchmark: str, results: Sequence[Result]) -> BenchmarkTable:
    metrics = tuple(dict.fromkeys((result.metric, result.signature) for result in results))
    groups: dict[Group, list[Result]] = {}
    for result in results:
        groups.setdefault((_system(result), result.direction, result.lang), []).append(result)
    cells = {group: _values(own, metrics) for group, own in groups.items()}
    seeds = {group: len({result.seed for result in own}) for group, own in groups.items()}
    means, num_langs = _means(cells, groups)
    rows = [_row(*group, values, seeds.get(group, 0)) for group, values in {**means, **cells}.items()]
    langs = [MEAN, *languages()] if num_langs > 1 else list(languages())
    rows = [row for row in rows if row["lang"] in langs]
    rows.sort(key=lambda row: (row["direction"], langs.index(row["lang"]), -_first(row, metrics)))
    _mark_best(rows)
    return BenchmarkTable(benchmark, metrics, tuple(rows))


def _system(result: Result) -> System:
    """Return all that differs between two models but their seed; of a known mixture the pairs are a part."""
    mixture = json.dumps(result.composition, sort_keys=True)
    return (_without_seed(result), result.release, mixture, result.num_pairs, result.num_documents)


def _without_seed(result: Result) -> str:
    return result.model.removesuffix(f"-seed{result.seed}")


def _values(results: Sequence[Result], metrics: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
    return [_value([r for r in results if (r.metric, r.signature) == metric]) for metric in metrics]


def _value(results: Sequence[Result]) -> dict[str, Any] | None:
    """Return a value with its interval, or of several seeds their mean and standard deviation."""
    if not results:
        return None
    values = [result.value for result in results]
    interval = results[0].interval if len(results) == 1 else None
    low, high = interval or (None, None)
    return {"value": mean(values), "spread": stdev(values) if len(values) > 1 else None, "low": low, "high": high}


def _means(cells: Mapping[Group, Any], groups: Mapping[Group, Sequence[Result]]) -> tuple[dict[Group, Any], int]:
    """Return the means over languages of the models that have a value in each, and the number of languages.

    Models of which one has several sizes in a language are left out: a mean would be of different models.
    """
    langs = {lang for _, _, lang in groups}
    by_model: dict[tuple[Any, ...], dict[str, list[Group]]] = {}
    for system, direction, lang in groups:
        by_model.setdefault((system[:3], direction), {}).setdefault(lang, []).append((system, direction, lang))
    means = {}
    for ((name, release, mixture), direction), by_lang in by_model.items():
        if set(by_lang) != langs or any(len(own) > 1 for own in by_lang.values()):
            continue
        columns = zip(*(cells[own[0]] for own in by_lang.values()), strict=True)
        means[((name, release, mixture, None, None), direction, MEAN)] = [
            None
            if None in column
            else {"value": mean(cell["value"] for cell in column), "spread": None, "low": None, "high": None}
            for column in map(list, columns)
        ]
    return means, len(langs)


def _row(system: System, direction: str, lang: str, values: Sequence[Any], num_seeds: int) -> dict[str, Any]:
    name, release, mixture, num_pairs, num_documents = system
    return {
        **{"model": name, "release": release, "num_pairs": num_pairs, "num_documents": num_documents},
        **{"composition": load_json(mixture), "direction": direction, "lang": lang, "num_seeds": num_seeds},
        "values": [None if value is None else dict(value) for value in values],
    }


def _first(row: Mapping[str, Any], metrics: Sequence[tuple[str, str]]) -> float:
    """Return the first value of a row, to sort by."""
    return next((float(value["value"]) for value in row["values"] if value), float("-inf"))


def _mark_best(rows: Sequence[Mapping[str, Any]]) -> None:
    """Mark the best value of each column, direction and language that several systems have."""
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for row in rows:
        for index, value in enumerate(row["values"]):
            if value:
                groups.setdefault((row["direction"], row["lang"], index), []).append(value)
    for values in groups.values():
        best = max(value["value"] for value in values)
        for value in values:
            value["is_best"] = len(values) > 1 and value["value"] == best


def _cells(table: BenchmarkTable, row: Mapping[str, Any], bold: bool = False) -> list[str]:
    """Return the texts of a row: what it is of, its values, and the number of seeds."""
    mixtures = list(dict.fromkeys(json.dumps(other["composition"], sort_keys=True) for other in table.rows))
    mixture = mixtures.index(json.dumps(row["composition"], sort_keys=True)) + 1
    return [
        row["lang"],
        row["direction"],
        row["model"],
        row["release"],
        "" if row["num_pairs"] is None else f"{row['num_pairs']:,}",
        f"{row['num_documents']:,}" if row["num_documents"] else "",
        f"{mixture}" if _has_mixtures(table) else "",
        *(_text(value, bold) for value in row["values"]),
        f"{row['num_seeds']}" if row["num_seeds"] > 1 else "",
    ]


def _has_mixtures(table: BenchmarkTable) -> bool:
    """Return whether two rows of one model, release and language differ in their mixture only."""
    names = {(row["model"], row["release"], row["num_pairs"], row["direction"], row["lang"]) for row in table.rows}
    return len(names) < len(table.rows)


def _text(value: Mapping[str, Any] | None, bold: bool) -> str:
    if value is None:
        return ""
    number = f"**{value['value']:.2f}**" if bold and value.get("is_best") else f"{value['value']:.2f}"
    if value.get("spread") is not None:
        return f"{number} ± {value['spread']:.2f}"
    return number + (f" [{value['low']:.2f}, {value['high']:.2f}]" if value.get("low") is not None else "")


def _text_table(table: BenchmarkTable) -> str:
    return format_table(_heads(table), [_cells(table, row) for row in table.rows], drop=DROP)


def _heads(table: BenchmarkTable) -> list[str]:
    has_intervals = any(value and value["low"] is not None for row in table.rows for value in row["values"])
    return [*HEADS, *(head + " [95%]" * has_intervals for head in table.heads()), "seeds"]


def _markdown_table(table: BenchmarkTable) -> str:
    heads = _heads(table)
    rows = [_cells(table, row, bold=True) for row in table.rows]
    num_names = len(HEADS)
    for row in rows:
        row[0] = row[0] if row[0] == MEAN else language(row[0]).name
        row[:num_names] = [markdown(cell) for cell in row[:num_names]]
    used = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    align = ["---" if i < num_names and HEADS[i] not in NUMBERS else "---:" for i in used]
    lines = [[markdown(heads[i]) for i in used], align, *([row[i] for i in used] for row in rows)]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"### {markdown(table.benchmark)}\n\n{text}" if table.benchmark else text


def write_into_card(card: Path, results: Sequence[Result], name: str | None = None) -> None:
    """Write the results of a card's own model into it, in place of those that were written there before.

    Args:
        card: The README.md of the model.
        results: Results of any models.
        name: The model's name in results; by default that of its run's folder.

    Raises:
        InputError: There is no such card, or no result of its model.
    """
    if not card.is_file():
        raise InputError(f"There is no card {card}.")
    name = name or _model_of(card)
    rows = [result for result in results if result.model == name]
    if not rows:
        known = ", ".join(sorted({row.model or "(without a name)" for row in results})[:10])
        raise InputError(
            f"There is no result of {name}, the model of {card}, but of {known}. Only a model's own results go into "
            "its card: evaluate it, or give the name that it has in the results with --name."
        )
    text = card.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if rest else ""
    with atomic_path(card) as temporary:
        tables = tabulate_results(rows).to_markdown()
        whole = f"{before.rstrip()}\n\n{BEGIN}\n## Results\n\n{tables}\n{END}\n{after.lstrip()}"
        temporary.write_text(whole, encoding="utf-8")


def _model_of(card: Path) -> str:
    """Return the name that results of a card's model have: that of its run's folder."""
    folder = card.resolve().parent
    is_in_run = folder.name == "model" and (folder.parent / "run.json").is_file()
    return folder.parent.name if is_in_run else folder.name
