"""Compare two groups of models by their laws: how many pairs of one are equivalent to the data of the other.

arXiv 2308.04948, Figure 7, compares continued pre-training on monolingual text with translation data in this way.
"""

from dataclasses import dataclass

import numpy as np

from recipes.scaling.law import LEVEL, Floats, Laws, ScalingLaw


@dataclass(frozen=True)
class Equivalence:
    """What the baseline reaches at its largest size in a language, and the size at which the others reach it.

    Args:
        lang: The language.
        baseline_size: The baseline's largest size, in pairs or documents.
        value: What the baseline's law predicts there.
        equivalent_size: The size at which the other models reach this value; None if they never do.
        interval: Its 90 % interval, None if unknown; an end of None is beyond any size.
        is_extrapolated: Whether `equivalent_size` is outside of the measured sizes.
    """

    lang: str
    baseline_size: int
    value: float
    equivalent_size: float | None
    interval: tuple[float | None, float | None] | None
    is_extrapolated: bool


def equivalences(laws: Laws, baseline: Laws) -> list[Equivalence]:
    """Return the equivalence of each language that has both laws, in the order of the baseline."""
    return [_equivalence(laws.laws[lang], law) for lang, law in baseline.laws.items() if lang in laws.laws]


def _equivalence(law: ScalingLaw, baseline: ScalingLaw) -> Equivalence:
    size = max(p.size for p in baseline.points)
    value = float(baseline.predict(size))
    equivalent = float(_size_for(law.parameters[None, :], np.array([value]))[0])
    interval = None
    if len(law.samples) and len(baseline.samples):
        # Samples of both laws follow one quasi-random sequence: the permutation makes them independent.
        values = np.random.default_rng(0).permutation(baseline.predict_samples(size)[:, 0])
        sizes = _size_for(law.samples[: len(values)], values[: len(law.samples)])
        low, high = np.quantile(sizes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
        interval = (_finite(low), _finite(high))
    return Equivalence(law.lang, size, value, _finite(equivalent), interval, law.is_extrapolated(equivalent))


def _size_for(parameters: Floats, values: Floats) -> Floats:
    """Return the size at which each law, a row of parameters, has a value; infinite from its asymptote on."""
    asymptote, scale, exponent, offset = parameters.T
    gap = np.maximum((asymptote - values) / scale, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(np.maximum(gap ** (-1 / exponent) - offset, 0.0))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
