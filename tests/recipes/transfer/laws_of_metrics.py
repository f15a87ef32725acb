"""Laws with transfer of two metrics, from runs with known values."""

import numpy as np

from recipes.scaling import Floats
from recipes.transfer import Runs, TransferLaws, design_mixtures, fit_transfer

LANGS = ("el", "hi", "tr")
AVAILABLE = {"el": 4000, "hi": 4000, "tr": 4000}


def laws_of(metric: str, slopes: Floats, seed: int = 0) -> TransferLaws:
    """Return laws of a metric, whose languages gain by their slopes."""
    rng = np.random.default_rng(seed)
    pairs = np.array([list(m.values()) for m in design_mixtures(AVAILABLE, [1000, 2000], 8)], float)
    values = 20 + slopes * np.log(pairs + 0.2 * pairs.sum(axis=1, keepdims=True)) + rng.normal(0, 0.1, pairs.shape)
    names = tuple(map(str, range(len(pairs))))
    return fit_transfer(Runs(names, LANGS, LANGS, pairs, values, (0,) * len(pairs)), metric, form="shared")
