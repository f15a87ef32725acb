"""Score: one evaluation result; read strictly from `scores.jsonl`, appended to it, or imported from a CSV."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from corpora.catalog import languages
from corpora.errors import InputError, unknown
from corpora.files import atomic_path
from corpora.reading.strict_json import decode

DIRECTIONS = ("en-xx", "xx-en", "")
NORMAL_95 = 1.959964  # standard deviations from the middle of a 95 % interval to its end
MEASURED = ("value", "interval", "n", "metric_min", "metric_max")
Value = float | int | str | list[float] | None


@dataclass(frozen=True)
class Score:
    """One evaluation result, a row of `scores.jsonl`.

    `size` is the number of sentence pairs of `lang` that the model was trained on (0: none), of a model that learned
    from text and no pairs that of documents. `value` and `interval`
    (its 95 % interval, or None) are in the metric's units, `n` is the number of items scored. `direction` is `en-xx`,
    `xx-en`, or empty where nothing is translated. `metric_min` and `metric_max` are the range of the metric: a row
    carries them, so that the laws can be fitted to any metric, a user's own too. Runs that differ in nothing but `seed`
    are repetitions.
    """

    release: str
    lang: str
    size: int
    seed: int
    mixture: str
    model: str
    benchmark: str
    direction: str
    metric: str
    value: float
    interval: tuple[float, float] | None
    n: int
    signature: str
    metric_min: float
    metric_max: float

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it this result and no other: everything but the measured numbers and the metric's range."""
        return tuple(v for k, v in asdict(self).items() if k not in MEASURED)

    @property
    def std(self) -> float | None:
        """The standard error of the value, from its interval."""
        return (self.interval[1] - self.interval[0]) / (2 * NORMAL_95) if self.interval else None


def read_scores(path: Path) -> list[Score]:
    """Every line of a `scores.jsonl`; InputError with file and line for the first that is not a Score."""
    lines = decode(_bytes(path), path).split("\n")
    scores, seen = [], dict[tuple[object, ...], int]()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        score = _parsed(line, f"{path}, line {number}")
        if score.key in seen:
            raise InputError(
                f"{path}, line {number} is about the same run as line {seen[score.key]}. A repeated run has a seed of "
                "its own; a result that was written twice stands there once: remove one of the lines."
            )
        seen[score.key] = number
        scores.append(score)
    if not scores:
        raise InputError(f"{path} holds no score. `trainer evaluate` writes them; a CSV comes in with --import.")
    return scores


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"There is no file {path}. `trainer evaluate` writes scores; --scores names another."
        ) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a file of scores was expected.") from None


def _parsed(line: str, where: str) -> Score:
    """A Score from one line of JSON, every field there and right."""
    try:
        row = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a JSON object: {error}.") from None
    if not isinstance(row, dict):
        raise InputError(f"{where}: a JSON object was expected, not {str(line)[:80]}.")
    return score_of(row, where)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a field stands in it twice")
    return row


def score_of(row: dict[str, Any], where: str) -> Score:
    """A strictly checked Score from the fields of a row; `where` names it in the InputError."""
    names = [f.name for f in fields(Score)]
    for name in row:
        if name not in names:
            raise InputError(f"{where}: {unknown('field', name, names)}")
    if missing := [name for name in names if name not in row]:
        raise InputError(f"{where}: the field{'s' * (len(missing) > 1)} {', '.join(missing)} must be there.")
    for name, value in row.items():
        _check_type(name, value, where)
    if row["lang"] not in languages():
        raise InputError(f"{where}: {unknown('language', row['lang'], languages())}")
    _check_range(row, where)
    interval = row["interval"] and (float(row["interval"][0]), float(row["interval"][1]))
    numbers = {name: float(row[name]) for name in ("value", "metric_min", "metric_max")}
    return Score(**row | numbers | {"interval": interval or None})


def _check_type(name: str, value: Value, where: str) -> None:
    if name in ("size", "seed", "n"):
        right, expected = type(value) is int and 0 <= value < 2**53, "a whole number of at least 0"
    elif name in ("value", "metric_min", "metric_max"):
        right, expected = _is_number(value), "a number"
    elif name == "interval":
        numbers = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        right = value is None or (numbers and value == sorted(value))  # type: ignore[arg-type]
        expected = "null or [low, high]"
    elif name == "direction":
        right, expected = value in DIRECTIONS, "en-xx, xx-en or empty"
    else:
        right, expected = isinstance(value, str), "a string"
    if not right:
        raise InputError(f"{where}: '{name}' must be {expected}, not {value!r}.")


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300  # type: ignore[arg-type]


