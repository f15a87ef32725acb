"""The laws of all languages in one form: what each language lends the others, and what it borrows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from recipes.scaling.law import FORMS, Point, ScalingLaw
from recipes.scaling.outliers import series_of, usual_error, without_outliers
from recipes.scaling.partial_pooling import exponent_of_others, noise_of_others
from recipes.scaling.posterior import DRAWS, Posterior, Prior, Series, posterior


def fit_form(points: Mapping[str, Sequence[Point]], form: str, top: float, draws: int = DRAWS) -> dict[str, ScalingLaw]:
    """Laws of one form for all series, which lend one another noise and exponent; what it cannot fit is left out."""
    able = {lang: _usable(own, form) for lang, own in points.items()}
    able = {lang: own for lang, own in able.items() if len({p.size for p in own}) >= 2}
    series = [series_of(own, seed) for seed, own in enumerate(able.values())]
    known = all(p.std for own in able.values() for p in own)
    alone = [posterior(form, s, Prior(), top, 0) for s in series]
    for place, lang in enumerate(able):
        noise = _noise(alone, series, form, place, known)
        able[lang] = without_outliers(able[lang], form, noise, top)
        series[place] = series_of(able[lang], place)
    alone = [posterior(form, s, Prior(*_noise(alone, series, form, n, known)), top, 0) for n, s in enumerate(series)]
    return {
        lang: _law(lang, form, able[lang], series[place], _prior(alone, series, form, place, known), top, draws)
        for place, lang in enumerate(able)
    }


def _usable(points: Sequence[Point], form: str) -> tuple[Point, ...]:
    return tuple(p for p in points if p.size > 0 or form == "shifted")


def _noise(
    fits: Sequence[Posterior], series: Sequence[Series], form: str, place: int, known: bool
) -> tuple[float, float]:
    """What noise to expect of a series: the others', or its known errors where no series has residuals."""
    df = [len(s.size) - FORMS[form] for s in series]
    lent = noise_of_others([f.rss for f in fits], df, place)
    return (1000.0, 1.0) if known and not lent[0] and df[place] <= 0 else lent


def _prior(fits: Sequence[Posterior], series: Sequence[Series], form: str, place: int, known: bool) -> Prior:
    """What the other series say of this one's noise and exponent."""
    mean, variance = exponent_of_others([f.b for f in fits], [f.b_variance for f in fits], place)
    return Prior(*_noise(fits, series, form, place, known), mean, variance)


def _law(
    lang: str, form: str, points: Sequence[Point], series: Series, prior: Prior, top: float, draws: int
) -> ScalingLaw:
    """One language's law, given what the others lend it."""
    fitted = posterior(form, series, prior, top, draws)
    alone = posterior(form, series, replace(prior, variance=np.inf), top, 0)
    own = 1 / alone.b_variance
    ceiling, k, beta, start = fitted.best.tolist()
    return ScalingLaw(
        lang,
        ceiling,
        k,
        beta,
        start,
        form=form,
        noise=float(np.sqrt(fitted.noise)) * usual_error(points),
        borrowed=float((1 / prior.variance) / (1 / prior.variance + own)),
        points=tuple(points),
        draws=fitted.draws,
    )
