"""Find corpora whose lines do not fit: both sides swapped, or each translation some lines away from its sentence.

A translation is about as long as its sentence, so the lengths of both sides rise and fall together. Where those of
lines next to each other do so much more, the sides are shifted. No words are read, so it works for all languages.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from builders.pipeline.decisions import PartTables
from corpora.catalog import language

BLOCK_LINES = 200  # lines whose lengths are compared at once
MIN_LINES = 10  # of a block
SHIFTS = (1, -1, 2, -2)  # lines from a sentence to its translation
MIN_CORRELATION = 0.6  # of the lengths of shifted lines
FEW_BLOCKS_DEVIATIONS, DEVIATIONS = 3.3, 5  # standard deviations by which it has to be greater: one block, many blocks
SWAPPED_SHARE = 0.2  # of the lines of a corpus whose sides are both in the other's language
MAX_PARTS = 40  # of a corpus that are looked at

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Shift:
    first_line: int  # of the first block that is shifted
    num_off: int  # lines by which the other side is later
    num_lines: int  # of all such blocks


def order_warnings(parts: Mapping[str, Sequence[PartTables]]) -> Iterator[str]:
    """Yield a sentence for each corpus in a language that looks swapped or shifted, with what to do."""
    for lang, tables in parts.items():
        for corpus in dict.fromkeys(own.part.corpus for own in tables):
            own = [table for table in tables if table.part.corpus == corpus]
            own = own[:: max(1, len(own) // MAX_PARTS)]
            share = swapped_share([table.decisions for table in own], lang)
            if share >= SWAPPED_SHARE:
                yield _swapped(corpus, lang, share)
            if shift := find_shift([table.measured for table in own]):
                yield _shifted(corpus, lang, shift)


def swapped_share(decisions: list[Path], lang: str) -> float:
    """Return the share of the lines with both languages identified whose sides are in each other's language."""
    labels = pl.scan_parquet(decisions, glob=False).select("en_label", "xx_label").drop_nulls()
    foreign = pl.col("en_label").is_in(language(lang).labels) if language(lang).labels else pl.col("en_label") != "en"
    shares = labels.select((foreign & (pl.col("xx_label") == "en")).mean()).collect()
    return float(shares.item() or 0)


def find_shift(measured: Sequence[Path]) -> _Shift | None:
    """Return where the lines of a corpus are shifted, if they are."""
    counts: Counter[int] = Counter()
    first: dict[int, int] = {}
    for path in measured:
        table = pl.read_parquet(path, columns=["line_number", "en_length", "xx_length"], glob=False)
        numbers = table["line_number"].to_numpy()
        en, xx = (np.log1p(table[name].fill_null(0).to_numpy()) for name in ("en_length", "xx_length"))
        is_alone = len(measured) == 1 and len(en) < 2 * BLOCK_LINES
        for begin, shift, num_lines in shifted_blocks(en, xx, FEW_BLOCKS_DEVIATIONS if is_alone else DEVIATIONS):
            counts[shift] += num_lines
            first.setdefault(shift, int(numbers[begin]))
    if not counts:
        return None
    shift, num_lines = counts.most_common(1)[0]
    return _Shift(first[shift], shift, num_lines)


def shifted_blocks(en: Floats, xx: Floats, deviations: float) -> Iterator[tuple[int, int, int]]:
    """Yield first line, shift and size of each block of lines whose logarithms of lengths fit better when shifted."""
    last = max(0, len(en) // BLOCK_LINES - 1) * BLOCK_LINES  # where the last block begins, which has the rest too
    for begin, end, size in ((0, last, BLOCK_LINES), (last, len(en), len(en) - last)):
        if end > begin and size >= MIN_LINES:
            rows = [side[begin:end].reshape(-1, size) for side in (en, xx)]
            for block, shift in _shifts(rows[0], rows[1], deviations):
                yield begin + block * size, shift, size


def _shifts(en: Floats, xx: Floats, deviations: float) -> Iterator[tuple[int, int]]:
    """Yield the number and the shift of each block, a row of both, that fits better when shifted."""
    own, *others = (_correlations(en, xx, shift) for shift in (0, *SHIFTS))
    shifted = np.stack(others)
    best = shifted.argmax(axis=0)
    greatest = shifted.max(axis=0)
    errors = np.sqrt(2 / (en.shape[1] - np.abs(np.array(SHIFTS))[best] - 3))
    is_shifted = (greatest >= MIN_CORRELATION) & (_z(greatest) - _z(own) >= deviations * errors)
    for block in np.flatnonzero(is_shifted):
        yield int(block), SHIFTS[best[block]]


def _correlations(en: Floats, xx: Floats, shift: int) -> Floats:
    """Return the correlations of rows of `en` with what stands `shift` places further in `xx`; 0 if all are equal."""
    width = en.shape[1]
    first, second = (en[:, : width - shift], xx[:, shift:]) if shift >= 0 else (en[:, -shift:], xx[:, :shift])
    first, second = (side - side.mean(axis=1, keepdims=True) for side in (first, second))
    size = np.sqrt(np.einsum("ij,ij->i", first, first) * np.einsum("ij,ij->i", second, second))
    correlations: Floats = np.divide(
        np.einsum("ij,ij->i", first, second), size, out=np.zeros_like(size), where=size > 0
    )
    return correlations


def _z(correlations: Floats) -> Floats:
    """Return Fisher's transformation of correlations, whose standard error does not depend on them."""
    transformed: Floats = np.arctanh(np.clip(correlations, -0.9999, 0.9999))
    return transformed


def _swapped(corpus: str, lang: str, share: float) -> str:
    return (
        f"{corpus} looks swapped in {lang}: in {share:.0%} of its lines the English side is {language(lang).name}, and "
        "the other side is English. Exchange the columns or the names of its files where corpora.toml describes "
        f"{corpus}, then build again."
    )


def _shifted(corpus: str, lang: str, shift: _Shift) -> str:
    lines = "line" if abs(shift.num_off) == 1 else "lines"
    where = "after" if shift.num_off > 0 else "before"
    side = "English" if shift.num_off > 0 else language(lang).name
    return (
        f"{corpus} looks shifted in {lang}: from about line {shift.first_line:,} on, in {shift.num_lines:,} lines, "
        f"each translation stands {abs(shift.num_off)} {lines} {where} its sentence. A line in {side} is missing "
        "there, or the other side has one too many: compare both sides near that line, repair the file, and build "
        "again."
    )
