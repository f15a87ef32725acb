"""TransferLaw: a metric's value in a language as a function of the pairs of all languages in training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from corpora.errors import InputError
from recipes.scaling import LEVEL, Floats
from recipes.transfer.surfaces import Surfaces, box_cox, power_mean

FORMS = ("separable", "shared", "donors")  # no transfer; one weight for all donors; a weight for each
PARAMETERS = ("level", "slope", "curvature", "offset", "transfer", "substitution")  # then the weight of each donor
MIN_EFFECTIVE_SAMPLES = 100


@dataclass(frozen=True)
class TransferLaw:
    """S = a + s (z^k - 1) / k with z = x0 + ((1 - t) X^r + t N^r)^(1/r); see `recipes.transfer.surfaces`.

    Args:
        lang: The language.
        own: The index of the language among the donors.
        unit: The pairs that sizes are multiples of.
        parameters: a, s, k, x0 (in units), t, r, and the weight of each donor, shape (6 + donors,).
        samples: Posterior samples of the same, shape (samples, 6 + donors).
        noise: The standard deviation of a run's value.
        effective_samples: The effective sample size of the importance sampling that the samples are from.
        num_runs: How many runs it was fitted to.
    """

    lang: str
    own: int
    unit: float
    parameters: Floats
    samples: Floats = field(repr=False)
    noise: float
    effective_samples: float
    num_runs: int

    def predict(self, pairs: Floats) -> Floats:
        """Return the posterior means at mixtures, rows of `pairs`, shape (mixtures,)."""
        return np.asarray(self.predict_samples(pairs).mean(axis=0))

    def predict_samples(self, pairs: Floats) -> Floats:
        """Return the values at mixtures under each sample, shape (samples, mixtures)."""
        return evaluate(self.samples, pairs, self.own, self.unit)


def evaluate(parameters: Floats, pairs: Floats, own: int, unit: float) -> Floats:
    """Return the values at mixtures for rows of parameters, shape (rows, mixtures)."""
    level, slope, curvature, offset, transfer, substitution = parameters[:, :6, None].transpose(1, 0, 2)
    scaled = pairs / unit
    size = power_mean(scaled[:, own], parameters[:, 6:] @ scaled.T, transfer, substitution)
    return np.asarray(level + slope * box_cox(offset + size, curvature))


@dataclass(frozen=True)
class TransferLaws:
    """The laws of one metric in several languages, which share their donors.

    Args:
        metric: The metric.
        metric_range: The least and the greatest value of the metric.
        donors: What the laws depend on: languages, whose translations are counted, then other tasks such as
            `instruction/en`.
        laws: The laws by language.
        form: One of FORMS.
        fixed: The numbers of examples of the donors that are no languages, where a mixture is predicted.
        holdout_error: By form, the root mean square error of a language's value in a run that was left out.
        widening: The factor by which the samples were widened, so that 90 % intervals hold 90 % of the runs left out.
        runs: The pairs of each run by donor, shape (runs, donors), and its values, shape (runs, languages).
        not_fitted: For each language without a law, the reason in one sentence.
    """

    metric: str
    metric_range: tuple[float, float]
    donors: tuple[str, ...]
    laws: Mapping[str, TransferLaw]
    form: str
    fixed: Mapping[str, float] = field(default_factory=dict)
    holdout_error: Mapping[str, float] = field(default_factory=dict)
    widening: float = 1.0
    runs: tuple[Floats, Floats] = field(default=(np.empty((0, 0)), np.empty((0, 0))), repr=False)
    not_fitted: Mapping[str, str] = field(default_factory=dict)

    @property
    def langs(self) -> tuple[str, ...]:
        """The languages that have a law."""
        return tuple(self.laws)

    def predict(self, pairs: Floats) -> Floats:
        """Return the values at mixtures, rows of pairs by donor, shape (mixtures, languages)."""
        return np.stack([law.predict(pairs) for law in self.laws.values()], axis=-1)

    def predict_samples(self, pairs: Floats) -> Floats:
        """Return the values at mixtures under each sample, shape (samples, mixtures, languages)."""
        return np.stack([law.predict_samples(pairs) for law in self.laws.values()], axis=-1)

    def interval(self, pairs: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
        """Return the ends of the laws' central intervals at mixtures."""
        low, high = np.quantile(self.predict_samples(pairs), [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    def check(self, langs: Sequence[str]) -> None:
        """Raise InputError unless every language has a law and may be a part of the mixture."""
        if missing := [lang for lang in langs if lang not in self.laws]:
            reasons = "".join(f" {lang}: {self.not_fitted[lang]}" for lang in missing if lang in self.not_fitted)
            raise InputError(
                f"There is no law for {', '.join(missing)}.{reasons} Train and evaluate models on mixtures that hold "
                "the language, leave it out of --langs, or use a mixture that needs no laws, such as unimax."
            )

    def surfaces(self, langs: Sequence[str], num_unique: Floats | None = None, num_draws: int = 0) -> Surfaces:
        """Return the laws as surfaces over mixtures of some languages.

        Args:
            langs: The languages, which are targets and donors in this order; all other donors stay as they are.
            num_unique: How many different pairs each language has, where pairs are repeated.
            num_draws: How many posterior samples; 0 for the best parameters.
        """
        self.check(langs)
        laws = [self.laws[lang] for lang in langs]
        rows = np.stack([law.samples[:num_draws] if num_draws else law.parameters[None] for law in laws], axis=1)
        index = [self.donors.index(lang) for lang in langs]
        unit = np.array([law.unit for law in laws])
        limits = np.full(len(langs), np.inf) if num_unique is None else num_unique
        names = ("level", "slope", "curvature", "offset", "transfer", "substitution")
        columns = {name: rows[..., number] for number, name in enumerate(names)}
        return Surfaces(np.arange(len(langs)), unit, **columns, donors=rows[..., 6:][..., index], num_unique=limits)
