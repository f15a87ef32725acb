"""Clauses: where a sentence that is too long for a translator is split, never inside a placeholder."""

import re
from collections.abc import Callable

from builders.translation.placeholders import find_placeholders

# A clause ends after each of these. Of positions that are equally central, an earlier kind is better.
CLAUSE_ENDS = (
    re.compile(r"[;:][\"'”’)\]]*\s+|\s[-–—]\s+|(?<=\w)—(?=\w)"),
    re.compile(r",[\"'”’)\]]*\s+"),
    re.compile(
        r"(?<!\s)\s+(?=(?:and|or|nor|but|because|which|who|while|whereas|although|though|when|where|if|so|that)\s)"
    ),
)
CENTRE = 0.25, 0.75  # of the sentence: a better kind outside of it loses to a worse kind inside


def split_at_clauses(sentence: str, fits: Callable[[str], bool]) -> list[str]:
    """Return the parts of a sentence that fit, each with the space after it; joined they are the sentence.

    A sentence that fits is returned whole, and so is one that cannot be split.
    """
    position = None if fits(sentence) else _find_split(sentence)
    if position is None:
        return [sentence]
    return [*split_at_clauses(sentence[:position], fits), *split_at_clauses(sentence[position:], fits)]


def _find_split(sentence: str) -> int | None:
    """Return the position of the best kind of clause end in the centre, else of the one nearest to the middle."""
    inside = {n for begin, end in find_placeholders(sentence) for n in range(begin + 1, end)}
    kinds = [
        [n for match in kind.finditer(sentence) if 0 < (n := match.end()) < len(sentence) and n not in inside]
        for kind in CLAUSE_ENDS
    ]
    low, high = (share * len(sentence) for share in CENTRE)
    central = [[n for n in positions if low <= n <= high] for positions in kinds]
    anywhere = [n for positions in kinds for n in positions]
    best = next((positions for positions in [*central, anywhere] if positions), [])
    return min(best, key=lambda n: abs(2 * n - len(sentence)), default=None)
