"""An allocation for an objective as JSON values: what commands print, manifests hold and pictures show."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recipes.mixing import AllocationProblem, Mixture, round_numbers
from recipes.scaling import LEVEL, Floats
from recipes.transfer.comparison import CERTAINTY, Allocation, Comparison
from recipes.transfer.law import TransferLaws
from recipes.transfer.laws_file import transfer_summary
from recipes.transfer.objective import Objective
from recipes.transfer.surfaces import Surfaces

CURVE_POINTS = 24
EXTRAPOLATION = 4.0
GAIN_STEP = 10_000.0


def allocation_summary(
    allocation: Allocation, mixture: Mixture, draws: Surfaces, objective: Objective, problem: AllocationProblem
) -> dict[str, Any]:
    """Return what the laws predict of a mixture by language, the plainer mixtures, and the recommended one."""
    of_mixture = next((c for c in allocation.compared if c.mixture is mixture), allocation.compared[0])
    return {
        "objective": objective_summary(objective, problem),
        "predicted": predicted_rows(draws, mixture, objective.metrics),
        "alternatives": [
            _comparison_row(c, c.mixture is allocation.optimum, objective.metrics) for c in allocation.compared
        ],
        "infeasible": list(allocation.infeasible),
        "gap": float(f"{allocation.gap:.2g}"),
        "regret": {"expected": round(of_mixture.regret, 5), "quantile_95": round(of_mixture.regret_95, 5)},
        "recommended": {
            "name": allocation.recommended.mixture.name,
            "matters": allocation.matters,
            "sentence": recommendation(allocation),
        },
    }


def objective_summary(objective: Objective, problem: AllocationProblem) -> dict[str, Any]:
    """Return what was maximised, within which floors."""
    weights = dict(zip(problem.langs, problem.weights.tolist(), strict=True)) if objective.kind == "mean" else {}
    return {
        "kind": objective.kind,
        "weights": round_numbers(weights),
        "no_worse_than": [
            {"name": floor.name, "points": floor.points, "of": "language" if floor.rows is None else "metric"}
            for floor in objective.floors
        ],
        "near": {"name": objective.near.name, "points": objective.near.points} if objective.near else None,
    }


def recommendation(allocation: Allocation) -> str:
    """Return which mixture to take, in one sentence with its interval."""
    chosen, optimum = allocation.recommended, allocation.compared[0]
    if chosen is not optimum:
        return f"Take {chosen.mixture.name}: the optimum is ahead by {_behind(chosen, allocation.matters)}"
    plain = [c for c in allocation.compared[1:] if not c.loss]
    if not plain:
        return "Take the optimum: no plainer mixture keeps the floors."
    return f"Take the optimum: {plain[0].mixture.name} is behind by {_behind(plain[0], allocation.matters)}"


def _behind(comparison: Comparison, matters: float) -> str:
    low, high = comparison.advantage_interval
    needed = "" if comparison.p_behind >= CERTAINTY else f" ({CERTAINTY:.0%} is needed for another mixture)"
    return (
        f"{comparison.advantage:.2f} points (90% interval [{low:+.2f}, {high:+.2f}]), by more than {matters:g} with a "
        f"probability of {comparison.p_behind:.0%}{needed}."
    )


def predicted_rows(draws: Surfaces, mixture: Mixture, metrics: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return each language's predicted value with its interval, and what more pairs of it alone would add.

    With several metrics they are those of the first, and each row has the values of all.
    """
    values = draws.values(mixture.seen)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    more = [draws.means(mixture.seen + GAIN_STEP * np.eye(len(mixture.langs))[n]) for n in range(len(mixture.langs))]
    return [
        {
            "lang": lang,
            "value": round(float(values[:, n].mean()), 4),
            "interval": [round(float(low[n]), 4), round(float(high[n]), 4)],
            "is_extrapolated": False,
            "gain_per_10k": round(float(more[n][n] - values[:, n].mean()), 4),
            **_all_metrics(metrics, values[:, n :: len(mixture.langs)]),
        }
        for n, lang in enumerate(mixture.langs)
    ]


