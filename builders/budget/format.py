"""What `fit`, `allocate` and `plan` print: laws, a split with what stands beside it, and runs to make."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tabulate import tabulate

from recipes.mixing.allocation import Problem
from recipes.mixing.mixture import Mixture
from recipes.mixing.next_runs import Run
from recipes.mixing.serialize import law_text, outlook_json
from recipes.scaling.law import Laws, ScalingLaw

KINDS = {"power": "fixed ceiling", "ceiling": "free ceiling", "shifted": "free ceiling, start"}


def laws_text(laws: Laws, to: Path, picture: Path) -> str:
    """A law a line, with its interval, its error on held-out sizes, and what it owes to others; then who has none."""
    rows = [_law_row(law) for law in laws.laws.values()]
    heads = ["lang", "points", "law", "beta (90 %)", "at", "score (90 %)", "noise", "held out", "borrowed", "form"]
    lines = [tabulate(rows, heads, disable_numparse=True), ""]
    lines += [f"No law for {lang}: {why}" for lang, why in laws.refused.items()]
    lines += [_outlier(law) for law in laws.laws.values() if any(not p.used for p in law.points)]
    lines += [f"{law.lang}: gamma {law.gamma:g}, so alpha {law.alpha:.4g}." for law in laws.laws.values() if law.alpha]
    lines += [
        f"Scores are {laws.metric}; X is the number of sentence pairs. Only K and beta can be told from scores: the",
        "paper's alpha and gamma stand in K = alpha gamma^beta alone. `held out` is the mean error, in points, on the",
        "largest sizes when they were left out; `borrowed` is the share of what is known of beta that others lend.",
        f"Written: {to}, {picture}",
    ]
    return "\n".join(lines)


def _law_row(law: ScalingLaw) -> tuple[str, ...]:
    low, high = law.parameter_interval("beta")
    largest = max((p.size for p in law.points), default=0)
    return (
        law.lang,
        str(sum(p.used for p in law.points)),
        law_text(law),
        f"{low:.3f} to {high:.3f}",
        f"{largest:,}",
        _with_interval(float(law.predict(largest)), [float(end[0]) for end in law.interval(largest)]),
        f"{law.noise:.2f}" if law.noise is not None else "-",
        f"{law.held_out[law.form]:.2f}" if law.form in law.held_out else "-",
        f"{law.borrowed:.0%}",
        KINDS[law.form],
    )


def _outlier(law: ScalingLaw) -> str:
    points = ", ".join(f"{p.value:g} at {p.size:,}" for p in law.points if not p.used)
    return f"{law.lang}: set aside as {points} lies too far from what the other points predict."


def _with_interval(value: float, ends: Sequence[float] | None) -> str:
    return f"{value:.2f}" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else "")


def split_json(laws: Laws, given: Problem, mixture: Mixture) -> dict[str, Any]:
    """A split for a machine."""
    own = laws.of(given.langs)
    rows = zip(given.langs, mixture.pairs.tolist(), mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)
    return {
        "budget": given.budget,
        "unit": given.unit,
        "spent": float(given.cost @ mixture.pairs),
        "metric": laws.metric,
        "mixture": [{"lang": lang, "pairs": p, "rows": r, "epochs": e} for lang, p, r, e in rows],
        **outlook_json(own, given, mixture),
    }


def split_text(laws: Laws, given: Problem, mixture: Mixture, caps_from: str) -> str:
    """A split for a person: the mixture, what stands beside it, and how sure it is."""
    table = split_json(laws, given, mixture)
    spent = float(given.cost @ mixture.pairs)
    parts = [
        f"{mixture.name.capitalize()} of {spent:,.0f} {given.unit}, by the laws of {laws.metric or 'the scores'}; "
        f"caps from {caps_from}.",
        _mixture_table(table, given, mixture),
        _alternatives_table(table, given),
        *table["impossible"],
        _certificate(table),
    ]
    return "\n\n".join(part for part in parts if part)


def _mixture_table(table: Mapping[str, Any], given: Problem, mixture: Mixture) -> str:
    shown = zip(given.langs, mixture.pairs.tolist(), mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)
    total = mixture.pairs.sum()
    rows = []
    for place, ((lang, pairs, own, epochs), told) in enumerate(zip(shown, table["predicted"], strict=True)):
        score = _with_interval(told["score"], told["interval"]) + " *" * told["beyond"]
        counts = (f"{pairs:,}", f"{pairs / total:.1%}", f"{own:,}", f"{epochs:.2f}")
        rows.append((lang, *counts, _bound(given, place, pairs), score, f"{told['next_10k']:+.3f}"))
    heads = ["lang", "pairs", "share", "rows", "epochs", "at its", "score (90 %)", "10k more"]
    rows.append(("all", f"{mixture.pairs.sum():,}", "", f"{mixture.rows.sum():,}", "", "", "", ""))
    align = ("left", "right", "right", "right", "right", "left", "left", "right")
    text = tabulate(rows, heads, disable_numparse=True, colalign=align)
    return text + (
        "\n* outside of the sizes that were measured" if any(t["beyond"] for t in table["predicted"]) else ""
    )


def _bound(given: Problem, place: int, pairs: int) -> str:
    return "cap" if pairs >= given.cap[place] else "floor" if pairs <= given.floor[place] else ""


def _alternatives_table(table: Mapping[str, Any], given: Problem) -> str:
    rows = [
        (o["name"], _with_interval(o["score"], o["interval"]),
         "" if place == 0 else f"{o['behind']:+.3f}" + _ends(o["behind_interval"]),
         "" if o["beaten"] is None else f"{o['beaten']:.0%}",
         "" if o["regret"] is None else f"{o['regret']:.4f}",
         " ".join(f"{pairs:,}" for pairs in o["pairs"].values()) if len(o["pairs"]) <= 8 else "")
        for place, o in enumerate(table["alternatives"])
    ]  # fmt: skip
    heads = ["mixture", "mean score (90 %)", "the first is ahead by", "probability", "regret", "pairs"]
    return tabulate(rows, heads, disable_numparse=True)


def _ends(interval: Sequence[float] | None) -> str:
    return f" ({interval[0]:+.3f} to {interval[1]:+.3f})" if interval else ""


def _certificate(table: Mapping[str, Any]) -> str:
    known = table["regret"]
    if known is None:
        return "The laws carry no uncertainty, so nothing is said of how sure this is: fit them from scores."
    return (
        f"Expected regret of this split, against the best one were the laws known: {known['expected']:.4f} points "
        f"(by formula {known['formula']:.4f}); 95 times of 100 below {known['high']:.4f}. This is what the laws say, "
        "and they do not see transfer between languages or differences in quality."
    )


def mixture_lines(manifest: Mapping[str, Any]) -> list[str]:
    """The translations of a release by budget, language by language, as they are in its training split."""
    if not (budget := manifest.get("budget")):
        return []
    rows = [(r["lang"], f"{r['rows']:,}", f"{r['epochs']:.2f}", f"{r['available']:,}") for r in budget["mixture"]]
    rows.append(("all", f"{sum(r['rows'] for r in budget['mixture']):,}", "", ""))
    table = tabulate(rows, ["lang", "rows", "epochs", "there are"], disable_numparse=True, stralign="right")
    head = f"  mixture {budget['pairs']:,} pairs by {budget['by']}; translations in the training split:"
    return [head, *(f"    {line}" for line in table.splitlines())]


def plan_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Planned runs for a machine."""
    return [asdict(run) for run in runs]


def plan_text(runs: Sequence[Run], laws: Sequence[ScalingLaw], given: Problem, asked: int, enough: float) -> str:
    """Planned runs for a person, and when to stop."""
    if not runs:
        return (
            f"Nothing to measure: the expected regret is at or below {enough:g} points already, or no run lessens it."
        )
    rows = [
        (str(n), r.lang, f"{r.size:,}", f"{r.cost:,.0f}", f"{r.before:.4f}", f"{r.after:.4f}")
        for n, r in enumerate(runs, start=1)
    ]
    table = tabulate(rows, ["", "lang", "size", f"cost, {given.unit}", "regret before", "after"], disable_numparse=True)
    done = runs[-1].after <= enough
    last = f"Stop there: the expected regret is below {enough:g} points." if done else (
        f"After these {len(runs)} the expected regret is still above {enough:g} points (--enough)."
        if len(runs) == asked else "No further run would lessen it."
    )  # fmt: skip
    return f"{table}\n\n{last} Refit after each run: what it shows may change the next."
