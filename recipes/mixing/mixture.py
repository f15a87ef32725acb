"""Mixture: how many pairs of each language; the best by the laws, the usual ones without laws, and as a file."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from corpora.catalog import languages
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from corpora.reading.strict_json import decode
from recipes.mixing.allocation import Integers, Problem, whole
from recipes.mixing.curves import PowerCurves, ShareCurves, TableCurves
from recipes.scaling.law import Floats, ScalingLaw

NAMED = ("uniform", "unimax", "proportional", "temperature")
COLUMNS = ["lang", "rows", "epochs"]
QUANTILE_POINTS = 160  # numbers of pairs at which a law's uncertainty is tabulated


@dataclass(frozen=True)
class Mixture:
    """Pairs seen of each language: `rows` different ones, each `epochs` times on average."""

    name: str
    langs: tuple[str, ...]
    pairs: Integers
    rows: Integers

    @property
    def seen(self) -> Floats:
        """The pairs as floating-point numbers, for the curves."""
        return self.pairs.astype(np.float64)

    @property
    def epochs(self) -> Floats:
        """How often each row is seen, on average."""
        return np.asarray(self.pairs / np.maximum(self.rows, 1))


def mixture_of(name: str, pairs: Integers, given: Problem) -> Mixture:
    """A mixture of so many pairs seen, with no more rows than there are."""
    return Mixture(name, given.langs, pairs, np.minimum(pairs, given.unique).astype(np.int64))


def curves_of(laws: Sequence[ScalingLaw], given: Problem) -> PowerCurves:
    """The laws as weighted curves; what is seen again counts for less where a cap lets it be."""
    ceiling, k, beta, start = np.array([[law.ceiling, law.k, law.beta, law.start] for law in laws]).T
    return PowerCurves(given.weight, ceiling, k, beta, start, _repeated(given))


def _repeated(given: Problem) -> Floats:
    return np.where(given.cap > given.unique, given.unique, np.inf)


def drawn_curves(laws: Sequence[ScalingLaw], given: Problem, most: int = 512) -> PowerCurves | None:
    """The laws' draws as curves of shape (draws, languages), fewer of them for very many languages; None without."""
    number = min([most, max(64, 400_000 // len(laws)), *(len(law.draws) for law in laws if len(law.draws))])
    if not any(len(law.draws) for law in laws):
        return None
    fixed = [np.tile([law.ceiling, law.k, law.beta, law.start], (number, 1)) for law in laws]
    rows = [law.draws[:number] if len(law.draws) else same for law, same in zip(laws, fixed, strict=True)]
    ceiling, k, beta, start = np.stack(rows, axis=1).transpose(2, 0, 1)
    return PowerCurves(given.weight, ceiling, k, beta, start, _repeated(given))


def optimum(laws: Sequence[ScalingLaw], given: Problem) -> Mixture:
    """The mixture whose predicted weighted score is highest."""
    return mixture_of("optimum", whole(curves_of(laws, given), given), given)


def robust(laws: Sequence[ScalingLaw], given: Problem, quantile: float) -> Mixture:
    """The mixture whose weighted score has the highest lower quantile under the laws' uncertainty.

    The quantile is that of a normal sum of independent scores, sum w m(X) - z sqrt(V), V = sum w^2 v(X), with means m
    and variances v over the draws. Since sqrt(V) is the least V / 2s + s / 2 over s > 0, the maximum is found by turns:
    for a given s the sum is separable and water-filling is exact; then s = sqrt(V).
    """
    from scipy.stats import norm

    drawn, z = drawn_curves(laws, given), float(norm.ppf(1 - quantile))
    best = optimum(laws, given)
    if drawn is None or z <= 0:
        return replace(best, name="robust")
    most = float(np.max(np.minimum(given.cap, given.budget / given.cost)))
    grid = np.geomspace(0.5, max(most, 1.0) * 1.01, QUANTILE_POINTS)
    at = [np.full(len(laws), x) for x in grid]
    scores = np.stack([drawn.score(x) - drawn.score(x).mean(axis=0) for x in at])  # points, draws, languages
    gains = np.stack([drawn.gain(x) for x in at])  # weighted
    variance = given.weight**2 * (scores**2).mean(axis=1)
    slope = 2 * given.weight * (scores * gains).mean(axis=1)  # of the variance
    pairs = best.pairs
    for _ in range(30):
        spread = math.sqrt(max(_at(variance, grid, pairs).sum(), 1e-18))
        again = whole(_falling(gains.mean(axis=1) - z * slope / (2 * spread), grid), given)
        if np.array_equal(again, pairs):
            break
        pairs = again
    ends = [float(np.quantile(drawn.score(p.astype(float)) @ given.weight, quantile)) for p in (best.pairs, pairs)]
    return mixture_of("robust", pairs if ends[1] > ends[0] else best.pairs, given)


def _at(table: Floats, grid: Floats, pairs: Integers) -> Floats:
    return np.array([np.interp(math.log(x), np.log(grid), column) for x, column in zip(pairs, table.T, strict=True)])


def _falling(gains: Floats, grid: Floats) -> TableCurves:
    """Curves of these gains, made falling where the variance grows because nothing was measured there."""
    falling = np.minimum.accumulate(np.maximum(gains, 1e-300), axis=0)
    falling = falling * np.exp(-1e-9 * np.arange(len(falling)))[:, None]  # strictly
    return TableCurves(np.repeat(grid[:, None], gains.shape[1], axis=1), falling)


def parse_name(name: str) -> tuple[str, float]:
    """uniform, unimax, proportional or temperature:A as (name, exponent of the languages' sizes)."""
    kind, _, exponent = name.partition(":")
    if kind not in NAMED or (kind == "temperature") != bool(exponent):
        raise unknown("mixture", name, ["uniform", "unimax", "proportional", "temperature:0.3"])
    if kind != "temperature":
        return kind, 1.0 if kind == "proportional" else 0.0
    try:
        value = float(exponent)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise InputError(f"temperature:A takes an exponent A from 0 (uniform) to 1 (proportional), not '{exponent}'.")
    return kind, value


def named(name: str, given: Problem) -> Mixture:
    """A mixture that needs no laws; in tokens where the budget is.

    `unimax` gives every language the same, cut at its cap, and what is cut off to the others (arXiv 2304.09151,
    algorithm 1); `proportional` gives by what there is, `temperature:A` by its power A (arXiv 1907.05019, A = 1/T);
    `uniform` is the same for all or an InputError.
    """
    kind, exponent = parse_name(name)
    size = given.cost * given.unique
    if exponent and not np.all(np.isfinite(size)):
        raise InputError(f"The mixture {name} follows from how many pairs there are: name a --release or --caps.")
    share = size**exponent if exponent else np.ones(len(given.langs))
    if kind == "uniform":
        each = given.budget / len(given.langs) / given.cost
        for lang, pairs, least, most in zip(given.langs, each, given.floor, given.cap, strict=True):
            if not math.floor(least) <= pairs < most + 1:
                wrong = f"a floor of {least:,.0f}" if pairs < least else f"only {most:,.0f}"
                raise InputError(
                    f"A uniform mixture has {pairs:,.0f} pairs of each language, but {lang} has {wrong}. "
                    "The mixture unimax gives the rest to the others."
                )
    return mixture_of(name, whole(ShareCurves(share / share.sum()), given), given)


def write_mixture(path: Path, mixture: Mixture) -> None:
    """Write a mixture as a CSV of lang, rows and epochs, in one step."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *zip(mixture.langs, mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)])
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_mixture(path: Path, langs: Sequence[str], unique: Mapping[str, int] | None = None) -> Mixture:
    """The mixture of a CSV for these languages, no more and no less; InputError with file and line if anything is odd.

    `unique`, where known, is how many pairs there are of each.
    """
    found: dict[str, tuple[int, float]] = {}
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        lang = row["lang"].strip()
        if lang not in languages():
            raise InputError(f"{where}: {unknown('language', lang, languages())}")
        if lang in found:
            raise InputError(f"{where}: {lang} stands there twice.")
        rows, epochs = _amount(row["rows"], "rows", where), _amount(row["epochs"] or "1", "epochs", where)
        if rows != int(rows) or (unique is not None and rows > unique.get(lang, math.inf)):
            limit = f", of which there are {unique[lang]:,}" if unique is not None and lang in unique else ""
            raise InputError(f"{where}: 'rows' must be a whole number of pairs in {lang}{limit}, not {row['rows']!r}.")
        found[lang] = int(rows), epochs
    if sorted(found) != sorted(langs):
        raise InputError(
            f"{path} is a mixture of {', '.join(sorted(found))}; this one is for {', '.join(sorted(langs))}."
        )
    rows_of = np.array([found[lang][0] for lang in langs], np.int64)
    pairs = np.rint([found[lang][0] * found[lang][1] for lang in langs]).astype(np.int64)
    return Mixture(path.name, tuple(langs), pairs, rows_of)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = decode(path.read_bytes(), path)
    except FileNotFoundError:
        names = "uniform, unimax, proportional, temperature:0.3"
        raise InputError(
            f"There is no file {path}; a mixture is a CSV of lang,rows,epochs or one of {names}."
        ) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a CSV of lang,rows,epochs was expected.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="", restkey="more")
    if [name.strip() for name in reader.fieldnames or ()] != COLUMNS:
        raise InputError(f"{path}, line 1: the columns lang,rows,epochs were expected.")
    reader.fieldnames = COLUMNS
    rows = [(reader.line_num, row) for row in reader]
    for line, row in rows:
        if "more" in row:
            raise InputError(f"{path}, line {line}: there are more values than the columns lang,rows,epochs.")
    if not rows:
        raise InputError(f"{path} holds no row.")
    return rows


def _amount(text: str, name: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 1 and value < 2**53):
        raise InputError(f"{where}: '{name}' must be a number of at least 1, not {text!r}.")
    return value
