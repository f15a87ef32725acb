"""Laws, mixtures and frontiers as JSON values: what commands print, manifests hold and pictures show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from recipes.mixing.allocation import AllocationProblem
from recipes.mixing.comparison import Frontier, MixtureComparison, compare_mixtures, next_gains
from recipes.mixing.mixture import Mixture, law_curves
from recipes.mixing.regret import estimate_regret
from recipes.scaling import ScalingLaw, summary

CURVE_POINTS = 24  # of a law in a picture
EXTRAPOLATION = 10.0  # how many times the largest measured size a law's curve reaches
DIGITS = 6  # significant digits, the same on every machine


def round_numbers(value: Any, digits: int = DIGITS) -> Any:
    """Return a value with its numbers rounded to significant digits, in lists and mappings too."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {key: round_numbers(item, digits) for key, item in value.items()}
    return [round_numbers(item, digits) for item in value] if isinstance(value, list | tuple) else value


def laws_json(laws: Sequence[ScalingLaw], mixture: Mixture | None = None) -> list[dict[str, Any]]:
    """Return each law's summary, with its formula and points of its curve as [pairs, value, low, high].

    The curve reaches from the smallest measured size to EXTRAPOLATION times the largest, and to the mixture's pairs.
    """
    pairs = dict(zip(mixture.langs, mixture.pairs.tolist(), strict=True)) if mixture else {}
    return [
        round_numbers(summary(law) | {"law": law_text(law), "curve": _curve(law, pairs.get(law.lang))}) for law in laws
    ]


def _curve(law: ScalingLaw, marked: int | None) -> list[list[float]]:
    sizes = [p.size for p in law.points if p.size] or [1_000, 100_000]
    low, high = min(sizes), max(sizes) * EXTRAPOLATION
    pairs = np.geomspace(min(low, marked or low), max(high, marked or 0), CURVE_POINTS)
    rows: list[list[float]] = np.column_stack([np.round(pairs), law.predict(pairs), *law.interval(pairs)]).tolist()
    return rows


def law_text(law: ScalingLaw) -> str:
    """Return a law as a formula, such as `100 - 60.6 D^-0.110`."""
    size = f"(D + {law.offset:,.0f})" if law.offset >= 0.5 else "D"
    return f"{law.asymptote:.4g} - {law.scale:.4g} {size}^-{law.exponent:.3f}"


def comparison_json(laws: Sequence[ScalingLaw], problem: AllocationProblem, mixture: Mixture) -> dict[str, Any]:
    """Return what the laws predict of a mixture by language, the baselines beside it, and its expected regret."""
    compared, infeasible = compare_mixtures(laws, problem, mixture)
    regret = estimate_regret(laws, problem, mixture)
    return {
        "predicted": _predicted(laws, problem, mixture),
        "alternatives": [_comparison(c) for c in compared],
        "infeasible": infeasible,
        "regret": {key: round(value, 5) for key, value in asdict(regret).items()} if regret else None,
    }


def _predicted(laws: Sequence[ScalingLaw], problem: AllocationProblem, mixture: Mixture) -> list[dict[str, Any]]:
    effective = law_curves(laws, problem).effective_pairs(mixture.seen).tolist()
    gains = next_gains(laws, problem, mixture)
    return [
        {
            "lang": law.lang,
            "value": round(float(law.predict(pairs)), 4),
            "interval": _law_interval(law, pairs),
            "is_extrapolated": law.is_extrapolated(pairs),
            "gain_per_10k": round(float(gain), 4),
        }
        for law, pairs, gain in zip(laws, effective, gains, strict=True)
    ]


def _law_interval(law: ScalingLaw, pairs: float) -> list[float] | None:
    if not len(law.samples):
        return None
    low, high = law.interval(pairs)
    return [round(float(low[0]), 4), round(float(high[0]), 4)]


def _comparison(compared: MixtureComparison) -> dict[str, Any]:
    mixture = compared.mixture
    return {
        "name": mixture.name,
        "pairs": dict(zip(mixture.langs, mixture.pairs.tolist(), strict=True)),
        "value": round(compared.value, 4),
        "interval": _rounded(compared.interval),
        "advantage": round(compared.advantage, 4),
        "advantage_interval": _rounded(compared.advantage_interval),
        "p_better": None if compared.p_better is None else round(compared.p_better, 3),
        "regret": None if compared.regret is None else round(compared.regret, 5),
    }


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(end, 4) for end in interval]


def frontier_json(frontier: Frontier, problem: AllocationProblem, metric: str) -> dict[str, Any]:
    """Return a frontier as its picture needs it."""
    return {
        "unit": problem.unit,
        "metric": metric or "value",
        "budget": problem.budget,
        "budgets": frontier.budgets.tolist(),
        "values": {name: values.tolist() for name, values in frontier.values.items()},
        "low": None if frontier.low is None else frontier.low.tolist(),
        "high": None if frontier.high is None else frontier.high.tolist(),
        "pairs": {lang: column.tolist() for lang, column in zip(problem.langs, frontier.pairs.T, strict=True)},
    }
