"""Fit one functional form to all languages together: each language's fit is partially pooled with the others'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recipes.scaling.law import FORMS, Point, ScalingLaw
from recipes.scaling.outliers import mark_outliers
from recipes.scaling.partial_pooling import pooled_exponent, pooled_noise
from recipes.scaling.posterior import NUM_SAMPLES, Posterior, Prior, Series
from recipes.scaling.series_fit import fit_series, noise_unit, to_series

KNOWN_NOISE = (1000.0, 1.0)  # the noise prior of series whose errors are known and that have no residuals


def fit_form(
    points: Mapping[str, Sequence[Point]], form: str, metric_max: float, num_samples: int = NUM_SAMPLES
) -> dict[str, ScalingLaw]:
    """Return the law of one form for each language that has at least two sizes.

    Args:
        points: The measured values by language.
        form: One of FORMS.
        metric_max: The metric's greatest value.
        num_samples: How many posterior samples each law has.
    """
    usable = {lang: tuple(p for p in own if p.size > 0 or form == "shifted") for lang, own in points.items()}
    usable = {lang: own for lang, own in usable.items() if len({p.size for p in own}) >= 2}
    series = [to_series(own, seed) for seed, own in enumerate(usable.values())]
    pool = _Pool(form, metric_max, series, all(p.std for own in usable.values() for p in own))
    fits = [fit_series(form, s, Prior(), metric_max, 0) for s in series]
    for index, lang in enumerate(usable):
        usable[lang] = mark_outliers(usable[lang], form, pool.noise(fits, index), metric_max)
        series[index] = to_series(usable[lang], index)
    fits = [fit_series(form, s, Prior(*pool.noise(fits, n)), metric_max, 0) for n, s in enumerate(series)]
    return {
        lang: _law(lang, usable[lang], pool, pool.prior(fits, index), index, num_samples)
        for index, lang in enumerate(usable)
    }


@dataclass(frozen=True)
class _Pool:
    """The series of all languages, which share what they say of noise and exponent."""

    form: str
    metric_max: float
    series: list[Series]
    errors_known: bool

    def noise(self, fits: Sequence[Posterior], index: int) -> tuple[float, float]:
        """Return degrees of freedom and variance of the noise that is expected of a series."""
        df = [len(s.size) - FORMS[self.form] for s in self.series]
        pooled = pooled_noise([f.rss for f in fits], df, index)
        return KNOWN_NOISE if self.errors_known and not pooled[0] and df[index] <= 0 else pooled

    def prior(self, fits: Sequence[Posterior], index: int) -> Prior:
        """Return what the other series say of the noise and the exponent of a series."""
        mean, variance = pooled_exponent([f.exponent for f in fits], [f.exponent_variance for f in fits], index)
        return Prior(*self.noise(fits, index), mean, variance)


def _law(lang: str, points: tuple[Point, ...], pool: _Pool, prior: Prior, index: int, num_samples: int) -> ScalingLaw:
    """Return one language's law, given what the others say."""
    fit = fit_series(pool.form, pool.series[index], prior, pool.metric_max, num_samples)
    alone = fit_series(pool.form, pool.series[index], replace(prior, variance=np.inf), pool.metric_max, 0)
    from_others = 1 / prior.variance
    asymptote, scale, exponent, offset = fit.best.tolist()
    return ScalingLaw(
        lang,
        asymptote,
        scale,
        exponent,
        offset,
        functional_form=pool.form,
        noise=float(np.sqrt(fit.noise)) * noise_unit(points),
        shrinkage=float(from_others / (from_others + 1 / alone.exponent_variance)),
        points=points,
        samples=fit.samples,
    )
