"""Bootstrap over items: the interval of a value, and the difference between two systems."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Value = Callable[[Floats], float]  # of the sum of the items' statistics
SAMPLES = 1_000
SEED = 20230809
LEVEL = 0.95


def resample_weights(num_items: int, samples: int = SAMPLES, seed: int = SEED) -> Floats:
    """Return how often each item is in each resample, of shape (samples, items)."""
    chances = np.full(num_items, 1 / num_items)
    return np.random.default_rng(seed).multinomial(num_items, chances, size=samples).astype(np.float64)


def interval(statistics: Floats, value: Value, samples: int = SAMPLES) -> tuple[float, float] | None:
    """Return the 95 % percentile interval of a value over resampled items, None where all items are alike.

    `statistics` has shape (items, numbers); the value of a sample is that of their sum. Items that are all alike
    (all wrong, for example) tell nothing about what others would show, so they have no interval.
    """
    if len(statistics) < 2 or not np.ptp(statistics, axis=0).any():
        return None
    sums = resample_weights(len(statistics), samples) @ statistics
    values = np.array([value(row) for row in sums])
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    middle = value(statistics.sum(axis=0))
    return min(float(low), middle), max(float(high), middle)


@dataclass(frozen=True)
class Difference:
    """How much better B is than A: the mean difference, its 95 % interval, and the p-value."""

    value: float
    interval: tuple[float, float]
    p: float


@dataclass(frozen=True)
class Paired:
    """The mean value of B minus that of A, as observed, and on each resample."""

    observed: float
    resampled: Floats

    def difference(self) -> Difference:
        """Return the observed difference with interval and p-value.

        `p` is two-sided: the share of resamples, moved so that they show no difference on average, that are as far
        off as the observed one (Koehn 2004, as sacreBLEU has it).
        """
        low, high = np.quantile(self.resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        far = np.abs(self.resampled - self.resampled.mean()) >= abs(self.observed) - 1e-12
        return Difference(self.observed, (float(low), float(high)), float((far.sum() + 1) / (len(far) + 1)))


def paired(a: Sequence[Floats], b: Sequence[Floats], value: Value, samples: int = SAMPLES) -> Paired:
    """Return the difference of two systems, each of one or several runs, on the same items in the same order.

    Items are resampled once for all runs, and the runs of each side by themselves: of several seeds, the interval
    includes what another seed would change. The same numbers of items and runs give the same resamples, so
    languages of one multi-way benchmark can be averaged resample by resample.
    """
    random = np.random.default_rng(SEED)
    weights = resample_weights(len(a[0]), samples)
    sides = [_resampled(runs, value, weights, random) for runs in (a, b)]
    return Paired(_mean(b, value) - _mean(a, value), sides[1] - sides[0])


def mean_of(differences: Sequence[Paired]) -> Paired:
    """Return the mean of differences over languages."""
    observed = float(np.mean([one.observed for one in differences]))
    return Paired(observed, np.mean([one.resampled for one in differences], axis=0))


def _mean(runs: Sequence[Floats], value: Value) -> float:
    return float(np.mean([value(run.sum(axis=0)) for run in runs]))


def _resampled(runs: Sequence[Floats], value: Value, weights: Floats, random: np.random.Generator) -> Floats:
    """Return the mean value of resampled runs on each resample of the items."""
    values = np.array([[value(row) for row in weights @ run] for run in runs])
    chosen = random.integers(len(runs), size=(len(runs), len(weights)))
    return np.asarray(np.take_along_axis(values, chosen, axis=0).mean(axis=0))
