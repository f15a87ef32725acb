"""What each character is and becomes in lower case, as DuckDB's functions have it: a table for compiled code.

The table has an entry of 32 bits for each code point:

    bits 0 to 20   the code point in lower case (σ for ς), or 0 if it is no letter, mark or digit
    bits 21 to 28  the classes of that code point, or 0
    bits 29 to 31  IS_LETTER, IS_SPECIAL and IS_SPACE of the character itself

DuckDB is asked (by its regular expressions and its `lower`), so its SQL and compiled code agree in every character. The
answer is kept beside the compiled code.
"""

import hashlib
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from corpora.files import atomic_path
from corpora.language_id import script_characters

CODE_POINTS, SURROGATES = 0x110000, slice(0xD800, 0xE000)
CODE_POINT_BITS, CLASS_BITS, NUM_SUMS, SUM_BITS = 21, 8, 3, 21
IS_LETTER, IS_SPECIAL, IS_SPACE = 1 << 29, 1 << 30, 1 << 31
# Classes, in the order of the counters of a text.
IS_KEPT, IS_DIGIT, IS_DIVISOR, IS_OWN, IS_OWN_OR_MARK, IS_UNEXPECTED, IS_FIRST_VARIANT, IS_SECOND_VARIANT = (
    1 << bit for bit in range(CLASS_BITS)
)
PRIVATE = (*range(0xE000, 0xF900), *range(0xFDD0, 0xFDF0), 0xFFFE, 0xFFFF)  # for private use, and no characters
DIGITS = (*range(0x660, 0x66A), *range(0x6F0, 0x6FA), *range(0x966, 0x970))  # of Arabic, Persian and Hindi
# Characters at which compiled code looks at the bytes before, for what `needs_check` and other searches of SQL find.
SIGNS = "{}[]<|:/0123456789ĂĹ銆锛锟+#=>%±×÷٪$€£¥₺₹₽\ufffd"
SPECIAL = (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xC0), *map(ord, SIGNS), *DIGITS, *PRIVATE)


def character_table(scripts: tuple[str, ...], first: str, second: str, folder: Path | None) -> NDArray[np.uint32]:
    """Return the entries of all code points, for texts in these Unicode scripts, with these characters of variants.

    It takes 0.3 seconds to make and milliseconds to load from `folder`, where it is kept (None: it is not).
    """
    made_from = repr((scripts, first, second, duckdb.__version__)).encode() + Path(__file__).read_bytes()
    path = folder / f"characters-{hashlib.sha256(made_from).hexdigest()[:16]}.npy" if folder else None
    if path and (known := _read(path)) is not None:
        return known
    table = _Characters().entries(scripts, first, second)
    if path:
        with suppress(OSError), atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, table)
    return table


def _read(path: Path) -> NDArray[np.uint32] | None:
    """Return the table of a file; None if there is none, or a damaged one."""
    try:
        table: NDArray[np.uint32] = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return table if table.shape == (CODE_POINTS,) and table.dtype == np.uint32 else None


@cache
def class_sums() -> NDArray[np.int64]:
    """Return what a character of each class adds to the counters of a text: (sums, classes), three counters a sum."""
    classes = np.arange(1 << CLASS_BITS)
    sums = np.zeros((NUM_SUMS, classes.size), np.int64)
    for bit in range(CLASS_BITS):
        sums[bit // 3] |= (classes >> bit & 1) << bit % 3 * SUM_BITS
    return sums


class _Characters:
    """All characters, and DuckDB to ask about them."""

    def __init__(self) -> None:
        self.database = duckdb.connect(":memory:", config={"threads": 1})
        self.points = np.delete(np.arange(CODE_POINTS, dtype=np.uint32), SURROGATES)[1:]  # without NUL
        self.text = _text(self.points)

    def which(self, character_class: str) -> NDArray[np.bool_]:
        """Return for each code point whether it is in a class, such as `\\pL`."""
        others = f"[^{character_class}]+"
        (rest,) = self.row("select regexp_replace($text, $others, '', 'g')", text=self.text, others=others)
        is_in = np.zeros(CODE_POINTS, np.bool_)
        is_in[_points(rest)] = True
        return is_in

    def row(self, query: str, **values: str) -> tuple[str, ...]:
        row = self.database.execute(query, values).fetchone()
        assert row is not None
        return row

    @cached_property
    def lower(self) -> NDArray[np.uint32]:
        """The code point that each becomes in normalized text."""
        (lowered,) = self.row("select replace(lower($text), 'ς', 'σ')", text=self.text)
        lower = np.arange(CODE_POINTS, dtype=np.uint32)
        lower[self.points] = _points(lowered)
        return lower

    def entries(self, scripts: tuple[str, ...], first: str, second: str) -> NDArray[np.uint32]:
        letter, mark, digit = (self.which(name) for name in (r"\pL", r"\pM", r"\pN"))
        latin = self.which(r"\p{Latin}")
        own = self.which(script_characters(scripts))
        expected = own | mark | digit | latin  # the formulas of script_patterns
        divisor = letter & ~latin
        if "Latin" in scripts:
            expected, divisor = own | mark | digit, letter
        classes = np.zeros(CODE_POINTS, np.uint32)
        for bit, is_in in (
            (IS_DIGIT, digit),
            (IS_DIVISOR, divisor),
            (IS_OWN, own & ~mark),
            (IS_OWN_OR_MARK, own),
            (IS_UNEXPECTED, ~expected),
            (IS_FIRST_VARIANT, self.which(first) if first else None),
            (IS_SECOND_VARIANT, self.which(second) if second else None),
        ):
            if is_in is not None:
                classes[is_in] |= bit
        kept = letter | mark | digit
        classes = np.where(kept, classes | IS_KEPT, 0)
        entries = np.where(kept[self.lower], self.lower | classes[self.lower] << CODE_POINT_BITS, 0).astype(np.uint32)
        entries[letter] |= IS_LETTER
        entries[self.which(r"\s\pZ\x{200B}\x{2060}\x{FEFF}")] |= IS_SPACE  # as strip_whitespace has it
        entries[list(SPECIAL)] |= IS_SPECIAL
        assert np.all(_num_bytes(self.lower) * 2 <= _num_bytes(np.arange(CODE_POINTS)) * 3)
        return entries


def _text(points: NDArray[np.uint32]) -> str:
    return points.astype("<u4").tobytes().decode("utf-32-le")


def _points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


def _num_bytes(points: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the bytes of code points in UTF-8."""
    return 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
