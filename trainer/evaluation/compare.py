"""compare(): two models on the same items, by the paired bootstrap; from the outputs that evaluate() kept."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from tabulate import tabulate

from corpora.errors import InputError, unknown
from trainer.evaluation.benchmarks import benchmark as benchmark_named
from trainer.evaluation.bootstrap import Difference, Floats, Paired, mean_of, paired
from trainer.evaluation.metrics import METRICS, How, Metric
from trainer.evaluation.outputs import read_key, read_outputs

Place = tuple[str, str, str]  # benchmark, language, direction
ALL = "mean"  # of the languages of a benchmark and direction


@dataclass(frozen=True)
class Compared:
    """A and B, each the mean of its runs, on one benchmark in one language and direction; `n` items."""

    benchmark: str
    lang: str
    direction: str
    metric: str
    a: float
    b: float
    difference: Difference
    n: int


@dataclass(frozen=True)
class Kept:
    """The outputs of one model on one benchmark in one language and direction."""

    path: Path
    key: dict[str, Any]

    def table(self) -> pl.DataFrame:
        """The outputs, a row an item."""
        return read_outputs(self.path)

    @property
    def place(self) -> Place:
        return self.key["benchmark"], self.key["lang"], self.key["direction"]


def compare(
    a: Sequence[str], b: Sequence[str], metric: str, out: Path, how: How, benchmark: str | None = None,
    langs: Sequence[str] = (),
) -> list[Compared]:  # fmt: skip
    """How B differs from A wherever all their runs answered the same items; the mean of several languages last.

    `a` and `b` name models below `out`, or the folders of their runs; several of one side are runs of one system that
    differ in their seed.
    InputError where nothing can be compared.
    """
    if metric not in METRICS:
        raise unknown("metric", metric, METRICS)
    chosen = METRICS[metric]
    kept = [[_kept(evaluated(name, out), chosen) for name in side] for side in (a, b)]
    if benchmark is not None:
        benchmark_named(benchmark)  # or a sentence
    places = _common([own for side in kept for own in side], benchmark, langs)
    found = [_compared(place, kept, chosen, how) for place in places]
    if not found:
        raise InputError(
            f"{','.join(a)} and {','.join(b)} have no outputs in common that {metric} could be computed from. "
            "Evaluate both on one benchmark first."
        )
    return [row for row, _ in found] + list(_means(found))


def shared_outputs(
    names: Sequence[str], metric: Metric, out: Path, benchmark: str, langs: Sequence[str]
) -> dict[Place, list[Kept]]:
    """The outputs of each model on a benchmark, the same items for all, by place; InputError if there are none."""
    kept = [_kept(evaluated(name, out), metric) for name in names]
    places = _common(kept, benchmark_named(benchmark).name, langs)
    if not places:
        raise InputError(f"No answers on {benchmark} are kept of {' and '.join(names)}. Evaluate first.")
    found = {}
    for place in places:
        runs = [own[place] for own in kept]
        found[place] = [_of(run, _shared(place, runs)) for run in runs]
    return found


def evaluated(asked: str, out: Path) -> Path:
    """The folder of what a model answered, by the model's name or folder; InputError if there is none."""
    path = Path(asked).resolve()
    names = (asked.replace("/", "--"), path.parent.name if path.name == "model" else path.name)
    found = next((out / name for name in names if name and (out / name).is_dir()), None)
    if found is None:
        there = {file.parent.name for file in out.glob("*/*.parquet")}
        if not there:
            raise InputError(f"No model has been evaluated in {out} yet: `trainer evaluate {asked} --benchmarks ...`.")
        raise unknown("evaluated model", asked, there)
    return found


def _common(kept: Sequence[dict[Place, list[Kept]]], benchmark: str | None, langs: Sequence[str]) -> list[Place]:
    """The places that all have outputs of, of a benchmark and in languages if any are named."""
    places = set.intersection(*(set(own) for own in kept))
    return sorted(place for place in places if benchmark in (None, place[0]) and (not langs or place[1] in langs))


