"""Known laws, those that Table 4 of arXiv 2308.04948 implies, and noisy values drawn from them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from recipes.scaling import Point, ScalingLaw

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
# A and alpha: those of Arabic are printed in the paper, the others follow from the two rows of Table 4 (equal gains);
# Hindi's exponent is not determined by them, since it has all its pairs in the second.
TABLE4 = {
    "ar": (60.5567, 0.110000),
    "el": (71.1641, 0.140436),
    "hi": (128.9166, 0.15),
    "tr": (112.9395, 0.171009),
    "vi": (60.1153, 0.121466),
    "zh": (57.3984, 0.110990),
}
AVAILABLE = np.array([1_097_200, 620_800, 234_233, 477_700, 1_073_800, 912_500], float)
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def truth(lang: str, size: float) -> float:
    """Return the value that Table 4's law has at a size."""
    scale, exponent = TABLE4[lang]
    return 100 - scale * size**-exponent


def draw_points(seed: int, sizes: Sequence[int] = SIZES, noise: float = 0.3) -> dict[str, list[Point]]:
    """Return noisy values of every language at some sizes."""
    rng = np.random.default_rng(seed)
    return {lang: [Point(x, truth(lang, x) + rng.normal(0, noise)) for x in sizes] for lang in LANGS}


@pytest.fixture(scope="session")
def table4() -> list[ScalingLaw]:
    """The laws of Table 4, without uncertainty."""
    return [ScalingLaw(lang, 100.0, *TABLE4[lang]) for lang in LANGS]


@pytest.fixture(scope="session")
def available() -> np.ndarray:
    """The pairs that the paper had of each language (Table 1)."""
    return AVAILABLE


@pytest.fixture(scope="session")
def measured() -> Callable[..., Mapping[str, Sequence[Point]]]:
    """`draw_points`: noisy scores of every language."""
    return draw_points


@pytest.fixture(scope="session")
def true_score() -> Callable[[str, float], float]:
    """`truth`: the score that Table 4's law gives a language."""
    return truth
