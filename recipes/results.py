"""Result: one evaluation result of a model; a line of `results.jsonl`, read strictly and only ever appended."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from filelock import FileLock, Timeout
from pydantic import AfterValidator, Field

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.reading import decode_text
from corpora.tables import STRICT, check_reference, parse_row

NORMAL_95 = 1.959964  # standard deviations from the mean to the end of a 95 % interval
MEASURED = ("value", "interval", "n", "metric_min", "metric_max")  # all other fields say which result it is
DIRECTIONS = ("en-xx", "xx-en", "")
LOCK_TIMEOUT_S = 60


def _ordered(interval: tuple[float, ...]) -> tuple[float, ...]:
    if len(interval) != 2 or interval[0] > interval[1]:
        raise ValueError("null or [low, high]")
    return interval


Count = Annotated[int, Field(ge=0, lt=2**53)]
Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class Result:
    """One evaluation result. Results that differ only in `seed` are of repeated runs."""

    __pydantic_config__ = STRICT
    release: str
    """The release that the model was trained on, as NAME@VERSION; empty if unknown."""
    lang: str
    """The language of the benchmark's items."""
    num_pairs: Count
    """How many translation examples with this language the model was trained on, in both directions together."""
    num_documents: Count
    """How many documents in this language the model was trained on."""
    seed: int
    """The seed of the training run."""
    composition: dict[str, dict[str, int]]
    """How many examples the model was trained on, by task and language; empty if unknown."""
    model: str
    """The name of the model or run."""
    benchmark: str
    """The benchmark."""
    direction: str
    """The direction of a translation, `en-xx` or `xx-en`; empty for other tasks."""
    metric: str
    """The metric."""
    value: Number
    """The metric's value, in its own units; higher is better."""
    interval: Annotated[tuple[Number, ...], AfterValidator(_ordered)] | None
    """The ends of the value's 95 % confidence interval, as [low, high]; null if unknown."""
    n: Count
    """How many items were scored; 0 if unknown."""
    signature: str
    """How the value was computed: what two values must share to be compared."""
    metric_min: Number
    """The least value that the metric can have."""
    metric_max: Number
    """The greatest value that the metric can have."""

    @property
    def key(self) -> tuple[object, ...]:
        """All fields but the measured ones: two results with one key are about the same run."""
        values = asdict(self) | {"composition": json.dumps(self.composition, sort_keys=True)}
        return tuple(value for name, value in values.items() if name not in MEASURED)

    @property
    def std(self) -> float | None:
        """The standard error of the value, from its interval."""
        return (self.interval[1] - self.interval[0]) / (2 * NORMAL_95) if self.interval else None

    @property
    def size(self) -> int:
        """The number of pairs; of a model that was trained on no pairs in any language, the number of documents."""
        has_pairs = self.num_pairs or self.composition.get("translation")
        return self.num_pairs if has_pairs else self.num_documents


def read_results(path: Path) -> list[Result]:
    """Return every result in a `results.jsonl`.

    Raises:
        InputError: A line is not a result, or is about the same run as another; the message has file and line.
    """
    results, lines = [], dict[tuple[object, ...], int]()
    for number, line in enumerate(decode_text(read_bytes(path), path).split("\n"), start=1):
        if not line.strip():
            continue
        result = _parse_line(line, f"{path}, line {number}")
        if result.key in lines:
            raise InputError(
                f"{path}, line {number} is about the same run as line {lines[result.key]}. Remove one of them; a "
                "repeated run has another seed."
            )
        lines[result.key] = number
        results.append(result)
    if not results:
        raise InputError(f"{path} holds no result. `trainer evaluate` writes results; `builders fit --import` a CSV's.")
    return results


def read_results_table(rows: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Return results from the rows of a table, such as Polars makes of a `results.jsonl`.

    Raises:
        InputError: A row is not a result; the message has its number, counted from 1.
    """
    if not rows:
        raise InputError("The table of results holds no row.")
    return [
        parse_result({name: _without_nulls(value) for name, value in row.items()}, f"results, row {number}")
        for number, row in enumerate(rows, start=1)
    ]


def _without_nulls(value: Any) -> Any:
    """Return a value without the nulls that a table has in a mapping for keys of other rows."""
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(item) for key, item in value.items() if item is not None}


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file of results."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. `trainer evaluate` writes one; --results names another.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a file of results was expected.") from None


def _parse_line(line: str, where: str) -> Result:
    try:
        row = json.loads(line, object_pairs_hook=_reject_repeated_keys)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a JSON object: {error}.") from None
    if not isinstance(row, dict):
        raise InputError(f"{where}: a JSON object was expected, not {str(line)[:80]}.")
    return parse_result(row, where)


def _reject_repeated_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a field appears twice")
    return row


def parse_result(row: Mapping[str, Any], where: str) -> Result:
    """Return a result from its fields.

    Raises:
        InputError: A field is unknown, missing or not as expected; the message begins with `where`.
    """
    result = parse_row(row, Result, where)
    check_reference(result.lang, languages(), "language", where)
    check_reference(result.direction, DIRECTIONS, "value of 'direction'", where)
    _check_range(result, where)
    return result


def _check_range(result: Result, where: str) -> None:
    """Raise InputError unless the value is within its metric's range and its interval."""
    value, low, high = result.value, result.metric_min, result.metric_max
    if not low < high:
        raise InputError(f"{where}: 'metric_min' ({low:g}) must be less than 'metric_max' ({high:g}).")
    if not low <= value <= high:
        raise InputError(f"{where}: the value {value:g} is outside the range of {result.metric}, {low:g} to {high:g}.")
    if result.interval and not result.interval[0] <= value <= result.interval[1]:
        raise InputError(f"{where}: the value {value:g} is not inside its interval {list(result.interval)}.")


def append_results(path: Path, results: Iterable[Result]) -> int:
    """Add the results that the file does not have yet, in one step, and return how many.

    Raises:
        InputError: The file has another value for the same run, or a value is outside its metric's range.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        known = {result.key: result for result in read_results(path)} if _has_content(path) else {}
        before = len(known)
        for result in results:
            _check_range(result, str(path))
            if (same := known.setdefault(result.key, result)) != result:
                raise InputError(
                    f"{path} has the value {same.value:g} for a run in {result.lang} with {result.size:,} pairs (seed "
                    f"{result.seed}), not {result.value:g}. Give the new run another seed, or correct the file."
                )
        if len(known) > before:
            with atomic_path(path) as temporary:
                temporary.write_text("".join(map(to_line, known.values())), encoding="utf-8")
    return len(known) - before


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's lock within the block."""
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout:
        raise InputError(
            f"Another run has been writing to {path} for {LOCK_TIMEOUT_S} seconds. Try again when it has ended."
        ) from None


def to_line(result: Result) -> str:
    """Return a result as one line of `results.jsonl`, with its newline."""
    return json.dumps(asdict(result), ensure_ascii=False, allow_nan=False) + "\n"
