"""The noise floor: the smallest difference between mixtures that repeated runs can show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from recipes.scaling import Floats
from recipes.transfer.runs import Runs

CONFIDENCE = 0.95
NUM_SEEDS = (1, 3, 5)


@dataclass(frozen=True)
class NoiseFloor:
    """How much values of equal runs differ.

    Args:
        langs: The languages.
        noise: The standard deviation of a run's value by language, shape (languages,).
        mean_noise: That of the mean over the languages.
        df: The degrees of freedom: repeated runs less the number of mixtures that they repeat.
        source: `repeated runs`, or `the fit` where no run was repeated.
    """

    langs: tuple[str, ...]
    noise: Floats
    mean_noise: float
    df: int
    source: str

    def smallest(self, num_seeds: int) -> tuple[Floats, float]:
        """Return the smallest differences that so many seeds of each of two mixtures show, by language and of the mean.

        A difference d of two means of n values is shown if d > t sqrt(2 / n) s, with t the 97.5 % point.
        """
        factor = float(student.ppf((1 + CONFIDENCE) / 2, max(self.df, 1))) * np.sqrt(2 / num_seeds)
        return factor * self.noise, float(factor * self.mean_noise)


def noise_floor(runs: Runs, fit_noise: Sequence[float] | None = None) -> NoiseFloor | None:
    """Return the noise floor from repeated runs, else from the noise of a fit; None if neither is known."""
    deviations = []
    df = 0
    for group in runs.repeated():
        values = runs.values[group]
        if np.isnan(values).any():
            continue
        deviations.append(values - values.mean(axis=0))
        df += len(group) - 1
    if df:
        rows = np.concatenate(deviations)
        noise = np.sqrt((rows**2).sum(axis=0) / df)
        mean_noise = float(np.sqrt((rows.mean(axis=1) ** 2).sum() / df))
        return NoiseFloor(runs.langs, noise, mean_noise, df, "repeated runs")
    if fit_noise is None:
        return None
    noise = np.asarray(fit_noise, float)
    mean_noise = float(np.sqrt((noise**2).sum()) / len(noise))
    return NoiseFloor(runs.langs, noise, mean_noise, len(runs.names), "the fit, as no run was repeated")
