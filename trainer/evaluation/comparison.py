"""Compare two models on the same items by the paired bootstrap, from the outputs that an evaluation has stored."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from tabulate import tabulate

from cards.display_names import metric_name
from corpora.errors import InputError, unknown
from corpora.terminal_tables import format_table
from trainer.evaluation.benchmarks import get_benchmark, load_benchmarks
from trainer.evaluation.bootstrap import Difference, Floats, Paired, mean_of, paired
from trainer.evaluation.items import answer_lang
from trainer.evaluation.measurement import Statistics, compute_statistics
from trainer.evaluation.metrics import Metric, MetricOptions, check_options, fits, get_metric
from trainer.evaluation.outputs import read_key, read_outputs

MEAN = "mean"  # in place of a language: the mean of all languages of a benchmark and direction
SAME = ("items", "output_type", "max_new_tokens", "version", "scorer")  # keys that comparable outputs share


class EvalKey(NamedTuple):
    """One benchmark in one language and direction."""

    benchmark: str
    lang: str
    direction: str


@dataclass(frozen=True)
class ComparisonRow:
    """A and B, each the mean of its runs, on one benchmark in one language and direction."""

    benchmark: str
    lang: str
    direction: str
    metric: str
    a: float
    b: float
    difference: Difference
    num_items: int


@dataclass(frozen=True, repr=False)
class Comparison:
    """How B differs from A, a row for each benchmark, language and direction; the mean of several languages last."""

    rows: tuple[ComparisonRow, ...]

    def to_text(self) -> str:
        """Return a table: values, the difference with its interval, and p."""
        rows = _cells(self.rows)
        return format_table(
            list(rows[0]) if rows else [], [list(row.values()) for row in rows], drop=["items", "direction", "p"]
        )

    def to_json(self) -> str:
        """Return the rows as JSON."""
        return json.dumps([asdict(row) for row in self.rows], indent=2, ensure_ascii=False)

    __repr__ = to_text

    def _repr_html_(self) -> str:
        return tabulate(_cells(self.rows), headers="keys", tablefmt="html", disable_numparse=True)


def _cells(rows: Sequence[ComparisonRow]) -> list[dict[str, str]]:
    return [
        {
            "benchmark": row.benchmark, "lang": row.lang, "direction": row.direction, "metric": metric_name(row.metric),
            "A": f"{row.a:.2f}", "B": f"{row.b:.2f}", "B - A": f"{row.difference.value:+.2f}",
            "95% interval": "[{:+.2f}, {:+.2f}]".format(*row.difference.interval),
            "p": f"{row.difference.p:.3f}", "items": f"{row.num_items:,}",
        }
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Predictions:
    """The stored outputs of one model on one benchmark in one language and direction."""

    path: Path
    key: dict[str, Any]

    def table(self) -> pl.DataFrame:
        """Return the outputs, a row for each item."""
        return read_outputs(self.path)

    @property
    def eval_key(self) -> EvalKey:
        """The benchmark, language and direction."""
        return EvalKey(self.key["benchmark"], self.key["lang"], self.key["direction"])

    @property
    def conditions(self) -> str:
        """The items and the decoding, which must be the same for outputs to be comparable."""
        return json.dumps([self.key.get(name) for name in SAME])


def compare_models(
    a: Sequence[str], b: Sequence[str], metric: str, output: Path, options: MetricOptions,
    benchmark: str | None = None, langs: Sequence[str] = (),
) -> Comparison:  # fmt: skip
    """Return how B differs from A wherever all their runs answered the same items.

    `a` and `b` are names of models below `output`, or folders of their runs; several of one side are runs of one
    system with different seeds.

    Raises:
        InputError: A name is unknown, or nothing can be compared.
    """
    check_options(options)
    chosen = get_metric(metric)
    sides = [[_find_predictions(evaluated_folder(name, output), chosen) for name in side] for side in (a, b)]
    if benchmark is not None:
        get_benchmark(benchmark)
    keys = _shared_keys([run for side in sides for run in side], benchmark, langs)
    compared = [_compare(key, sides, chosen, options) for key in keys]
    if not compared:
        raise InputError(
            f"{','.join(a)} and {','.join(b)} have no outputs in common from which {metric} can be computed. "
            "Evaluate both on one benchmark first."
        )
    return Comparison((*(row for row, _ in compared), *_means(compared)))


def shared_outputs(
    names: Sequence[str], metric: Metric, output: Path, benchmark: str, langs: Sequence[str]
) -> dict[EvalKey, list[Predictions]]:
    """Return the outputs of several models on the same items of a benchmark, by language and direction.

    Raises:
        InputError: There are none.
    """
    runs = [_find_predictions(evaluated_folder(name, output), metric) for name in names]
    keys = _shared_keys(runs, get_benchmark(benchmark).name, langs)
    if not keys:
        raise InputError(f"There are no stored answers on {benchmark} of {' and '.join(names)}. Evaluate first.")
    shared = {}
    for key in keys:
        own = [run[key] for run in runs]
        shared[key] = [_with_conditions(predictions, _shared_conditions(key, own)) for predictions in own]
    return shared


def evaluated_folder(model: str, output: Path) -> Path:
    """Return the folder of a model's outputs, by the model's name or folder.

    Raises:
        InputError: The model has not been evaluated.
    """
    path = Path(model).resolve()
    names = (model.replace("/", "--"), path.parent.name if path.name == "model" else path.name)
    folder = next((output / name for name in names if name and (output / name).is_dir()), None)
    if folder is None:
        known = {file.parent.name for file in output.glob("*/*.parquet")}
        if not known:
            raise InputError(
                f"No model has been evaluated in {output} yet: `trainer evaluate {model} --benchmarks ...`."
            )
        raise unknown("evaluated model", model, known)
    return folder


def _shared_keys(
    runs: Sequence[dict[EvalKey, list[Predictions]]], benchmark: str | None, langs: Sequence[str]
) -> list[EvalKey]:
    """Return the benchmarks, languages and directions that all runs have outputs of."""
    keys = set.intersection(*(set(run) for run in runs))
    return sorted(key for key in keys if benchmark in (None, key.benchmark) and (not langs or key.lang in langs))


def _find_predictions(folder: Path, metric: Metric) -> dict[EvalKey, list[Predictions]]:
    """Return the outputs in a folder from which a metric can be computed; several where items or decoding differ."""
    kind, benchmarks = metric.name if metric.scorer else metric.output_type, load_benchmarks()
    by_key: dict[EvalKey, list[Predictions]] = {}
    for path in sorted(folder.glob(f"*.{kind}.*.parquet")):
        predictions = Predictions(path, read_key(path))
        benchmark = benchmarks.get(predictions.eval_key.benchmark)
        if benchmark and fits(metric, benchmark):
            by_key.setdefault(predictions.eval_key, []).append(predictions)
    return by_key


def _compare(
    key: EvalKey, sides: Sequence[Sequence[dict[EvalKey, list[Predictions]]]], metric: Metric, options: MetricOptions
) -> tuple[ComparisonRow, Paired]:
    conditions = _shared_conditions(key, [run[key] for side in sides for run in side])
    tables = [[_with_conditions(run[key], conditions).table() for run in side] for side in sides]
    lang = answer_lang(key.lang, key.direction)
    chosen = options.of(get_benchmark(key.benchmark))
    statistics = [[compute_statistics(metric, table, lang, chosen) for table in side] for side in tables]
    value = statistics[0][0].value
    counts = [[run.counts for run in side] for side in statistics]
    difference = paired(counts[0], counts[1], value)
    a, b = (_mean(side) for side in statistics)
    row = ComparisonRow(*key, metric.name, a, b, difference.difference(), len(tables[0][0]))
    return row, difference


def _shared_conditions(key: EvalKey, runs: Sequence[Sequence[Predictions]]) -> str:
    """Return the conditions under which all runs have outputs: those of most items, where there are several."""
    common = set.intersection(*({predictions.conditions for predictions in run} for run in runs))
    if not common:
        raise InputError(
            f"On {' '.join(key)} the models answered different items, or with answers of different length. "
            "Evaluate them in the same way."
        )
    return max(common, key=lambda conditions: (_num_items(_with_conditions(runs[0], conditions)), conditions))


def _num_items(predictions: Predictions) -> int:
    return int(pl.scan_parquet(predictions.path, glob=False).select(pl.len()).collect().item())


def _with_conditions(run: Sequence[Predictions], conditions: str) -> Predictions:
    return next(predictions for predictions in run if predictions.conditions == conditions)


def _mean(runs: Sequence[Statistics]) -> float:
    values: list[float] = [run.value(_sum(run.counts)) for run in runs]
    return sum(values) / len(values)


def _sum(counts: Floats) -> Floats:
    total: Floats = counts.sum(axis=0)
    return total


def _means(compared: Sequence[tuple[ComparisonRow, Paired]]) -> Iterator[ComparisonRow]:
    """Yield a row for each benchmark and direction with several languages; each language counts the same."""
    groups: dict[tuple[str, str], list[tuple[ComparisonRow, Paired]]] = {}
    for row, difference in compared:
        groups.setdefault((row.benchmark, row.direction), []).append((row, difference))
    for (benchmark, direction), rows in groups.items():
        if len(rows) > 1:
            a, b = (sum(getattr(row, side) for row, _ in rows) / len(rows) for side in ("a", "b"))
            both = mean_of([difference for _, difference in rows]).difference()
            num_items = sum(row.num_items for row, _ in rows)
            yield ComparisonRow(benchmark, MEAN, direction, rows[0][0].metric, a, b, both, num_items)
