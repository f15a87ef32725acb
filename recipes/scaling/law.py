"""ScalingLaw: a score as a function of the number of sentence pairs, with its uncertainty; read, written, predicted."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.catalog import languages
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from corpora.reading.strict_json import parse_json

Floats = NDArray[np.float64]
FORMS = {  # the parameters of each form; the simpler first
    "power": 2,  # ceiling fixed at the metric's top: arXiv 2308.04948, S = 100 - alpha (gamma X)^beta
    "ceiling": 3,  # the ceiling is free
    "shifted": 4,  # and what the model knew before the first pair counts as `start` pairs
}
LEVEL = 0.9  # of every interval
DIGITS = 9  # significant digits of a draw in a file
PARAMETERS = ("ceiling", "k", "beta", "start")


@dataclass(frozen=True)
class Point:
    """A measured score: pairs, value in points, its standard error if known, and whether the fit uses it."""

    size: int
    value: float
    std: float | None = None
    used: bool = True


@dataclass(frozen=True)
class ScalingLaw:
    """S(X) = ceiling - k (X + start)^beta for X sentence pairs of a language, beta in (-1, 0).

    arXiv 2308.04948, section 4.3, is the form with the ceiling at 100 and no start, where k = alpha gamma^beta: only k
    and beta can be told from scores; `alpha` is known where gamma is. `draws`, of shape (number, 4), are equally
    likely values of (ceiling, k, beta, start); none for a law without known error. `noise` is the standard deviation
    of a run in points, `borrowed` the share of what is known of beta that comes from other languages, `held_out` the
    mean absolute error of each form on the largest sizes when they were left out of the fit.
    """

    lang: str
    ceiling: float
    k: float
    beta: float
    start: float = 0.0
    form: str = "power"
    gamma: float | None = None
    noise: float | None = None
    borrowed: float = 0.0
    held_out: Mapping[str, float] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    draws: Floats = field(default_factory=lambda: np.empty((0, 4)))

    @property
    def alpha(self) -> float | None:
        """The paper's alpha, where gamma is known: k = alpha gamma^beta."""
        return self.k * self.gamma**-self.beta if self.gamma else None

    def predict(self, pairs: Floats | float) -> Floats:
        """The score in points at so many pairs."""
        return np.asarray(_score(np.array([self.ceiling, self.k, self.beta, self.start]), np.asarray(pairs, float)))

    def scores(self, pairs: Floats | float) -> Floats:
        """The score under each draw: shape (draws, pairs)."""
        drawn = self.draws if len(self.draws) else np.array([[self.ceiling, self.k, self.beta, self.start]])
        return np.asarray(_score(drawn[:, :, None].transpose(1, 0, 2), np.atleast_1d(np.asarray(pairs, float))))

    def interval(self, pairs: Floats | float, level: float = LEVEL) -> tuple[Floats, Floats]:
        """The ends of the central interval of the law's score (not of a run's) at so many pairs."""
        low, high = np.quantile(self.scores(pairs), [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    def parameter_interval(self, name: str, level: float = LEVEL) -> tuple[float, float]:
        """The ends of the central interval of ceiling, k, beta or start; the value twice if there are no draws."""
        if not len(self.draws):
            return (getattr(self, name),) * 2
        column = self.draws[:, PARAMETERS.index(name)]
        low, high = np.quantile(column, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)


def _score(parameters: Floats, pairs: Floats) -> Floats:
    ceiling, k, beta, start = parameters
    with np.errstate(divide="ignore"):
        return np.asarray(ceiling - k * (pairs + start) ** beta)


@dataclass(frozen=True)
class Laws:
    """The laws of a metric by language, with a sentence for each language that has none."""

    metric: str
    top: float
    laws: Mapping[str, ScalingLaw]
    refused: Mapping[str, str] = field(default_factory=dict)

    def of(self, langs: Sequence[str]) -> list[ScalingLaw]:
        """The laws of some languages; InputError naming those that have none."""
        if without := [lang for lang in langs if lang not in self.laws]:
            why = " ".join(f"{lang}: {self.refused[lang]}" for lang in without if lang in self.refused)
            raise InputError(
                f"There is no law for {', '.join(without)}. {why}{' ' * bool(why)}Measure more sizes, leave the "
                "language out of --langs, or use a mixture that needs no laws, such as UniMax."
            )
        return [self.laws[lang] for lang in langs]


def write_laws(path: Path, laws: Laws) -> None:
    """Write laws as JSON, in one step."""
    table = {"metric": laws.metric, "top": laws.top, "level": LEVEL, "refused": dict(laws.refused), "laws": []}
    table["laws"] = [summary(law) | {"draws": _rounded(law.draws)} for law in laws.laws.values()]
    text = json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(_one_line_a_draw(text) + "\n", encoding="utf-8")


def _rounded(draws: Floats) -> list[list[float]]:
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in draws.tolist()]


def _one_line_a_draw(text: str) -> str:
    """JSON of one indent a level, with lists of numbers on one line."""
    import re

    return re.sub(
        r"\[[^\[\]{}\"]*\]", lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(" ]", "]"), text
    )


def summary(law: ScalingLaw) -> dict[str, Any]:
    """A law as JSON values, without its draws: what the manifest and the card say."""
    known = {"gamma": law.gamma, "alpha": law.alpha} if law.gamma else {}
    return {
        "lang": law.lang,
        "form": law.form,
        "ceiling": law.ceiling,
        "k": law.k,
        "beta": law.beta,
        "start": law.start,
        **known,
        "intervals": {name: list(law.parameter_interval(name)) for name in PARAMETERS} if len(law.draws) else {},
        "noise": law.noise,
        "borrowed": law.borrowed,
        "held_out": dict(law.held_out),
        "points": [[p.size, p.value, p.std, p.used] for p in law.points],
    }


def read_laws(path: Path) -> Laws:
    """The laws of a JSON file, as `builders fit` writes it or by hand: lang, k and beta suffice; InputError if odd."""
    try:
        table = parse_json(path.read_bytes(), path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. `builders fit` writes laws; --laws names another.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a file of laws was expected.") from None
    if not isinstance(table, dict) or not isinstance(table.get("laws"), list) or not table["laws"]:
        raise InputError(f"{path}: an object with a list 'laws' was expected, as `builders fit` writes it.")
    metric, top = table.get("metric", ""), table.get("top", 100.0)
    if not isinstance(metric, str) or not _finite(top) or not isinstance(table.get("refused", {}), dict):
        raise InputError(f"{path}: 'metric' must be a string, 'top' a number and 'refused' an object.")
    laws: dict[str, ScalingLaw] = {}
    for number, row in enumerate(table["laws"], start=1):
        law = _law(row, float(top), f"{path}, law {number}")
        if law.lang in laws:
            raise InputError(f"{path}, law {number}: {law.lang} has a law already; a language has one.")
        laws[law.lang] = law
    return Laws(metric, float(top), laws, {str(k): str(v) for k, v in table.get("refused", {}).items()})


def _law(row: Any, top: float, where: str) -> ScalingLaw:
    """One strictly checked law."""
    known = {*summary(ScalingLaw("", 0, 1, -0.5)), "gamma", "alpha", "draws"}
    if not isinstance(row, dict):
        raise InputError(f"{where}: an object was expected, not {row!r}.")
    for key in row:
        if key not in known:
            raise InputError(f"{where}: {unknown('key', key, known)}")
    if missing := sorted({"lang", "k", "beta"} - row.keys()):
        raise InputError(f"{where}: {', '.join(missing)} must be there.")
    if row["lang"] not in languages():
        raise InputError(f"{where}: {unknown('language', str(row['lang']), languages())}")
    if row.get("form", "power") not in FORMS:
        raise InputError(f"{where}: {unknown('form', str(row['form']), FORMS)}")
    draws = _draws(row.get("draws", []), where)
    values = {"ceiling": top, "start": 0.0, **row}
    _check(np.array([[values[name] if _finite(values[name]) else math.nan for name in PARAMETERS]]), where)
    return ScalingLaw(
        **{name: float(values[name]) for name in PARAMETERS},
        lang=row["lang"],
        form=row.get("form", "power"),
        gamma=_optional(row, "gamma", where),
        noise=_optional(row, "noise", where),
        borrowed=_optional(row, "borrowed", where) or 0.0,
        held_out=_numbers(row.get("held_out", {}), where),
        points=tuple(_point(value, where) for value in row.get("points", [])),
        draws=draws,
    )


def _optional(row: Mapping[str, Any], name: str, where: str) -> float | None:
    """A number of at least 0 that may be missing or null."""
    value = row.get(name)
    if value is None or (_finite(value) and value >= 0):
        return None if value is None else float(value)
    raise InputError(f"{where}: '{name}' must be a number of at least 0, not {value!r}.")


def _numbers(value: Any, where: str) -> dict[str, float]:
    if not isinstance(value, dict) or not all(map(_finite, value.values())):
        raise InputError(f"{where}: 'held_out' must be an object of numbers, not {value!r}.")
    return {str(name): float(number) for name, number in value.items()}


def _point(value: Any, where: str) -> Point:
    right = isinstance(value, list) and len(value) == 4 and all(map(_finite, value[:2])) and type(value[3]) is bool
    if not right or not (value[2] is None or _finite(value[2])):
        raise InputError(f"{where}: a point must be [size, value, std or null, used], not {value!r}.")
    return Point(int(value[0]), *value[1:])


def _draws(value: Any, where: str) -> Floats:
    rows = value if isinstance(value, list) else [None]
    if not all(isinstance(row, list) and len(row) == 4 and all(map(_finite, row)) for row in rows):
        raise InputError(f"{where}: 'draws' must be a list of [{', '.join(PARAMETERS)}], all numbers.")
    draws = np.array(rows, float).reshape(-1, 4)
    _check(draws, where)
    return draws


def _check(rows: Floats, where: str) -> None:
    """InputError unless every row is a rising concave law, with numbers that a computer can tell apart."""
    for ceiling, k, beta, start in rows.tolist():
        if not (abs(ceiling) <= 1e6 and 1e-30 <= k <= 1e30 and -1 < beta <= -1e-6 and 0 <= start <= 1e18):
            raise InputError(
                f"{where}: a law needs k above 0 (1e-30 to 1e30), beta between -1 and 0, start from 0 to 1e18 and a "
                f"ceiling within a million of 0, not ceiling {ceiling:g}, k {k:g}, beta {beta:g}, start {start:g}."
            )


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300
