"""ScalingLaw: a metric's value as a function of the number of sentence pairs, with its uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from corpora.errors import InputError

Floats = NDArray[np.float64]
FORMS = {  # the functional forms, the simplest first, and how many parameters each has
    "power": 2,  # E is the metric's greatest value and D0 is 0: the form of arXiv 2308.04948
    "saturating": 3,  # E is free
    "shifted": 4,  # E and D0 are free
}
LEVEL = 0.9  # of every interval
PARAMETERS = ("asymptote", "scale", "exponent", "offset")


@dataclass(frozen=True)
class Point:
    """A measured value: number of pairs, value, its standard error if known, and whether the fit uses it."""

    size: int
    value: float
    std: float | None = None
    used: bool = True


@dataclass(frozen=True)
class ScalingLaw:
    """L(D) = E - A (D + D0)^-alpha for D sentence pairs of a language.

    arXiv 2308.04948, section 4.3, writes the form with E = 100 and D0 = 0 as S(X) = 100 - alpha (gamma X)^beta: its
    beta is -alpha here, and its alpha gamma^beta is A. Values of a metric determine A and the exponent only; where
    gamma is known, `paper_alpha` is too.

    Args:
        lang: The language.
        asymptote: E, the value that the law approaches.
        scale: A, in the metric's units.
        exponent: alpha, between 0 and 1.
        offset: D0, in pairs: what the model could do before the first pair.
        functional_form: One of FORMS.
        gamma: The language's similarity to English, if known.
        noise: The standard deviation of a run's value, in the metric's units.
        shrinkage: The share of what is known of the exponent that comes from other languages, from 0 to 1.
        holdout_error: By form, the mean absolute error on the largest sizes when they were left out of the fit.
        points: The measured values.
        samples: Posterior samples of (asymptote, scale, exponent, offset), shape (samples, 4); none if unknown.
    """

    lang: str
    asymptote: float
    scale: float
    exponent: float
    offset: float = 0.0
    functional_form: str = "power"
    gamma: float | None = None
    noise: float | None = None
    shrinkage: float = 0.0
    holdout_error: Mapping[str, float] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    samples: Floats = field(default_factory=lambda: np.empty((0, 4)), repr=False)

    @property
    def parameters(self) -> Floats:
        """(asymptote, scale, exponent, offset), shape (4,)."""
        return np.array([self.asymptote, self.scale, self.exponent, self.offset])

    @property
    def paper_alpha(self) -> float | None:
        """The alpha of arXiv 2308.04948, where gamma is known: A = alpha gamma^beta."""
        return self.scale * self.gamma**self.exponent if self.gamma else None

    def predict(self, pairs: Floats | float) -> Floats:
        """Return the value at some numbers of pairs, in the shape of `pairs`."""
        return _value(self.parameters, np.asarray(pairs, float))

    def predict_samples(self, pairs: Floats | float) -> Floats:
        """Return the value under each posterior sample, shape (samples, pairs)."""
        samples = self.samples if len(self.samples) else self.parameters[None, :]
        return _value(samples[:, :, None].transpose(1, 0, 2), np.atleast_1d(np.asarray(pairs, float)))

    def interval(self, pairs: Floats | float, level: float = LEVEL) -> tuple[Floats, Floats]:
        """Return the ends of the central interval of the law's value (not of a run's) at some numbers of pairs."""
        low, high = np.quantile(self.predict_samples(pairs), [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    def parameter_interval(self, name: str, level: float = LEVEL) -> tuple[float, float]:
        """Return the ends of the central interval of a parameter; its value twice if there are no samples."""
        if not len(self.samples):
            return (getattr(self, name),) * 2
        column = self.samples[:, PARAMETERS.index(name)]
        low, high = np.quantile(column, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def is_extrapolated(self, pairs: float) -> bool:
        """Return whether a number of pairs is outside of the measured sizes."""
        sizes = [point.size for point in self.points]
        return bool(sizes) and not min(sizes) <= pairs <= max(sizes)


def _value(parameters: Floats, pairs: Floats) -> Floats:
    asymptote, scale, exponent, offset = parameters
    with np.errstate(divide="ignore"):
        return np.asarray(asymptote - scale * (pairs + offset) ** -exponent)


@dataclass(frozen=True)
class Laws:
    """The laws of one metric by language, and why other languages have none.

    Args:
        metric: The metric.
        metric_max: Its greatest value.
        laws: The laws by language.
        not_fitted: For each language without a law, the reason in one sentence.
    """

    metric: str
    metric_max: float
    laws: Mapping[str, ScalingLaw]
    not_fitted: Mapping[str, str] = field(default_factory=dict)

    def check(self, langs: Sequence[str]) -> None:
        """Raise InputError unless every language has a law; the message says why."""
        if missing := [lang for lang in langs if lang not in self.laws]:
            reasons = "".join(f" {lang}: {self.not_fitted[lang]}" for lang in missing if lang in self.not_fitted)
            raise InputError(
                f"There is no law for {', '.join(missing)}.{reasons} Evaluate models of more sizes, leave the "
                "language out of --langs, or use a mixture that needs no laws, such as unimax."
            )

    def select(self, langs: Sequence[str]) -> list[ScalingLaw]:
        """Return the laws of some languages.

        Raises:
            InputError: A language has none; the message says why.
        """
        self.check(langs)
        return [self.laws[lang] for lang in langs]
