"""Choose each language's functional form: the one that predicts its largest sizes best when they are left out."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from recipes.scaling.functional_forms import fit_form
from recipes.scaling.law import FORMS, Point

HOLDOUT_SIZES = (1, 2)  # how many of the largest sizes are left out
MIN_IMPROVEMENT = 0.2  # by which share of its error a form must be better than a simpler one
Errors = Mapping[str, Mapping[int, float]]  # language -> number of sizes left out -> mean absolute error


def has_noise_estimate(series: Iterable[Sequence[Point]]) -> bool:
    """Return whether the noise can be estimated: a language has a third point, or every error is known."""
    series = list(series)
    return any(len(positive(own)) > 2 for own in series) or all(p.std for own in series for p in own)


def positive(points: Sequence[Point]) -> list[Point]:
    """Return the points of sizes above 0."""
    return [p for p in points if p.size > 0]


def why_not_fitted(points: Sequence[Point], metric_max: float) -> str:
    """Return why a language has no law, as a sentence; empty if it may have one."""
    own = positive(points)
    sizes = sorted({p.size for p in own})
    if len(sizes) < 2:
        return f"{len(sizes) or 'no'} size above 0 shows no trend: evaluate a model of another, several times larger."
    if sizes[-1] < 2 * sizes[0]:
        return f"sizes from {sizes[0]:,} to {sizes[-1]:,} are too close to show a trend: evaluate one twice as large."
    if max(p.value for p in points) >= metric_max:
        return f"a value of {metric_max:g}, the metric's greatest, leaves no gap to close."
    if np.polyfit(np.log([p.size for p in own]), [p.value for p in own], 1)[0] <= 1e-9:
        return "its values do not rise with the number of pairs, so no such law holds: look at the runs."
    return ""


def choose_form(lang: str, errors: Mapping[str, Errors]) -> str:
    """Return the form with the least error on the largest sizes, by this language and by the mean of all equally.

    A form with more parameters must be better by MIN_IMPROVEMENT. A language has at most two such errors, which are
    noisy; those of all languages say which form the values tend to have.
    """
    best = "power"
    for form in list(FORMS)[1:]:
        gains = {other: _gain(errors[best][other], errors[form][other]) for other in errors[form]}
        known = [gain for gain in gains.values() if gain is not None]
        own = gains[lang]
        mean = float(np.mean(known)) if known else 0.0
        if (own is not None or form == "saturating") and mean + (own or 0.0) > 0:
            best = form
    return best


def _gain(simple: Mapping[int, float], richer: Mapping[int, float]) -> float | None:
    """Return by how much the richer form's error beats the simpler one's less MIN_IMPROVEMENT; None if unknown."""
    both = simple.keys() & richer.keys()
    return float(np.mean([(1 - MIN_IMPROVEMENT) * simple[h] - richer[h] for h in both])) if both else None


def holdout_errors(points: Mapping[str, Sequence[Point]], form: str, metric_max: float) -> Errors:
    """Return the mean absolute error of a form on the 1 and the 2 largest sizes of each language.

    A language that cannot be fitted without them has none: the power form needs 2 sizes, another form one more than
    it has parameters, and all forms an estimate of the noise.
    """
    errors: dict[str, dict[int, float]] = {lang: {} for lang in points}
    for number in HOLDOUT_SIZES:
        shorter = {lang: _without_largest(own, number, form, metric_max) for lang, own in points.items()}
        kept = {lang: own for lang, own in shorter.items() if own}
        for lang, law in fit_form(kept, form, metric_max, 0).items() if has_noise_estimate(kept.values()) else ():
            held = [p for p in points[lang] if p not in kept[lang]]
            missed = law.predict(np.array([p.size for p in held], float)) - [p.value for p in held]
            errors[lang][number] = float(np.abs(missed).mean())
    return errors


def _without_largest(points: Sequence[Point], number: int, form: str, metric_max: float) -> tuple[Point, ...]:
    """Return the points without those of the largest sizes; none if the form cannot be fitted to them."""
    limit = sorted({p.size for p in points})[-number:][0]
    smaller = tuple(p for p in points if p.size < limit)
    needed = 2 if form == "power" else FORMS[form] + 1
    is_enough = len({p.size for p in positive(smaller)}) >= needed
    return smaller if is_enough and not why_not_fitted(smaller, metric_max) else ()