def _all_metrics(metrics: Sequence[str], values: Floats) -> dict[str, Any]:
    """Return the value of each metric with its interval; nothing with one metric."""
    if len(metrics) < 2:
        return {}
    ends = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0).T
    rows = {
        metric: {"value": round(float(own.mean()), 4), "interval": [round(float(end), 4) for end in of_metric]}
        for metric, own, of_metric in zip(metrics, values.T, ends, strict=True)
    }
    return {"metrics": rows}


def _comparison_row(comparison: Comparison, is_optimum: bool, metrics: Sequence[str] = ()) -> dict[str, Any]:
    mixture = comparison.mixture
    by_metric = {
        metric: {"advantage": round(advantage, 4), "interval": [round(end, 4) for end in interval]}
        for metric, (advantage, interval) in zip(metrics, comparison.by_metric, strict=False)
    }
    return {
        "name": mixture.name,
        "pairs": dict(zip(mixture.langs, mixture.pairs.tolist(), strict=True)),
        "value": round(comparison.value, 4),
        "interval": [round(end, 4) for end in comparison.interval],
        "advantage": round(comparison.advantage, 4),
        "advantage_interval": [round(end, 4) for end in comparison.advantage_interval],
        "p_better": None if is_optimum else round(comparison.p_behind, 3),
        "regret": round(comparison.regret, 5),
        "loss": round(comparison.loss, 4),
        **({"by_metric": by_metric} if by_metric else {}),
    }


def transfer_laws_json(
    laws: TransferLaws, langs: Sequence[str], mixture: Mixture | None = None
) -> list[dict[str, Any]]:
    """Return each law's parameters, and points of its curve over its own pairs, with all others as in a mixture.

    Without a mixture the curve is that of a model of one language.
    """
    return [
        round_numbers(
            {
                "lang": lang,
                "functional_form": "transfer",
                "law": transfer_law_text(laws, lang),
                "parameters": transfer_summary(laws.laws[lang], laws.donors),
                "noise": laws.laws[lang].noise,
                "intervals": {},
                "holdout_error": dict(laws.holdout_error) | {"transfer": laws.holdout_error.get(laws.form, 0.0)},
                "points": _single_points(laws, lang),
                "curve": _curve(laws, lang, mixture),
            }
        )
        for lang in langs
    ]


def transfer_law_text(laws: TransferLaws, lang: str) -> str:
    """Return the parameters of a law in short."""
    level, slope, curvature, offset, transfer, substitution = laws.laws[lang].parameters[:6]
    return (
        f"a {level:.4g}, s {slope:.3g}, k {curvature:+.2f}, x0 {offset * laws.laws[lang].unit:,.0f}, "
        f"t {transfer:.2f}, r {substitution:.2f}"
    )


def _single_points(laws: TransferLaws, lang: str) -> list[list[Any]]:
    """Return the runs of this language only as [pairs, value, null, true]."""
    pairs, values = laws.runs
    own = laws.donors.index(lang)
    column = sorted({*laws.laws, *laws.not_fitted}).index(lang)
    rows = [n for n, row in enumerate(pairs) if row[own] > 0 and np.count_nonzero(row) == 1]
    return [
        [int(pairs[n, own]), float(values[n, column]), None, True]
        for n in rows
        if values[n, column] == values[n, column]
    ]


def _curve(laws: TransferLaws, lang: str, mixture: Mixture | None) -> list[list[float]]:
    own = laws.donors.index(lang)
    measured = laws.runs[0][:, own] if len(laws.runs[0]) else np.array([1000.0])
    high = float(measured.max()) * EXTRAPOLATION
    low = float(measured[measured > 0].min()) if (measured > 0).any() else high / 100
    others = np.array([laws.fixed.get(donor, 0.0) for donor in laws.donors])
    if mixture is not None:
        for name, count in zip(mixture.langs, mixture.pairs.tolist(), strict=True):
            others[laws.donors.index(name)] = count
        low, high = min(low, others[own] or low), max(high, others[own])
    at = np.geomspace(low, high, CURVE_POINTS)
    rows = np.tile(others, (CURVE_POINTS, 1))
    rows[:, own] = at
    samples = laws.laws[lang].predict_samples(rows)
    ends = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    curve: list[list[float]] = np.column_stack([np.round(at), samples.mean(axis=0), *ends]).tolist()
    return curve
