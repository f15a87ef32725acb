"""Format what fit, allocate and plan return, as text, as JSON values and as HTML tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tabulate import tabulate

from cards.display_names import metric_name, mixture_name
from corpora.terminal_tables import format_table
from recipes.mixing import AllocationProblem, Mixture, NextRun, comparison_json, law_text, laws_json
from recipes.scaling import Equivalence, Laws, ScalingLaw, equivalences

Table = tuple[Sequence[tuple[str, ...]], list[str]]  # rows and headers
FORMS = {"power": "E fixed, D0 = 0", "saturating": "E free, D0 = 0", "shifted": "E and D0 free"}
LAWS_NOTE = """\
{metric}: L(D) = E - A (D + D0)^-alpha for D sentence pairs, with alpha from 0 to 1. arXiv 2308.04948 writes it as
100 - alpha (gamma D)^beta: its beta is minus the exponent here, and A is its alpha gamma^beta. `holdout` is the mean
error on the largest sizes when they were left out; `shrinkage` is the share of what is known of the exponent that comes
from other languages. Intervals [a, b] are 90% ones."""
EQUIVALENCE_NOTE = """\
`value` is what {baseline} reaches at its largest size, and `equivalent` the size at which {model} reaches it (* outside
of the measured sizes); `ratio` is the first size divided by the second. A size counts pairs; without any, documents."""


def laws_text(laws: Laws, files: Sequence[Path]) -> str:
    """Return a line for each law, then languages without a law, outliers, and notes."""
    lines = [_text(_laws_table(laws), ("form", "shrinkage", "noise", "exponent [90%]", "holdout")), ""]
    lines += [f"No law for {lang}: {why}" for lang, why in laws.not_fitted.items()]
    lines += [_outlier_text(law) for law in laws.laws.values() if any(not p.used for p in law.points)]
    lines += [
        f"{law.lang}: gamma {law.gamma:g}, so the paper's alpha is {law.paper_alpha:.4g}."
        for law in laws.laws.values()
        if law.paper_alpha
    ]
    lines += [LAWS_NOTE.format(metric=metric_name(laws.metric) or "The value").replace("\n", " ")]
    lines += [f"Written: {path}" for path in files]
    return "\n".join(lines)


def laws_html(laws: Laws) -> str:
    """Return a table of laws in HTML."""
    return _html(_laws_table(laws))


def _laws_table(laws: Laws) -> Table:
    headers = [
        "lang",
        "points",
        "law",
        "exponent [90%]",
        "at D",
        "value [90%]",
        "noise",
        "holdout",
        "shrinkage",
        "form",
    ]
    return [_law_row(law) for law in laws.laws.values()], headers


def _law_row(law: ScalingLaw) -> tuple[str, ...]:
    low, high = law.parameter_interval("exponent")
    largest = max((p.size for p in law.points), default=0)
    return (
        law.lang,
        str(sum(p.used for p in law.points)),
        law_text(law),
        f"[{low:.3f}, {high:.3f}]",
        f"{largest:,}",
        _with_interval(float(law.predict(largest)), [float(end[0]) for end in law.interval(largest)]),
        f"{law.noise:.2f}" if law.noise is not None else "-",
        f"{law.holdout_error[law.functional_form]:.2f}" if law.functional_form in law.holdout_error else "-",
        f"{law.shrinkage:.0%}",
        FORMS[law.functional_form],
    )


def _outlier_text(law: ScalingLaw) -> str:
    points = ", ".join(f"{p.value:g} at {p.size:,}" for p in law.points if not p.used)
    return f"{law.lang}: {points} is not used, as the other points do not predict it."


def equivalence_json(laws: Laws, baseline: Laws) -> dict[str, Any]:
    """Return the baseline's laws and the equivalences as JSON values."""
    return {
        "baseline": laws_json(list(baseline.laws.values())),
        "baseline_not_fitted": dict(baseline.not_fitted),
        "equivalences": [asdict(equivalence) for equivalence in equivalences(laws, baseline)],
    }


