"""Laws and splits as plain values for people and machines: what commands print, manifests keep and pictures draw."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recipes.mixing.allocation import Problem
from recipes.mixing.mixture import Mixture
from recipes.mixing.regret import MORE, Frontier, certify, next_gains, outlooks
from recipes.scaling.law import ScalingLaw, summary

CURVE = 24  # points of a curve in a picture
BEYOND = 10.0  # how many times the largest measured size a curve goes on


def rounded(value: Any, digits: int = 6) -> Any:
    """Numbers to so many significant digits, in lists and objects too: the same on every machine."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {key: rounded(item, digits) for key, item in value.items()}
    return [rounded(item, digits) for item in value] if isinstance(value, list | tuple) else value


def laws_json(laws: Sequence[ScalingLaw], chosen: Mixture | None = None) -> list[dict[str, Any]]:
    """Each law's summary with points of its curve: [pairs, score, low, high], from its smallest size to BEYOND.

    Where a mixture was chosen, its pairs are on the curve too.
    """
    shown = dict(zip(chosen.langs, chosen.pairs.tolist(), strict=True)) if chosen else {}
    return [rounded(summary(law) | {"law": law_text(law), "curve": _curve(law, shown.get(law.lang))}) for law in laws]


def _curve(law: ScalingLaw, shown: int | None) -> list[list[float]]:
    sizes = [p.size for p in law.points if p.size] or [1_000, 100_000]
    ends = min(sizes), max(sizes) * BEYOND
    pairs = np.geomspace(min(ends[0], shown or ends[0]), max(ends[1], shown or 0), CURVE)
    low, high = law.interval(pairs)
    return np.column_stack([np.round(pairs), law.predict(pairs), low, high]).tolist()  # type: ignore[no-any-return]


def law_text(law: ScalingLaw) -> str:
    """A law as a formula, such as `100 - 60.6 X^-0.110`."""
    size = f"(X + {law.start:,.0f})" if law.start >= 0.5 else "X"
    return f"{law.ceiling:.4g} - {law.k:.4g} {size}^{law.beta:.3f}"


def outlook_json(laws: Sequence[ScalingLaw], given: Problem, chosen: Mixture) -> dict[str, Any]:
    """By language the predicted score and the gain of more pairs; by mixture the outlook; the regret to expect."""
    others, impossible = outlooks(laws, given, chosen)
    certificate = certify(laws, given, chosen)
    gains = next_gains(laws, given, chosen)
    table = {
        "predicted": [
            {
                "lang": law.lang,
                "score": _score(law, pairs),
                "interval": _ends(law, pairs),
                "beyond": _beyond(law, pairs),
            }
            | {f"next_{MORE // 1000}k": round(float(gain), 4)}
            for law, pairs, gain in zip(laws, _worth(given, chosen), gains, strict=True)
        ],
        "alternatives": [
            {
                "name": o.mixture.name,
                "pairs": dict(zip(o.mixture.langs, o.mixture.pairs.tolist(), strict=True)),
                "score": round(o.score, 4),
                "interval": _rounded_ends(o.interval),
                "behind": round(o.ahead, 4),
                "behind_interval": _rounded_ends(o.ahead_interval),
                "beaten": None if o.beaten is None else round(o.beaten, 3),
                "regret": None if o.regret is None else round(o.regret, 5),
            }
            for o in others
        ],
        "impossible": impossible,
        "regret": None,
    }
    if certificate:
        known = {"expected": certificate.expected, "formula": certificate.formula, "high": certificate.high}
        table["regret"] = {name: round(value, 5) for name, value in known.items()}
    return table


def _worth(given: Problem, chosen: Mixture) -> list[float]:
    """The new pairs that each language's pairs, some of them seen again, are worth."""
    from recipes.mixing.curves import PowerCurves

    n = len(given.langs)
    ones = np.ones(n)
    unique = np.where(given.cap > given.unique, given.unique, np.inf)
    curve = PowerCurves(ones, 0 * ones, ones, -ones, 0 * ones, unique)
    return (-1 / curve.score(chosen.pairs.astype(float))).tolist()  # type: ignore[no-any-return]


def _score(law: ScalingLaw, pairs: float) -> float:
    return round(float(law.predict(pairs)), 4)


def _ends(law: ScalingLaw, pairs: float) -> list[float] | None:
    if not len(law.draws):
        return None
    low, high = law.interval(pairs)
    return [round(float(low[0]), 4), round(float(high[0]), 4)]


def _beyond(law: ScalingLaw, pairs: float) -> bool:
    """Whether so many pairs are outside of what was measured."""
    sizes = [p.size for p in law.points]
    return bool(sizes) and not min(sizes) <= pairs <= max(sizes)


def _rounded_ends(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(end, 4) for end in interval]


def frontier_json(found: Frontier, given: Problem, metric: str) -> dict[str, Any]:
    """A frontier as its picture takes it."""
    return {
        "unit": given.unit,
        "metric": metric or "score",
        "budget": given.budget,
        "budgets": found.budgets.tolist(),
        "scores": {name: values.tolist() for name, values in found.scores.items()},
        "low": None if found.low is None else found.low.tolist(),
        "high": None if found.high is None else found.high.tolist(),
        "pairs": {lang: column.tolist() for lang, column in zip(given.langs, found.pairs.T, strict=True)},
    }
