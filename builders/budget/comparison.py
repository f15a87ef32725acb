"""Two families of models by their laws: what one learns from so much is worth how much of the other's data."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tabulate import tabulate

from recipes.mixing.serialize import law_text, laws_json
from recipes.scaling.law import LEVEL, Floats, Laws, ScalingLaw


@dataclass(frozen=True)
class Families:
    """The laws of two families of one metric and the names of their models; `others` are those compared against."""

    laws: Laws
    others: Laws
    name: str
    against: str


@dataclass(frozen=True)
class Worth:
    """What the others reach at their largest size, and the size at which ours reach it; None: ours never do.

    The interval is that of `pairs`, None where the laws have no known error; an end of None is beyond any size.
    """

    lang: str
    size: int
    score: float
    pairs: float | None
    interval: tuple[float | None, float | None] | None
    measured: bool


def worths(families: Families) -> Iterator[Worth]:
    """For each language with both laws: arXiv 2308.04948, Figure 7, as a number."""
    for lang, other in families.others.laws.items():
        if lang in families.laws.laws:
            yield _worth(families.laws.laws[lang], other)


def _worth(law: ScalingLaw, other: ScalingLaw) -> Worth:
    size = max(p.size for p in other.points)
    score = float(other.predict(size))
    pairs = _reaching(np.array([[law.ceiling, law.k, law.beta, law.start]]), np.array([score]))[0]
    interval = None
    if len(law.draws) and len(other.draws):
        apart = np.random.default_rng(0).permutation(other.scores(size)[:, 0])  # draws of both follow one sequence
        drawn = _reaching(law.draws[: len(apart)], apart[: len(law.draws)])
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
        interval = (_finite(low), _finite(high))
    sizes = [p.size for p in law.points]
    return Worth(law.lang, size, score, _finite(pairs), interval, bool(min(sizes) <= pairs <= max(sizes)))


def _reaching(parameters: Floats, scores: Floats) -> Floats:
    """The size at which each law (ceiling, k, beta, start) reaches each score; infinite from its ceiling on."""
    ceiling, k, beta, start = parameters.T
    gap = np.maximum((ceiling - scores) / k, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(np.maximum(gap ** (1 / beta) - start, 0.0))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def families_json(families: Families) -> dict[str, Any]:
    """The other family's laws, who of them has none, and what each is worth, for a machine."""
    return {
        "against": laws_json(list(families.others.laws.values())),
        "against_refused": dict(families.others.refused),
        "worth": [asdict(worth) for worth in worths(families)],
    }


def families_text(families: Families) -> str:
    """A language a line: both laws, and the size that ours need for what the others reach."""
    rows = [_row(families, worth) for worth in worths(families)]
    ours, theirs = families.name, families.against
    heads = ["lang", f"law of {ours}", f"law of {theirs}", f"{theirs} at", "score", f"{ours} need (90 %)", "times"]
    refused = [f"No law of {theirs} for {lang}: {why}" for lang, why in families.others.refused.items()]
    told = [
        f"{families.laws.metric} at the largest size of {theirs}, and the size at which {ours} reach it (* outside of",
        "what was measured); `times` is the first by the second. A size counts pairs, or documents if there are none.",
    ]
    return "\n".join([tabulate(rows, heads, disable_numparse=True), *refused, *told])


def _row(families: Families, worth: Worth) -> tuple[str, ...]:
    laws = [law_text(family.laws[worth.lang]) for family in (families.laws, families.others)]
    needed = _count(worth.pairs) + ("" if worth.measured else "*")
    if worth.interval:
        needed += f" ({_count(worth.interval[0])} to {_count(worth.interval[1])})"
    times = f"{worth.size / worth.pairs:,.1f}" if worth.pairs else "-"
    return (worth.lang, *laws, f"{worth.size:,}", f"{worth.score:.2f}", needed, times)


def _count(value: float | None) -> str:
    return "no size" if value is None else f"{value:,.0f}"
