"""Leave a part out of translations, to see what that does to their measures."""

import re
import zlib

from builders.alignment.measures import MARK

MIN_CUT, MAX_CUT = 0.12, 0.7  # of a translation
MAX_ENDS = 16  # where a part may begin or end
CLAUSE_END = re.compile(rf"{MARK.pattern}\W*")
WORD_END = re.compile(r"\s+")


def leave_out_part(text: str, by_clause: bool) -> str:
    """Return a translation without a part of it, clauses or any words; empty if it has no such part."""
    ends = [0, *(match.end() for match in (CLAUSE_END if by_clause else WORD_END).finditer(text)), len(text)]
    if not by_clause and len(ends) < MAX_ENDS // 2:  # a script without spaces
        ends = list(range(len(text) + 1))
    ends = sorted({*ends[:: -(-len(ends) // MAX_ENDS)], len(text)})
    least, most = MIN_CUT * len(text), MAX_CUT * len(text)
    parts = [(start, end) for start in ends for end in ends if start < end and least <= end - start <= most]
    if not parts:
        return ""
    start, end = parts[zlib.crc32(text.encode()) % len(parts)]
    return text[:start] + text[end:]
