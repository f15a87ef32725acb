"""Format laws with transfer, and allocations by objective, as text and HTML tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from cards.description import describe_goal
from cards.display_names import metric_name, mixture_name
from corpora.terminal_tables import format_table
from recipes.mixing import AllocationProblem
from recipes.scaling import LEVEL
from recipes.transfer import MixturePlan, NoiseFloor, TransferLaw, TransferLaws

Table = tuple[Sequence[tuple[str, ...]], list[str]]  # rows and headers
LEAST_FOR_10K_MORE = 20_000  # pairs of a mixture; 10,000 more would go far beyond the runs of smaller ones
FORM_TEXTS = {
    "separable": "without transfer",
    "shared": "with one weight for all other languages",
    "donors": "with a weight for each other language",
}
NOTE = """\
{metric}: S = a + s (z^k - 1) / k with z = x0 + ((1 - t) X^r + t N^r)^(1/r), in units of {unit:,.0f} pairs, for X \
pairs of the language and N pairs of all languages{weighted}. This is the form {form}.
Runs left out are predicted with an error of {error:.2f} points a language ({others}). Intervals [a, b] are 90% ones, \
widened by {widening:.2f} so that they hold 90% of the runs left out; `samples` is the effective sample size."""


def transfer_laws_text(laws: TransferLaws, floor: NoiseFloor | None, files: Sequence[Path]) -> str:
    """Return the noise floor, a line for each law, weights of donors, and notes."""
    lines = [noise_text(floor), ""] if floor else []
    lines += [_text(transfer_laws_table(laws), ("samples", "noise", "x0 [90%]", "k [90%]", "substitution r [90%]")), ""]
    if laws.form == "donors":
        lines += [_text(_donor_table(laws)), ""]
    lines += [f"No law for {lang}: {why}" for lang, why in laws.not_fitted.items()]
    lines += [_note(laws)]
    if laws.fixed:
        fixed = ", ".join(f"{count:,.0f} of {donor}" for donor, count in laws.fixed.items())
        lines.append(f"Other tasks are donors too; predictions are for the largest run's counts: {fixed}.")
    lines += [f"Written: {path}" for path in files]
    return "\n".join(lines)


def _note(laws: TransferLaws) -> str:
    others = ", ".join(f"{form} {error:.2f}" for form, error in laws.holdout_error.items() if form != laws.form)
    return NOTE.format(
        metric=metric_name(laws.metric) or "The value",
        unit=next(iter(laws.laws.values())).unit,
        weighted=", each donor with its weight u" if laws.form == "donors" else "",
        form=FORM_TEXTS[laws.form],
        error=laws.holdout_error[laws.form] if laws.form in laws.holdout_error else float("nan"),
        others=others or "no other form was compared",
        widening=laws.widening,
    )


def noise_text(floor: NoiseFloor) -> str:
    """Return the smallest differences that one, three and five seeds show."""
    parts = []
    for seeds in (1, 3, 5):
        by_lang, mean = floor.smallest(seeds)
        langs = ", ".join(f"{lang} {value:.2f}" for lang, value in zip(floor.langs, by_lang, strict=True))
        parts.append(f"  {seeds} seed{'s' * (seeds > 1)}: {mean:.2f} for the mean of the languages; {langs}")
    head = f"Smallest differences between two mixtures that runs can show (95%), by the noise of {floor.source}:"
    return "\n".join([head, *parts])


def transfer_laws_table(laws: TransferLaws) -> Table:
    """Return the table of laws."""
    headers = ["lang", "runs", *(f"{name} [90%]" for name in ("slope s", "k", "x0", "transfer t", "substitution r"))]
    headers += ["noise", "samples"]
    return [_law_row(law) for law in laws.laws.values()], headers


def _law_row(law: TransferLaw) -> tuple[str, ...]:
    low, high = np.quantile(law.samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)

    def interval(number: int, digits: int = 2, factor: float = 1.0) -> str:
        ends = [f"{factor * end[number]:,.{digits}f}" for end in (law.parameters, low, high)]
        return f"{ends[0]} [{ends[1]}, {ends[2]}]"

    return (
        law.lang,
        str(law.num_runs),
        interval(1),
        interval(2),
        interval(3, 0, law.unit),
        interval(4),
        interval(5),
        f"{law.noise:.2f}",
        f"{law.effective_samples:,.0f}",
    )


def _donor_table(laws: TransferLaws) -> Table:
    """Return the weight of each donor for each language."""
    rows = [
        (law.lang, *("" if n == law.own else f"{law.parameters[6 + n]:.2f}" for n in range(len(laws.donors))))
        for law in laws.laws.values()
    ]
    return rows, ["weight u for", *laws.donors]


def transfer_laws_html(laws: TransferLaws) -> str:
    """Return a table of laws in HTML."""
    rows, headers = transfer_laws_table(laws)
    return tabulate(rows, headers, tablefmt="html", disable_numparse=True)


def objective_text(table: Mapping[str, Any], problem: AllocationProblem, available_from: str) -> str:
    """Return an allocation for an objective: the mixture, the plainer mixtures beside it, and which to take."""
    parts = [
        f"Optimum of {table['spent']:,.0f} {problem.unit} for {describe_goal(table['objective'])}, by the laws of "
        f"{metric_name(table['metric']) or 'the values'}; available pairs from {available_from}.",
        _text(mixture_table(table, problem), ("limit", "epochs", "rows", "share", "10k more")),
        _text(alternatives_table(table), ("pairs", "loses", "regret", _probability(table))),
        *table["infeasible"],
        f"Expected regret: {table['regret']['expected']:.3f} points below the best mixture, if the laws were known "
        f"exactly. No other mixture is better by more than {table['gap']:.2g} points by the same laws (proven).",
        table["recommended"]["sentence"],
    ]
    return "\n\n".join(part for part in parts if part)


def mixture_table(table: Mapping[str, Any], problem: AllocationProblem) -> Table:
    """Return the table of a mixture with what is predicted of it."""
    total, total_rows = (sum(row[key] for row in table["mixture"]) for key in ("num_pairs", "num_rows"))
    rows = [
        (
            row["lang"],
            f"{row['num_pairs']:,}",
            f"{row['num_pairs'] / total:.1%}",
            f"{row['num_rows']:,}",
            f"{row['epochs']:.2f}",
            _limit(problem, n, row["num_pairs"]),
            *(_interval(own) for own in _by_metric(predicted).values()),
            f"{predicted['gain_per_10k']:+.3f}",
        )
        for n, (row, predicted) in enumerate(zip(table["mixture"], table["predicted"], strict=True))
    ]
    names = list(_by_metric(table["predicted"][0]))
    rows.append(("all", f"{total:,}", "", f"{total_rows:,}", "", "", *("" for _ in names), ""))
    heads = ["value [90%]"] if len(names) == 1 else [f"{metric_name(name)} [90%]" for name in names]
    headers = ["lang", "pairs", "share", "rows", "epochs", "limit", *heads, "10k more"]
    if total < LEAST_FOR_10K_MORE:
        return [row[:-1] for row in rows], headers[:-1]
    return rows, headers


def _by_metric(predicted: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return a language's value and interval by metric; of one metric under the empty name."""
    return dict(predicted["metrics"]) if "metrics" in predicted else {"": predicted}


