"""The texts and measures of a few lines, read from the row groups that hold them."""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builders.lines.builds import ReplacedError
from builders.lines.columns import Array, Lines

MAX_GROUPS = 3  # row groups that one page reads for its lines
GROUPS = 32  # row groups that stay in memory, about ten megabytes each
HIDDEN = {"en_hash", "xx_hash", "en_norm_hash", "xx_norm_hash", "en_norm", "xx_norm", "en_cleaned", "xx_cleaned"}


@dataclass(frozen=True)
class Line:
    """A line with its texts, the decision on it, and its measures."""

    index: int  # among the lines of the language
    corpus: str
    lang: str
    line_number: int
    en: str
    xx: str
    reason: str  # `kept`, or the filter that rejects it
    measures: dict[str, Any]


def read_lines_at(lines: Lines, indices: Iterable[int]) -> list[Line]:
    """Return the lines with these numbers, in their order."""
    return [_read_line(lines, int(index)) for index in indices]


def _read_line(lines: Lines, index: int) -> Line:
    number = int(np.searchsorted(lines.offsets, index, side="right")) - 1
    part, row = lines.parts[number], index - int(lines.offsets[number])
    measured, decided = _row(part.measured, row), _row(part.decisions, row)
    texts = _row(part.pairs, row)
    measures = {
        name: value
        for name, value in {**measured, **decided}.items()
        if name not in HIDDEN and name not in ("corpus", "lang", "line_number", "reject_reason")
    }
    en, xx = (measured.get(f"{side}_cleaned") or texts[side] or "" for side in ("en", "xx"))
    reason = decided["reject_reason"] or "kept"
    return Line(index, decided["corpus"], lines.lang, decided["line_number"], en, xx, reason, measures)


def read_pairs_at(lines: Lines, indices: Iterable[int]) -> list[dict[str, Any]]:
    """Return the rows of `pairs` of some lines."""
    rows = []
    for index in map(int, indices):
        number = int(np.searchsorted(lines.offsets, index, side="right")) - 1
        rows.append(_row(lines.parts[number].pairs, index - int(lines.offsets[number])))
    return rows


def _row(path: Path, row: int) -> dict[str, Any]:
    """Return a row of a table whose rows are the lines of a part in their order."""
    group, first = _group_of(path, row)
    return dict(_group(path, group).slice(row - first, 1).to_pylist()[0])


def _group_of(path: Path, row: int) -> tuple[int, int]:
    """Return the row group that has a row, and the number of its first row."""
    ends = _ends(path)
    group = int(np.searchsorted(ends, row, side="right"))
    return group, int(ends[group - 1]) if group else 0


@lru_cache(maxsize=4096)
def _ends(path: Path) -> Array:
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid):
        raise _gone(path) from None
    return np.cumsum([metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)])


@lru_cache(maxsize=GROUPS)
def _group(path: Path, group: int) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name not in HIDDEN or name.endswith("_cleaned")]
            return file.read_row_group(group, columns=names)
    except (OSError, pa.ArrowInvalid):
        raise _gone(path) from None


def _gone(path: Path) -> ReplacedError:
    return ReplacedError(
        f"{path.name} cannot be read: the tables of this build were replaced, removed or damaged. Reload the page."
    )


def row_groups(lines: Lines, indices: Array) -> Array:
    """Return a number for each line that is the same for lines whose texts are read together."""
    numbers = np.searchsorted(lines.offsets, indices, side="right") - 1
    groups = np.zeros(len(indices), np.int64)
    for number in np.unique(numbers).tolist():
        own = numbers == number
        rows = indices[own] - lines.offsets[number]
        groups[own] = np.searchsorted(_ends(lines.parts[number].pairs), rows, side="right") + number * 1_000_000
    return groups


def read_together(lines: Lines, indices: Array, limit: int) -> Array:
    """Return the first `limit` of some lines, in their order, from the few row groups that hold most of them."""
    groups = row_groups(lines, indices)
    names, counts = np.unique(groups, return_counts=True)
    best = names[np.argsort(-counts, kind="stable")[:MAX_GROUPS]]
    return indices[np.isin(groups, best)][:limit]


