"""Fit a scaling law to the values of each language, in the form that predicts its largest sizes best."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from corpora.errors import InputError
from recipes.results import Result
from recipes.scaling.form_selection import choose_form, has_noise_estimate, holdout_errors, why_not_fitted
from recipes.scaling.functional_forms import fit_form
from recipes.scaling.law import FORMS, Laws, Point, ScalingLaw
from recipes.scaling.posterior import NUM_SAMPLES

NO_NOISE = "two points in every language give no estimate of the noise: add a size, a repeated run, or the errors."


def fit_results(results: Sequence[Result], gamma: Mapping[str, float] | None = None) -> Laws:
    """Return the laws of results of one metric.

    Args:
        results: Results of one metric, benchmark and direction.
        gamma: Similarities to English by language, where known.

    Raises:
        InputError: No language has a law.
    """
    points: dict[str, list[Point]] = {}
    for result in results:
        points.setdefault(result.lang, []).append(Point(result.size, result.value, result.std))
    laws = fit_points(points, results[0].metric_max, results[0].metric)
    known = gamma or {}
    return replace(laws, laws={lang: replace(law, gamma=known.get(lang)) for lang, law in laws.laws.items()})


def fit_points(
    points: Mapping[str, Sequence[Point]],
    metric_max: float = 100.0,
    metric: str = "",
    num_samples: int = NUM_SAMPLES,
) -> Laws:
    """Return a law for each language.

    Args:
        points: The measured values by language.
        metric_max: The metric's greatest value.
        metric: The metric's name.
        num_samples: How many posterior samples each law has.

    Raises:
        InputError: No language has a law; the message has the reason for each.
    """
    not_fitted = {lang: why for lang, own in points.items() if (why := why_not_fitted(own, metric_max))}
    usable = {
        lang: tuple(sorted(points[lang], key=lambda p: p.size)) for lang in sorted(points) if lang not in not_fitted
    }
    if not has_noise_estimate(usable.values()):
        not_fitted |= dict.fromkeys(usable, NO_NOISE)
        usable = {}
    if not usable:
        reasons = " ".join(f"{lang}: {why}" for lang, why in sorted(not_fitted.items()))
        raise InputError(f"No law can be fitted. {reasons}")
    return Laws(metric, metric_max, _fit_best_forms(usable, metric_max, num_samples), not_fitted)


def _fit_best_forms(
    points: Mapping[str, tuple[Point, ...]], metric_max: float, num_samples: int
) -> dict[str, ScalingLaw]:
    errors = {form: holdout_errors(points, form, metric_max) for form in FORMS}
    chosen = {lang: choose_form(lang, errors) for lang in points}
    laws = {form: fit_form(points, form, metric_max, num_samples) for form in dict.fromkeys(chosen.values())}
    return {
        lang: replace(
            laws[chosen[lang]][lang],
            holdout_error={form: float(np.mean([*own[lang].values()])) for form, own in errors.items() if own[lang]},
        )
        for lang in points
    }