def _kept(folder: Path, metric: Metric) -> dict[Place, list[Kept]]:
    """What one model answered that a metric can be computed from."""
    own: dict[Place, list[Kept]] = {}
    for path in sorted(folder.glob(f"*.{metric.needs}.*.parquet")):
        kept = Kept(path, read_key(path))
        if benchmark_named(kept.key["benchmark"]).task in metric.tasks:
            own.setdefault(kept.place, []).append(kept)
    return own


def _compared(
    place: Place, kept: Sequence[Sequence[dict[Place, list[Kept]]]], metric: Metric, how: How
) -> tuple[Compared, Paired]:
    """One comparison, on the largest set of items that every run answered in the same way."""
    candidates = [[own[place] for own in side] for side in kept]
    asked = _shared(place, [run for side in candidates for run in side])
    tables = [[read_outputs(_of(run, asked).path) for run in side] for side in candidates]
    counts = [[metric.statistics(table, place[1], how) for table in side] for side in tables]
    difference = paired(counts[0], counts[1], metric.value)
    values = [_mean(side, metric) for side in counts]
    row = Compared(*place, metric.name, values[0], values[1], difference.difference(), len(tables[0][0]))
    return row, difference


def _asked(kept: Kept) -> str:
    """What was asked, in which decoding: outputs compare only where this is the same."""
    names = ("items", "needs", "max_new_tokens", "version", "comet")
    return json.dumps([kept.key.get(name) for name in names])


def _shared(place: Place, runs: Sequence[Sequence[Kept]]) -> str:
    common = set.intersection(*({_asked(kept) for kept in run} for run in runs))
    if not common:
        raise InputError(
            f"On {' '.join(place)} the models were asked different items, or for answers of different length. "
            "Evaluate them in the same way."
        )
    return max(common, key=lambda asked: (_num_items(_of(runs[0], asked)), asked))


def _num_items(kept: Kept) -> int:
    return int(pl.scan_parquet(kept.path, glob=False).select(pl.len()).collect().item())


def _of(run: Sequence[Kept], asked: str) -> Kept:
    return next(kept for kept in run if _asked(kept) == asked)


def _mean(side: Sequence[Floats], metric: Metric) -> float:
    return sum(metric.value(counts.sum(axis=0)) for counts in side) / len(side)


def _means(found: Sequence[tuple[Compared, Paired]]) -> Iterator[Compared]:
    """A row for each benchmark and direction with several languages: each of them counts the same."""
    groups: dict[tuple[str, str], list[tuple[Compared, Paired]]] = {}
    for row, difference in found:
        groups.setdefault((row.benchmark, row.direction), []).append((row, difference))
    for (benchmark, direction), rows in groups.items():
        if len(rows) > 1:
            a, b = (sum(getattr(row, side) for row, _ in rows) / len(rows) for side in ("a", "b"))
            both = mean_of([difference for _, difference in rows]).difference()
            n = sum(row.n for row, _ in rows)
            yield Compared(benchmark, ALL, direction, rows[0][0].metric, a, b, both, n)


def compared_text(rows: Sequence[Compared]) -> str:
    """A line a comparison: values, the difference with its interval, and p."""
    heads = ["benchmark", "lang", "direction", "metric", "A", "B", "B - A", "95 % interval", "p", "items"]
    lines = [
        [r.benchmark, r.lang, r.direction, r.metric, f"{r.a:.2f}", f"{r.b:.2f}", f"{r.difference.value:+.2f}",
         "{:+.2f} .. {:+.2f}".format(*r.difference.interval), f"{r.difference.p:.3f}", f"{r.n:,}"]
        for r in rows
    ]  # fmt: skip
    return tabulate(lines, headers=heads, disable_numparse=True)


def compared_json(rows: Sequence[Compared]) -> str:
    """The same for a machine."""
    return json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False)
