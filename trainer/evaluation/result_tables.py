"""Results for people, as they come: one per row."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from tabulate import tabulate

from cards.display_names import metric_name
from corpora.terminal_tables import format_table
from recipes.results import Result

HEADS = ("model", "benchmark", "lang", "direction", "metric", "value", "95% interval", "items")
DROP = ("items", "direction", "95% interval")


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
        rows = [list(_cells(result).values()) for result in self.results]
        left_out = [f"{model} was left out: {reason}" for model, reason in self.skipped.items()]
        return "\n".join([format_table(HEADS, rows, drop=DROP), *left_out])

    def to_json(self) -> str:
        """Return the results as JSON."""
        return json.dumps([asdict(result) for result in self.results], indent=2, ensure_ascii=False)

    __repr__ = to_text

    def _repr_html_(self) -> str:
        return tabulate(
            [_cells(result) for result in self.results], headers="keys", tablefmt="html", disable_numparse=True
        )


def _cells(result: Result) -> dict[str, str]:
    interval = "" if result.interval is None else f"[{result.interval[0]:.2f}, {result.interval[1]:.2f}]"
    names = (result.model, result.benchmark, result.lang, result.direction, metric_name(result.metric))
    cells = (*names, f"{result.value:.2f}", interval, f"{result.n:,}" if result.n else "")
    return dict(zip(HEADS, cells, strict=True))
