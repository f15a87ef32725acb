"""Fit laws with transfer to runs on mixtures, in the form that predicts runs left out best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpora.errors import InputError
from recipes.scaling import LEVEL, Floats
from recipes.transfer.law import FORMS, MIN_EFFECTIVE_SAMPLES, TransferLaw, TransferLaws
from recipes.transfer.posterior import NUM_SAMPLES, Posterior, Series, find_best, fitted, refit, sample, to_parameters
from recipes.transfer.runs import Runs, check_varied

MIN_IMPROVEMENT = 0.1  # by which share of its error a form must be better than a simpler one
MAX_WIDENING = 3.0
MIN_MIXTURES = 3
NORMAL_90 = 1.644854


def fit_transfer(
    runs: Runs,
    metric: str = "",
    metric_range: tuple[float, float] = (0.0, 100.0),
    form: str | None = None,
    num_samples: int = NUM_SAMPLES,
) -> TransferLaws:
    """Return a law for each language.

    Args:
        runs: The runs.
        metric: The metric's name.
        metric_range: The least and the greatest value of the metric.
        form: One of FORMS; by default the one with the least error on runs left out.
        num_samples: How many posterior samples each law has.

    Raises:
        InputError: The runs show no law, or the samples are too few for intervals.
    """
    check_varied(runs)
    problem = _Problem(runs, metric_range)
    errors: dict[str, float] = {}
    holdouts: dict[str, list[_Holdout]] = {}
    for name in [form] if form else FORMS:
        holdouts[name] = [problem.leave_out(lang, name) for lang in problem.langs]
        errors[name] = _rmse(holdouts[name]) * problem.point
    chosen = form or choose_form(errors)
    posteriors = {lang: sample(problem.series(lang, chosen), num_samples) for lang in problem.langs}
    _check_samples(posteriors)
    widening = widening_factor(posteriors, problem, chosen, holdouts[chosen])
    laws = {lang: problem.law(lang, chosen, posteriors[lang], widening) for lang in problem.langs}
    return TransferLaws(
        metric,
        metric_range,
        runs.donors,
        laws,
        chosen,
        problem.fixed(),
        errors,
        widening,
        (runs.pairs, runs.values),
        problem.not_fitted,
    )


def choose_form(errors: Mapping[str, float]) -> str:
    """Return the simplest form that no richer one beats by MIN_IMPROVEMENT of its error on runs left out.

    At equal errors a form with transfer is preferred, since it contains the one without.
    """
    best = "shared" if errors["shared"] <= errors["separable"] else "separable"
    return "donors" if errors["donors"] < (1 + MIN_IMPROVEMENT) * errors[best] else best


@dataclass(frozen=True)
class _Holdout:
    """For each mixed run of a language: the error when it was left out, in points, and the run's index."""

    errors: Floats
    index: tuple[int, ...]


