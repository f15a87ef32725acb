"""Results for people: as they come, and as tables like arXiv 2308.04948's Tables 2 and 6."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tabulate import tabulate

from corpora.catalog import languages
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from recipes.results import Result, read_results

BEGIN, END = "<!-- results -->", "<!-- /results -->"
Cells = Mapping[str, object]


@dataclass(frozen=True, repr=False)
class ResultTable:
    """Results, one per row."""

    results: tuple[Result, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    """The reason for each model that could not be evaluated."""

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def to_text(self) -> str:
        """Return a table with values and intervals."""
        table = tabulate(_result_cells(self.results), headers="keys", disable_numparse=True)
        return "\n".join([table, *(f"{model} was left out: {reason}" for model, reason in self.skipped.items())])

    def to_json(self) -> str:
        """Return the results as JSON."""
        return json.dumps([asdict(result) for result in self.results], indent=2, ensure_ascii=False)

    __repr__ = to_text

    def _repr_html_(self) -> str:
        return tabulate(_result_cells(self.results), headers="keys", tablefmt="html", disable_numparse=True)


def _result_cells(results: Sequence[Result]) -> list[dict[str, str]]:
    several = len({result.model for result in results}) > 1
    return [({"model": result.model} if several else {}) | _cells(result) for result in results]


def _cells(result: Result) -> dict[str, str]:
    around = "-" if result.interval is None else f"{result.interval[0]:.2f} .. {result.interval[1]:.2f}"
    return {
        "benchmark": result.benchmark,
        "lang": result.lang,
        "direction": result.direction,
        "metric": result.metric,
        "value": f"{result.value:.2f}",
        "95 % interval": around,
        "items": f"{result.n:,}",
    }


@dataclass(frozen=True, repr=False)
class Leaderboard:
    """Tables by title, one for each benchmark, direction, metric and signature; rows are models, columns languages."""

    tables: Mapping[str, Sequence[Cells]]

    def to_text(self, table_format: str = "simple") -> str:
        """Return the tables with their titles, for a terminal or (`github`) as Markdown."""
        return "\n\n".join(
            f"{title}\n\n{tabulate(rows, headers='keys', tablefmt=table_format, disable_numparse=True)}"
            for title, rows in self.tables.items()
        )

    def to_markdown(self) -> str:
        """Return the tables for a card."""
        return self.to_text("github")

    def to_json(self) -> str:
        """Return the tables as JSON."""
        return json.dumps(dict(self.tables), indent=2, ensure_ascii=False)

    __repr__ = to_text

    def _repr_html_(self) -> str:
        tables = (
            f"<h4>{title}</h4>{tabulate(rows, headers='keys', tablefmt='html', disable_numparse=True)}"
            for title, rows in self.tables.items()
        )
        return "".join(tables)


def build_leaderboard(results: Path, metric: str | None = None, benchmark: str | None = None) -> Leaderboard:
    """Return the tables of a file of results.

    Values with different signatures are in different tables. Runs that differ in their seed only are one row, with
    their mean and, of several, the standard deviation.

    Raises:
        InputError: There is no such result.
    """
    rows = read_results(results)
    for kind, name in (("metric", metric), ("benchmark", benchmark)):
        known = {getattr(row, kind) for row in rows}
        if name is not None and name not in known:
            raise unknown(f"{kind} in {results}", name, known)
    tables: dict[str, list[Result]] = {}
    for row in rows:
        if metric in (None, row.metric) and benchmark in (None, row.benchmark):
            title = " | ".join(filter(None, (row.benchmark, row.direction, row.metric, row.signature)))
            tables.setdefault(title, []).append(row)
    if not tables:
        raise InputError(f"{results} holds no {metric} of {benchmark}.")
    return Leaderboard({title: _rows(own) for title, own in tables.items()})


def _rows(results: Sequence[Result]) -> list[Cells]:
    systems: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        systems.setdefault((_without_seed(result), result.release), []).append(result)
    langs = [lang for lang in languages() if any(result.lang == lang for result in results)]
    rows = [_row(model, release, own, langs) for (model, release), own in systems.items()]
    return sorted(rows, key=lambda row: -float(str(row["mean"]).split()[0] if row["mean"] else -1))


def _without_seed(result: Result) -> str:
    return result.model.removesuffix(f"-seed{result.seed}")


def _row(model: str, release: str, results: Sequence[Result], langs: Iterable[str]) -> Cells:
    values = {lang: [result.value for result in results if result.lang == lang] for lang in langs}
    means = [sum(own) / len(own) for own in values.values() if own]
    mean = f"{sum(means) / len(means):.2f}" if len(means) == len(values) else ""
    cells = {lang: _cell(own) for lang, own in values.items()}
    return {"model": model, "release": release, **cells, "mean": mean, "seeds": len({r.seed for r in results})}


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.2f}"
    spread = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    return f"{mean:.2f} ± {spread:.2f}"


def write_into_card(card: Path, tables: str) -> None:
    """Write tables into a card, in place of those that were written there before, else at its end.

    Raises:
        InputError: There is no such card.
    """
    if not card.is_file():
        raise InputError(f"There is no card {card}.")
    text = card.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if rest else ""
    with atomic_path(card) as temporary:
        whole = f"{before.rstrip()}\n\n{BEGIN}\n## Results\n\n{tables}\n{END}\n{after.lstrip()}"
        temporary.write_text(whole, encoding="utf-8")