def equivalence_text(laws: Laws, baseline: Laws, model: str, baseline_model: str) -> str:
    """Return a line for each language: both laws, and how much data of the models is equivalent to the baseline's."""
    rows = [_equivalence_row(laws, baseline, equivalence) for equivalence in equivalences(laws, baseline)]
    headers = ["lang", f"law of {model}", f"law of {baseline_model}", "size", "value", "equivalent [90%]", "ratio"]
    missing = [f"No law of {baseline_model} for {lang}: {why}" for lang, why in baseline.not_fitted.items()]
    return "\n".join(
        [
            _text((rows, headers)),
            *missing,
            EQUIVALENCE_NOTE.format(model=model, baseline=baseline_model).replace("\n", " "),
        ]
    )


def _equivalence_row(laws: Laws, baseline: Laws, equivalence: Equivalence) -> tuple[str, ...]:
    size = _count(equivalence.equivalent_size) + "*" * equivalence.is_extrapolated
    if equivalence.interval:
        size += f" [{_count(equivalence.interval[0])}, {_count(equivalence.interval[1])}]"
    ratio = f"{equivalence.baseline_size / equivalence.equivalent_size:,.1f}" if equivalence.equivalent_size else "-"
    both = (law_text(laws.laws[equivalence.lang]), law_text(baseline.laws[equivalence.lang]))
    return (equivalence.lang, *both, f"{equivalence.baseline_size:,}", f"{equivalence.value:.2f}", size, ratio)


def _count(size: float | None) -> str:
    return "no size" if size is None else f"{size:,.0f}"


def allocation_json(laws: Laws, problem: AllocationProblem, mixture: Mixture) -> dict[str, Any]:
    """Return a mixture, what the laws predict of it, the baselines and the expected regret as JSON values."""
    rows = zip(problem.langs, mixture.pairs.tolist(), mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)
    return {
        "budget": problem.budget,
        "unit": problem.unit,
        "spent": float(problem.costs @ mixture.pairs),
        "metric": laws.metric,
        "mixture": [
            {"lang": lang, "num_pairs": pairs, "num_rows": own, "epochs": epochs} for lang, pairs, own, epochs in rows
        ],
        **comparison_json(laws.select(problem.langs), problem, mixture),
    }


def allocation_text(laws: Laws, problem: AllocationProblem, mixture: Mixture, available_from: str) -> str:
    """Return a mixture as a table, the baselines beside it, and the expected regret."""
    table = allocation_json(laws, problem, mixture)
    extrapolated = any(row["is_extrapolated"] for row in table["predicted"])
    parts = [
        f"{mixture.name.capitalize()} of {table['spent']:,.0f} {problem.unit}, by the laws of "
        f"{metric_name(laws.metric) or 'the values'}; available pairs from {available_from}.",
        _text(_mixture_table(table, problem), ("limit", "epochs", "rows", "share", "10k more")),
        "* outside of the measured sizes" if extrapolated else "",
        _text(_alternatives_table(table), ("pairs", "regret", "probability")),
        *table["infeasible"],
        _regret_text(table["regret"]),
    ]
    return "\n\n".join(part for part in parts if part)


def mixture_html(laws: Laws, problem: AllocationProblem, mixture: Mixture) -> str:
    """Return a mixture and the baselines beside it as HTML tables."""
    table = allocation_json(laws, problem, mixture)
    return _html(_mixture_table(table, problem)) + _html(_alternatives_table(table))


def _mixture_table(table: Mapping[str, Any], problem: AllocationProblem) -> Table:
    total, total_rows = (sum(row[key] for row in table["mixture"]) for key in ("num_pairs", "num_rows"))
    rows = [
        (
            row["lang"],
            f"{row['num_pairs']:,}",
            f"{row['num_pairs'] / total:.1%}",
            f"{row['num_rows']:,}",
            f"{row['epochs']:.2f}",
            _limit(problem, index, row["num_pairs"]),
            _with_interval(predicted["value"], predicted["interval"]) + " *" * predicted["is_extrapolated"],
            f"{predicted['gain_per_10k']:+.3f}",
        )
        for index, (row, predicted) in enumerate(zip(table["mixture"], table["predicted"], strict=True))
    ]
    rows.append(("all", f"{total:,}", "", f"{total_rows:,}", "", "", "", ""))
    return rows, ["lang", "pairs", "share", "rows", "epochs", "limit", "value [90%]", "10k more"]


