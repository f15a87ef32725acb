"""From scores to laws: points chosen, forms compared by what they predict, exponents and noise partly shared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from corpora.errors import InputError
from recipes.results import Result
from recipes.scaling.functional_forms import fit_form
from recipes.scaling.law import FORMS, Laws, Point, ScalingLaw
from recipes.scaling.posterior import DRAWS

HELD_OUT = (1, 2)  # how many of the largest sizes are left out when forms are compared
NO_NOISE = "two points in every language leave nothing to judge the noise by: add a size, a repeated run or its error."
CLEARLY = 0.2  # by what share of its error a form must be better than a simpler one
GAMMA = "gamma"


def choose_scores(
    scores: Iterable[Result], metric: str | None = None, benchmark: str | None = None, direction: str | None = None,
    model: str | None = None, langs: Sequence[str] = (),
) -> list[Result]:  # fmt: skip
    """The scores of one metric, benchmark and direction; InputError if more than one is left, or none.

    `model` may be a pattern such as `tiny-*`; without it the runs of all models are taken together.
    """
    wanted = {"metric": metric, "benchmark": benchmark, "direction": direction}
    left = [s for s in scores if s.metric != GAMMA and (not langs or s.lang in langs)]
    left = [s for s in left if model is None or fnmatchcase(s.model, model)]
    for name, value in wanted.items():
        known = sorted({getattr(s, name) for s in left})
        if value is None and len(known) > 1:
            raise InputError(f"The scores are of {len(known)} {name}s ({', '.join(known)}): choose one by --{name}.")
        left = [s for s in left if value is None or getattr(s, name) == value]
        if not left:
            asked = f"{name} '{value}'" if value is not None else "this choice"
            raise InputError(f"No score is left of {asked}. There are: {', '.join(known) or 'none'}.")
    if len(ranges := sorted({(s.metric_min, s.metric_max) for s in left})) > 1:
        told = " and ".join(f"{low:g} to {high:g}" for low, high in ranges)
        raise InputError(f"The rows of {left[0].metric} disagree on the metric's range: {told}. Correct the file.")
    if len(signatures := sorted({s.signature for s in left})) > 1:
        raise InputError(
            f"These scores were computed in {len(signatures)} ways that cannot be compared: {'; '.join(signatures)}. "
            "Evaluate again with one signature, or keep the others in a file of their own."
        )
    return left


def gammas(scores: Iterable[Result]) -> dict[str, float]:
    """The similarity to English of each language that has rows of the metric `gamma`: their mean."""
    found: dict[str, list[float]] = {}
    for score in scores:
        if score.metric == GAMMA:
            found.setdefault(score.lang, []).append(score.value)
    return {lang: float(np.mean(values)) for lang, values in found.items()}


def fit_scores(scores: Sequence[Result], gamma: Mapping[str, float] | None = None) -> Laws:
    """The laws of scores of one metric; InputError if no language has one."""
    points: dict[str, list[Point]] = {}
    for score in scores:
        points.setdefault(score.lang, []).append(Point(score.size, score.value, score.std))
    laws = fit(points, scores[0].metric_max, scores[0].metric)
    known = gamma or {}
    return replace(laws, laws={lang: replace(law, gamma=known.get(lang)) for lang, law in laws.laws.items()})


def fit(points: Mapping[str, Sequence[Point]], top: float = 100.0, metric: str = "", draws: int = DRAWS) -> Laws:
    """A law for each series of points, in the form that predicts its largest sizes best when they are left out.

    Raises InputError if not one series has a law; those that have none are in `refused`, with the reason.
    """
    refused = {lang: why for lang, own in points.items() if (why := _refusal(own, top))}
    able = {lang: tuple(sorted(points[lang], key=lambda p: p.size)) for lang in sorted(points) if lang not in refused}
    if not _shows_noise(able.values()):
        refused |= dict.fromkeys(able, NO_NOISE)
        able = {}
    if not able:
        raise InputError("No law can be fitted. " + " ".join(f"{lang}: {why}" for lang, why in sorted(refused.items())))
    errors = {form: held_out_errors(able, form, top) for form in FORMS}
    chosen = {lang: _best_form(lang, errors) for lang in able}
    laws: dict[str, ScalingLaw] = {}
    for form in dict.fromkeys(chosen.values()):
        fitted = fit_form(able, form, top, draws)
        laws |= {lang: fitted[lang] for lang in able if chosen[lang] == form}
    told = {lang: {form: float(np.mean([*e[lang].values()])) for form, e in errors.items() if e[lang]} for lang in able}
    return Laws(metric, top, {lang: replace(laws[lang], held_out=told[lang]) for lang in able}, refused)


def _shows_noise(series: Iterable[Sequence[Point]]) -> bool:
    """Whether there is anything to judge the noise by: a third point somewhere, or every point's own error."""
    return any(len(_positive(own)) > 2 for own in series) or all(p.std for own in series for p in own)