def _check_range(row: dict[str, Any], where: str) -> None:
    """InputError unless the value lies in its metric's range, and its interval around it."""
    value, low, high = row["value"], row["metric_min"], row["metric_max"]
    if not low < high:
        raise InputError(f"{where}: 'metric_min' ({low:g}) must be less than 'metric_max' ({high:g}).")
    if not low <= value <= high:
        raise InputError(f"{where}: the value {value:g} is outside the range of {row['metric']}, {low:g} to {high:g}.")
    if row["interval"] and not row["interval"][0] <= value <= row["interval"][1]:
        raise InputError(f"{where}: the value {value:g} is not inside its interval {row['interval']}.")


def append_scores(path: Path, scores: Iterable[Score]) -> int:
    """Add the scores that are not there yet, in one step; returns how many.

    InputError if the file says something else of the same run: a result never changes; and for a value that its
    metric cannot have, which could not be read back.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        there = {score.key: score for score in read_scores(path)} if path.exists() and path.stat().st_size else {}
        before = len(there)
        for score in scores:
            _check_range(asdict(score), str(path))
            if there.setdefault(score.key, score) != score:
                raise InputError(
                    f"{path} says {there[score.key].value:g} of a run in {score.lang} with {score.size:,} pairs (seed "
                    f"{score.seed}), not {score.value:g}. Give the new run a seed of its own, or correct the file."
                )
        if len(there) > before:
            with atomic_path(path) as temporary:
                temporary.write_text("".join(to_line(score) for score in there.values()), encoding="utf-8")
    return len(there) - before


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait up to a minute for whoever else is adding to the file."""
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=60):
            yield
    except Timeout:
        raise InputError(f"Another run has been adding to {path} for a minute. Try again when it has ended.") from None


def to_line(score: Score) -> str:
    """A score as one line of `scores.jsonl`, with its newline."""
    return json.dumps(asdict(score), ensure_ascii=False, allow_nan=False) + "\n"


def read_csv(
    path: Path, metric: str, benchmark: str = "", direction: str = "", metric_range: tuple[float, float] = (0.0, 100.0)
) -> list[Score]:
    """Scores from a CSV with the columns lang, size, score and, where known, std (its standard error).

    Rows of equal language and size are repeated runs: they get the seeds 0, 1, 2, ... in the order of the file.
    """
    reader = csv.DictReader(io.StringIO(decode(_bytes(path), path), newline=""), restkey="", restval=None)
    columns = [name.strip() for name in reader.fieldnames or ()]
    if sorted(columns) not in (["lang", "score", "size"], ["lang", "score", "size", "std"]):
        raise InputError(f"{path}, line 1: the columns lang,size,score or lang,size,score,std were expected.")
    reader.fieldnames = columns
    scores, runs = [], dict[tuple[str, int], int]()
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if "" in row:
            raise InputError(f"{where}: there are more values than columns.")
        lang, size = (row["lang"] or "").strip(), int(_number(row["size"], "size", where))
        seed = runs[lang, size] = runs.get((lang, size), -1) + 1
        fixed = {"release": "", "mixture": "", "model": "", "n": 0, "signature": "imported"}
        fixed |= dict(zip(("metric_min", "metric_max"), metric_range, strict=True))
        named = {"metric": metric, "benchmark": benchmark, "direction": direction}
        scores.append(score_of(fixed | named | {"lang": lang, "size": size, "seed": seed} | _values(row, where), where))
    if not scores:
        raise InputError(f"{path} holds no row.")
    return scores


def _values(row: dict[str, Any], where: str) -> dict[str, Any]:
    value, std = _number(row["score"], "score", where), row.get("std")
    if not (std or "").strip():
        return {"value": value, "interval": None}
    around = NORMAL_95 * _number(std, "std", where)
    if around < 0:
        raise InputError(f"{where}: 'std' must be a number of at least 0, not {std!r}.")
    return {"value": value, "interval": [value - around, value + around]}


def _number(text: str | None, name: str, where: str) -> float:
    """A column of a CSV as a finite number; a size also as a whole one."""
    if text is None or not text.strip():
        raise InputError(f"{where}: '{name}' is missing.")
    try:
        number = float(text.strip().replace("_", "x"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (name == "size" and (number < 0 or number % 1)):
        expected = "a whole number of at least 0" if name == "size" else "a number"
        raise InputError(f"{where}: '{name}' must be {expected}, not {text!r}.")
    return number
