"""How well laws predict sizes that they have not seen, on a published study of translation quality against data size.

    python tests/benchmarks/forecasts.py FOLDER [--column bleu_dev] [--unit 1000]

FOLDER holds tables, one a language pair, with the columns Layers, FeedForward,
ModelSize, data_bytes and a score; each model size is a series. The largest size is left out, then the two largest;
what is compared is the paper's form (a line in log space with the asymptote at 100), ours fitted series by series, ours
for all series of a table together, and the last value that was seen.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from tabulate import tabulate

from corpora.errors import InputError
from recipes.scaling import Point, ScalingLaw, fit_points

Series = dict[str, list[Point]]
KEY = ["Layers", "FeedForward", "ModelSize"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--column", default="bleu_dev")
    parser.add_argument("--unit", type=float, default=1000.0, help="Bytes that count as a pair.")
    asked = parser.parse_args()
    tables = sorted(asked.folder.glob("*.tsv"))
    if not tables:
        print(f"There are no tables in {asked.folder}: nothing was compared.")
    for path in tables:
        series = read(path, asked.column, asked.unit)
        for left_out in (1, 2):
            print(f"{path.stem}, {len(series)} series, largest {left_out} left out: mean absolute error in points")
            print(compared(series, left_out), end="\n\n")


def read(path: Path, column: str, unit: float) -> Series:
    """The points of each series of a table, by size."""
    table = pl.read_csv(path, separator="\t").sort("data_bytes")
    return {
        "-".join(str(part) for part in key): [
            Point(int(size / unit), float(value)) for size, value in own.select("data_bytes", column).iter_rows()
        ]
        for key, own in sorted(table.group_by(KEY))
    }


def compared(series: Series, left_out: int) -> str:
    """A row a series: errors of the paper's form, of ours, and of the last value; then their means and the ratio."""
    seen = {name: own[:-left_out] for name, own in series.items()}
    together = laws_of(seen)
    rows, errors = [], []
    for name, own in series.items():
        size = np.array([p.size for p in own[-left_out:]], float)
        true = np.array([p.value for p in own[-left_out:]])
        last = seen[name][-1].value
        both = [laws_of({name: seen[name]}).get(name), together.get(name)]
        guesses = (papers_form(seen[name], size), *(law.predict(size) if law else last for law in both), last)
        missed = [float(np.abs(np.asarray(guess) - true).mean()) for guess in guesses]
        errors.append(missed)
        forms = (law.functional_form if law else "none, last value" for law in both)
        rows.append((name, *(f"{value:.2f}" for value in missed), *forms))
    mean = np.mean(errors, axis=0)
    rows.append(("mean", *(f"{value:.2f}" for value in mean), "", ""))
    rows.append(("of the paper's", *(f"{value / mean[0]:.2f}" for value in mean), "", ""))
    heads = ["series", "paper's form", "ours", "ours, together", "last value", "form", "form, together"]
    return tabulate(rows, heads, disable_numparse=True)


def laws_of(series: Series) -> Mapping[str, ScalingLaw]:
    """The laws of the series that have one."""
    try:
        return fit_points(series).laws
    except InputError:
        return {}


def papers_form(points: list[Point], size: np.ndarray) -> np.ndarray:
    """S = 100 - alpha (gamma X)^beta by least squares in log space."""
    x, y = np.log([p.size for p in points]), np.log([100 - p.value for p in points])
    beta, level = np.polyfit(x, y, 1)
    return np.asarray(100 - np.exp(level + beta * np.log(size)))


if __name__ == "__main__":
    main()