def _limit(problem: AllocationProblem, index: int, pairs: int) -> str:
    return "max" if pairs >= problem.max_pairs[index] else "min" if pairs <= problem.min_pairs[index] else ""


def _alternatives_table(table: Mapping[str, Any]) -> Table:
    rows = [_alternative_row(row, is_chosen=index == 0) for index, row in enumerate(table["alternatives"])]
    return rows, ["mixture", "mean value [90%]", "advantage of the first [90%]", "probability", "regret", "pairs"]


def _alternative_row(row: Mapping[str, Any], is_chosen: bool) -> tuple[str, ...]:
    return (
        mixture_name(row["name"]),
        _with_interval(row["value"], row["interval"]),
        "" if is_chosen else f"{row['advantage']:+.3f}" + _signed_interval(row["advantage_interval"]),
        "" if row["p_better"] is None else f"{row['p_better']:.0%}",
        "" if row["regret"] is None else f"{row['regret']:.4f}",
        " ".join(f"{pairs:,}" for pairs in row["pairs"].values()) if len(row["pairs"]) <= 8 else "",
    )


def _regret_text(regret: Mapping[str, float] | None) -> str:
    if regret is None:
        return "The laws have no uncertainty, so the expected regret is unknown: fit them to results."
    return (
        f"Expected regret: {regret['expected']:.4f} points below the best mixture, if the laws were known exactly "
        f"(by approximation {regret['approximation']:.4f}; 95th percentile {regret['quantile_95']:.4f}). The laws "
        "model neither transfer between languages nor differences in quality."
    )


def plan_text(runs: Sequence[NextRun], unit: str, num_runs: int, target_regret: float) -> str:
    """Return the next runs as a table, and when to stop."""
    if not runs:
        return (
            f"Nothing to measure: the expected regret is at most {target_regret:g} points already, or no run lowers it."
        )
    if runs[-1].regret_after <= target_regret:
        last = f"Stop there: the expected regret is then at most {target_regret:g} points."
    elif len(runs) == num_runs:
        last = f"After them the expected regret is still above {target_regret:g} points (--target-regret)."
    else:
        last = "No further run would lower it."
    return (
        f"{_text(_runs_table(runs, unit))}\n\n{last} Fit again after each run: its result may change the next choice."
    )


def plan_html(runs: Sequence[NextRun], unit: str) -> str:
    """Return the next runs as an HTML table."""
    return _html(_runs_table(runs, unit))


def _runs_table(runs: Sequence[NextRun], unit: str) -> Table:
    rows = [
        (str(n), r.lang, f"{r.size:,}", f"{r.cost:,.0f}", f"{r.regret_before:.4f}", f"{r.regret_after:.4f}")
        for n, r in enumerate(runs, start=1)
    ]
    return rows, ["", "lang", "size", f"cost, {unit}", "regret before", "regret after"]


def mixture_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Return the translations of a release by budget, language by language, as lines of text."""
    if not (allocation := manifest.get("allocation")):
        return []
    rows = [
        (row["lang"], f"{row['num_rows']:,}", f"{row['epochs']:.2f}", f"{row['num_available']:,}")
        for row in allocation["mixture"]
    ]
    rows.append(("all", f"{sum(row['num_rows'] for row in allocation['mixture']):,}", "", ""))
    table = format_table(["lang", "rows", "epochs", "available"], rows)
    head = f"  {allocation['num_pairs']:,} pairs allocated by {allocation['method']}; translations for training:"
    return [head, *(f"    {line}" for line in table.splitlines())]


def _with_interval(value: float, ends: Sequence[float] | None) -> str:
    return f"{value:.2f}" + (f" [{ends[0]:.2f}, {ends[1]:.2f}]" if ends else "")


def _signed_interval(interval: Sequence[float] | None) -> str:
    return f" [{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval else ""


def _text(table: Table, drop: Sequence[str] = ()) -> str:
    rows, headers = table
    return format_table(headers, rows, drop=drop)


def _html(table: Table) -> str:
    rows, headers = table
    return tabulate(rows, headers, tablefmt="html", disable_numparse=True)