def _interval(row: Mapping[str, Any]) -> str:
    return f"{row['value']:.2f} [{row['interval'][0]:.2f}, {row['interval'][1]:.2f}]"


def _limit(problem: AllocationProblem, index: int, pairs: int) -> str:
    return "max" if pairs >= problem.max_pairs[index] else "min" if pairs <= problem.min_pairs[index] else ""


def alternatives_table(table: Mapping[str, Any]) -> Table:
    """Return the table of the optimum and the plainer mixtures."""
    metrics = list(table["alternatives"][0].get("by_metric", ()))
    heads = ["mixture", "value [90%]", "optimum ahead by [90%]", *(f"in {metric_name(name)} [90%]" for name in metrics)]
    heads += [_probability(table), "regret", "loses", "pairs"]
    return [_alternative_row(row, index == 0) for index, row in enumerate(table["alternatives"])], heads


def _probability(table: Mapping[str, Any]) -> str:
    return f"P(> {table['recommended']['matters']:g})"


def _alternative_row(row: Mapping[str, Any], is_optimum: bool) -> tuple[str, ...]:
    return (
        mixture_name(row["name"]),
        _interval(row),
        *("" if is_optimum else text for text in _advantages(row)),
        "" if is_optimum else f"{row['p_better']:.0%}",
        f"{row['regret']:.3f}",
        f"{row['loss']:.2f} too much" if row["loss"] else "",
        " ".join(f"{pairs:,}" for pairs in row["pairs"].values()) if len(row["pairs"]) <= 8 else "",
    )


def _advantages(row: Mapping[str, Any]) -> list[str]:
    """Return by how much the optimum is ahead, and by how much in each of several metrics."""
    rows = [(row["advantage"], row["advantage_interval"])]
    rows += [(own["advantage"], own["interval"]) for own in row.get("by_metric", {}).values()]
    return [f"{advantage:+.2f} [{low:+.2f}, {high:+.2f}]" for advantage, (low, high) in rows]


def mixture_plan_text(plan: MixturePlan, unit: str, tablefmt: str = "simple") -> str:
    """Return the next mixtures as a table, and why to stop after them."""
    rows = [
        (
            str(number),
            ",".join(f"{lang}={count}" for lang, count in run.pairs.items()),
            f"{run.cost:,.0f}",
            f"{run.regret_before:.3f}",
            f"{run.regret_after:.3f}",
            run.reason,
        )
        for number, run in enumerate(plan.runs, start=1)
    ]
    headers = ["", "mixture (trainer sft --mixture)", f"cost, {unit}", "regret before", "regret after", "because"]
    if tablefmt == "html":
        return f"{tabulate(rows, headers, tablefmt='html', disable_numparse=True)}<p>{plan.stop}</p>"
    table = format_table(headers, rows, drop=("because", "regret before"), wrap=(headers[1], "because"))
    return f"{table}\n\n{plan.stop}"


def objective_html(table: Mapping[str, Any], problem: AllocationProblem) -> str:
    """Return a mixture and the plainer ones beside it as HTML tables."""
    tables = (mixture_table(table, problem), alternatives_table(table))
    return "".join(tabulate(rows, headers, tablefmt="html", disable_numparse=True) for rows, headers in tables)


def _text(table: Table, drop: Sequence[str] = ()) -> str:
    rows, headers = table
    return format_table(headers, rows, drop=drop)