def _positive(points: Sequence[Point]) -> list[Point]:
    return [p for p in points if p.size > 0]


def _refusal(points: Sequence[Point], top: float) -> str:
    """Why a series has no law, as a sentence; empty if it may have one."""
    own = _positive(points)
    sizes = sorted({p.size for p in own})
    if len(sizes) < 2:
        return f"{len(sizes) or 'no'} size above 0 shows no trend: run another, several times larger."
    if sizes[-1] < 2 * sizes[0]:
        return f"sizes from {sizes[0]:,} to {sizes[-1]:,} are too close to show a trend: run one twice as large."
    if max(p.value for p in points) >= top:
        return f"a score of {top:g}, the metric's top, leaves no gap to close."
    if np.polyfit(np.log([p.size for p in own]), [p.value for p in own], 1)[0] <= 1e-9:
        return "its scores do not rise with the number of pairs, so no such law holds: look at the runs."
    return ""


def _best_form(lang: str, errors: Mapping[str, Mapping[str, Mapping[int, float]]]) -> str:
    """The form that predicts held-out sizes best, by this series and by the mean of all, in equal parts.

    A form with more parameters must be CLEARLY better than the simpler one.
    A series has two such errors at most, which are noisy; those of all others say which form the scores tend to have.
    """
    best = "power"
    for form in list(FORMS)[1:]:
        gains = {other: _gain(errors[best][other], errors[form][other]) for other in errors[form]}
        known = [gain for gain in gains.values() if gain is not None]
        own = gains[lang]
        mean = float(np.mean(known)) if known else 0.0
        if (own is not None or form == "ceiling") and mean + (own or 0.0) > 0:
            best = form
    return best


def _gain(simple: Mapping[int, float], richer: Mapping[int, float]) -> float | None:
    """How much the richer form's mean error is below CLEARLY less than the simpler's; None if they share nothing."""
    both = simple.keys() & richer.keys()
    return float(np.mean([(1 - CLEARLY) * simple[h] - richer[h] for h in both])) if both else None


def held_out_errors(points: Mapping[str, Sequence[Point]], form: str, top: float) -> dict[str, dict[int, float]]:
    """For each series, the mean absolute error over its 1 and its 2 largest sizes, where it can be fitted without them.

    The power form needs 2 sizes to fit, and any other one more than it has parameters; all need 3 points.
    """
    found: dict[str, dict[int, float]] = {lang: {} for lang in points}
    for number in HELD_OUT:
        kept = {lang: smaller for lang, own in points.items() if (smaller := _without_largest(own, number, form, top))}
        for lang, law in fit_form(kept, form, top, 0).items() if _shows_noise(kept.values()) else ():
            ahead = [p for p in points[lang] if p not in kept[lang]]
            missed = law.predict(np.array([p.size for p in ahead], float)) - [p.value for p in ahead]
            found[lang][number] = float(np.abs(missed).mean())
    return found


def _without_largest(points: Sequence[Point], number: int, form: str, top: float) -> tuple[Point, ...]:
    """The points of all sizes but so many of the largest; none if the form cannot be fitted to them."""
    limit = sorted({p.size for p in points})[-number:][0]
    smaller = tuple(p for p in points if p.size < limit)
    needed = 2 if form == "power" else FORMS[form] + 1
    enough = len({p.size for p in _positive(smaller)}) >= needed
    return smaller if enough and not _refusal(smaller, top) else ()