class _Problem:
    """Runs in units and points, as the fit of each language takes them."""

    def __init__(self, runs: Runs, metric_range: tuple[float, float]) -> None:
        self.runs = runs
        self.low = metric_range[0]
        self.point = (metric_range[1] - metric_range[0]) / 100
        self.unit = float(runs.sizes.max()) / 3
        self.not_fitted = {lang: why for lang in runs.langs if (why := self._why_not_fitted(lang))}
        self.langs = [lang for lang in runs.langs if lang not in self.not_fitted]
        if not self.langs:
            reasons = " ".join(f"{lang}: {why}" for lang, why in self.not_fitted.items())
            raise InputError(f"No law can be fitted. {reasons}")

    def _used(self, lang: str) -> NDArray[np.bool_]:
        """Return which runs hold a language and were evaluated in it."""
        column = self.runs.values[:, self.runs.langs.index(lang)]
        return np.asarray(self._own_pairs(lang) > 0) & ~np.isnan(column)

    def _own_pairs(self, lang: str) -> Floats:
        if lang not in self.runs.donors:
            return np.zeros(len(self.runs.names))
        return self.runs.pairs[:, self.runs.donors.index(lang)]

    def _why_not_fitted(self, lang: str) -> str:
        used = self._used(lang)
        sizes = self._own_pairs(lang)[used]
        if not len(sizes):
            return "no run that was evaluated in it holds it: train on a mixture with the language."
        if len(np.unique(self.runs.pairs[used], axis=0)) < MIN_MIXTURES:
            return (
                f"{len(np.unique(self.runs.pairs[used], axis=0))} mixtures are too few: {MIN_MIXTURES} are the least."
            )
        if sizes.max() < 1.2 * sizes.min():
            return f"its pairs differ too little, from {sizes.min():,.0f} to {sizes.max():,.0f}: vary the mixture."
        return ""

    def series(self, lang: str, form: str) -> Series:
        """Return a language's runs for a form."""
        used = self._used(lang)
        values = self.runs.values[used, self.runs.langs.index(lang)]
        number = self.runs.langs.index(lang)
        points = (values - self.low) / self.point
        return Series(self.runs.pairs[used] / self.unit, points, self.runs.donors.index(lang), form, 100 * number)

    def leave_out(self, lang: str, form: str) -> _Holdout:
        """Return the errors of a form on each mixed run when it is left out; on every run if none is mixed."""
        series = self.series(lang, form)
        start, _, noise = find_best(series)
        mixed = self.runs.is_mixed[self._used(lang)]
        rows = np.flatnonzero(mixed if mixed.any() else np.ones_like(mixed))
        errors = []
        for row in rows:
            best = refit(series.without(int(row)), start, noise)
            errors.append(float(fitted(best[None], series)[0, row] - series.values[row]))
        return _Holdout(np.array(errors), tuple(rows.tolist()))

    def law(self, lang: str, form: str, posterior: Posterior, widening: float) -> TransferLaw:
        """Return a law in the metric's units, its samples widened."""
        series = self.series(lang, form)
        center = posterior.samples.mean(axis=0)
        samples = center + widening * (posterior.samples - center)
        return TransferLaw(
            lang,
            series.own,
            self.unit,
            self._in_metric(to_parameters(posterior.best[None], series))[0],
            self._in_metric(to_parameters(samples, series)),
            posterior.noise * self.point,
            posterior.effective_samples,
            len(series.values),
        )

    def _in_metric(self, parameters: Floats) -> Floats:
        scaled = parameters.copy()
        scaled[:, 0] = self.low + scaled[:, 0] * self.point
        scaled[:, 1] *= self.point
        return scaled

    def fixed(self) -> dict[str, float]:
        """Return the examples of donors that are no languages in the largest run."""
        largest = self.runs.pairs[int(np.argmax(self.runs.sizes))]
        return dict(zip(self.runs.donors[self.runs.num_langs :], largest[self.runs.num_langs :].tolist(), strict=True))


def _rmse(holdouts: Sequence[_Holdout]) -> float:
    return float(np.sqrt(np.mean(np.concatenate([h.errors for h in holdouts]) ** 2)))


def _check_samples(posteriors: Mapping[str, Posterior]) -> None:
    for lang, posterior in posteriors.items():
        if posterior.effective_samples < MIN_EFFECTIVE_SAMPLES:
            raise InputError(
                f"The runs determine the law of {lang} too little: its {len(posterior.samples)} samples are worth "
                f"{posterior.effective_samples:.0f}, and {MIN_EFFECTIVE_SAMPLES} are the least for intervals. Train "
                "more mixtures with other shares of the language (`trainer sweep --mixtures`), and repeat one."
            )


def widening_factor(
    posteriors: Mapping[str, Posterior], problem: _Problem, form: str, holdouts: Sequence[_Holdout]
) -> float:
    """Return by how much the samples must be widened so that 90 % intervals hold 90 % of the runs left out.

    The variance of a prediction without a run follows from that with it, as in a linear model: v s / (s - v) for
    the variance v of the law at the run and s of a run's value.
    """
    ratios = []
    for (lang, posterior), holdout in zip(posteriors.items(), holdouts, strict=True):
        series = problem.series(lang, form)
        law = fitted(posterior.samples, series)[:, list(holdout.index)].var(axis=0)
        noise = posterior.noise**2
        spread = np.sqrt(noise**2 / np.maximum(noise - np.minimum(law, 0.9 * noise), 1e-12))
        ratios.append(np.abs(holdout.errors) / spread)
    reached = float(np.quantile(np.concatenate(ratios), LEVEL)) / NORMAL_90
    return float(np.clip(reached, 1.0, MAX_WIDENING))


def without_largest(runs: Runs) -> tuple[Runs, Floats]:
    """Return the runs without the mixtures of the largest budget, and which these are."""
    is_largest = np.asarray((runs.sizes > 0.9 * runs.sizes.max()) & runs.is_mixed)
    return runs.select(~is_largest), is_largest
