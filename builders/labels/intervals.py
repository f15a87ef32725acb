"""Intervals for shares of a finite set of lines, of which some were drawn at random and labelled."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
NUM_DRAWS = 20_000  # of the posterior; its quantiles are exact to about 0.002
SEED = 20_230_825


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Cell:
    """Lines of which some were labelled, drawn at random: how many there are, were labelled, and are wrong."""

    num_lines: int
    num_labelled: int
    num_wrong: int
    num_unsure: int = 0


def exact_interval(num_wrong: int, num_labelled: int, num_lines: int, level: float = LEVEL) -> Interval:
    """Return the share of wrong lines of a finite set, with the exact interval of Clopper and Pearson.

    The number of wrong lines among those labelled is hypergeometric; the interval holds every number of wrong lines for
    which what was seen, or less likely, has at least half of 1 - `level`. For many lines it is the interval of the
    binomial distribution (Clopper and Pearson 1934); if all lines are labelled, it is a point.
    """
    if num_labelled == 0:
        return Interval(math.nan, 0.0, 1.0)
    tail = (1 - level) / 2
    least, most = num_wrong, num_lines - (num_labelled - num_wrong)
    low = _first(least, most, lambda n: _tail(n, num_wrong, num_labelled, num_lines, upper=True) > tail)
    high = _last(least, most, lambda n: _tail(n, num_wrong, num_labelled, num_lines, upper=False) > tail)
    return Interval(num_wrong / num_labelled, low / num_lines, high / num_lines)


def _tail(num_wrong_lines: int, seen: int, num_labelled: int, num_lines: int, upper: bool) -> float:
    """Return the probability of at least (or at most) `seen` wrong lines in a sample."""
    numbers = range(seen, min(num_labelled, num_wrong_lines) + 1) if upper else range(seen + 1)
    total = _log_choose(num_lines, num_labelled)
    return sum(
        math.exp(_log_choose(num_wrong_lines, n) + _log_choose(num_lines - num_wrong_lines, num_labelled - n) - total)
        for n in numbers
    )


def _log_choose(n: int, k: int) -> float:
    if k < 0 or k > n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the first number for which a condition holds that holds for all later ones too, or the last."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _last(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the last number for which a condition holds that holds for all earlier ones too, or the first."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def draw_wrong(cells: Sequence[Cell], seed: int = SEED) -> np.ndarray:
    """Return draws of the number of wrong lines of each cell: a row for each draw.

    The share has Jeffreys' prior; labelled lines are known, and the others are drawn by it.
    """
    rng = np.random.default_rng(seed)
    columns = []
    for cell in cells:
        num_right = cell.num_labelled - cell.num_wrong
        shares = rng.beta(cell.num_wrong + 0.5, num_right + 0.5, NUM_DRAWS)
        columns.append(cell.num_wrong + rng.binomial(cell.num_lines - cell.num_labelled, shares))
    return np.stack(columns, axis=1) if columns else np.zeros((NUM_DRAWS, 0), np.int64)


def interval_of(draws: np.ndarray, level: float = LEVEL) -> Interval:
    """Return the median of draws and the interval between their quantiles."""
    low, value, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2]).tolist()
    return Interval(value, low, high)


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> Interval:
    """Return the agreement of two annotators beyond chance, from their labels for the same lines.

    Cohen 1960; the standard error is that of Fleiss, Cohen and Everitt 1969, and the interval is normal. With no
    disagreement possible (one label only), kappa is not defined: NaN.
    """
    names = sorted({label for pair in pairs for label in pair})
    counts = np.zeros((len(names), len(names)))
    for first, second in pairs:
        counts[names.index(first), names.index(second)] += 1
    if len(pairs) == 0 or len(names) < 2:
        return Interval(math.nan, math.nan, math.nan)
    shares = counts / len(pairs)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float(np.trace(shares)), float(rows @ columns)
    kappa = (observed - expected) / (1 - expected)
    diagonal = np.diag(shares) * (1 - (rows + columns) * (1 - kappa)) ** 2
    others = shares * (columns[:, None] + rows[None, :]) ** 2
    np.fill_diagonal(others, 0)
    variance = diagonal.sum() + (1 - kappa) ** 2 * others.sum() - (kappa - expected * (1 - kappa)) ** 2
    error = 1.959964 * math.sqrt(max(float(variance), 0.0) / len(pairs)) / (1 - expected)
    return Interval(kappa, max(kappa - error, -1.0), min(kappa + error, 1.0))
