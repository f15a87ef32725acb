"""The texts and measures of a few lines, read from the row groups that hold them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builders.lines.builds import PartFiles, ReplacedError
from builders.lines.columns import Array, Lines

GROUPS = 64  # row groups of texts that stay in memory
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


def read_together(lines: Lines, indices: Array, limit: int, max_groups: int = 3) -> Array:
    """Return the first `limit` of some lines, in their order, from the few row groups that hold most of them."""
    groups = row_groups(lines, indices)
    names, counts = np.unique(groups, return_counts=True)
    best = names[np.argsort(-counts, kind="stable")[:max_groups]]
    return indices[np.isin(groups, best)][:limit]


def find_line(lines: Lines, corpus: str, line_number: int) -> int | None:
    """Return the number of a line by its corpus and its number in the file."""
    for offset, part in zip(lines.offsets.tolist(), lines.parts, strict=False):
        if _corpus(part) == corpus:
            first = _row(part.decisions, 0)["line_number"]
            if first <= line_number < first + part.num_rows:
                return int(offset + line_number - first)
    return None


def _corpus(part: PartFiles) -> str:
    return str(_row(part.decisions, 0)["corpus"])


def order_of(indices: Array, seed: int = 0) -> Array:
    """Return lines in an order that looks random and is always the same."""
    keys = (indices.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)) ^ np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
    return indices[np.argsort(keys ^ (keys >> np.uint64(32)), kind="stable")]


def lines_near(lines: Lines, values: Array, limit: float, candidates: Array, num: int) -> Sequence[int]:
    """Return the `num` of some lines whose measures are nearest to a threshold, from few row groups."""
    if not len(candidates):
        return []
    distances = np.abs(values[candidates] - limit)
    nearest = min(len(candidates), num * 40)
    chosen = np.arange(len(candidates))
    if nearest < len(candidates):
        chosen = np.argpartition(distances, nearest - 1)[:nearest]
    chosen = chosen[np.argsort(distances[chosen], kind="stable")]
    return [int(index) for index in read_together(lines, candidates[chosen], num)]