def find_line(lines: Lines, corpus: str, line_number: int) -> int | None:
    """Return the number of a line by its corpus and its number in the file."""
    for offset, part in zip(lines.offsets.tolist(), lines.parts, strict=False):
        name, first = first_line_of(part.decisions)
        if name == corpus and first <= line_number < first + part.num_rows:
            return int(offset + line_number - first)
    return None


def line_id(lines: Lines, index: int) -> tuple[str, int]:
    """Return the corpus of a line and its number in the file."""
    number = int(np.searchsorted(lines.offsets, index, side="right")) - 1
    corpus, first = first_line_of(lines.parts[number].decisions)
    return corpus, first + index - int(lines.offsets[number])


@lru_cache(maxsize=4096)
def first_line_of(decisions: Path) -> tuple[str, int]:
    """Return the corpus of a part and the number of its first line in the file."""
    try:
        with pq.ParquetFile(decisions) as file:
            for batch in file.iter_batches(1, columns=["corpus", "line_number"]):
                return str(batch["corpus"][0]), int(batch["line_number"][0].as_py())
    except (OSError, pa.ArrowInvalid):
        raise _gone(decisions) from None
    return "", 1


def order_of(lines: Lines, indices: Array) -> Array:
    """Return lines in an order that looks random and is the same in every build."""
    return indices[np.argsort(random_keys(lines)[indices], kind="stable")]


def first_at_random(lines: Lines, indices: Array, num: int) -> Array:
    """Return the first `num` of some lines in the order of `order_of`."""
    if num < len(indices):
        keys = random_keys(lines)[indices]
        indices = np.sort(indices[np.argpartition(keys, num - 1)[:num]])
    return order_of(lines, indices)


def random_keys(lines: Lines) -> Array:
    """Return a number for each line, by which its place in a random order is the same in every build."""
    if "random_keys" not in lines.__dict__:
        keys = [np.zeros(0, np.uint32)]
        for part in lines.parts:
            corpus, first = first_line_of(part.decisions)
            numbers = np.arange(first, first + part.num_rows, dtype=np.uint64)
            keys.append(_scramble(numbers + (np.uint64(zlib.crc32(corpus.encode())) << np.uint64(32))))
        lines.__dict__["random_keys"] = np.concatenate(keys)
    value: Array = lines.__dict__["random_keys"]
    return value


def _scramble(numbers: Array) -> Array:
    """Return 32 bits of each number's hash by SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def lines_near(lines: Lines, values: Array, limit: float, sides: Sequence[Array], num: int) -> list[list[int]]:
    """Return of each of several sets of lines the `num` whose measures are nearest to a threshold.

    They are taken from the nearest thousandth of a set, and from few row groups, which the sets share.
    """
    near = [_nearest(values, limit, side, max(num * 40, len(side) // 1000)) for side in sides]
    groups = [row_groups(lines, own) for own in near]
    useful: Counter[int] = Counter()
    for own in groups:
        names, counts = np.unique(own, return_counts=True)
        useful.update(dict(zip(names.tolist(), np.minimum(counts, num).tolist(), strict=True)))
    best: list[int] = []
    for name, _ in useful.most_common(MAX_GROUPS):
        if all(np.isin(own, best).sum() >= min(num, len(own)) for own in groups):
            break
        best.append(name)
    return [own[np.isin(group, best)][:num].tolist() for own, group in zip(near, groups, strict=True)]


def _nearest(values: Array, limit: float, candidates: Array, num: int) -> Array:
    """Return the `num` of some lines whose measures are nearest to a threshold, the nearest first."""
    distances = np.abs(values[candidates] - limit)
    if len(candidates) > 100 * num:  # first those nearer than about four times as many are, as a sample has it
        is_near = distances <= np.partition(distances[::100], num // 25)[num // 25]
        candidates, distances = candidates[is_near], distances[is_near]
    if num < len(candidates):
        chosen = np.argpartition(distances, num - 1)[:num]
        candidates, distances = candidates[chosen], distances[chosen]
    return candidates[np.lexsort((candidates, distances))]
