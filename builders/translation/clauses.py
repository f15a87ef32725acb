"""Clauses: where a sentence that is too long for the model is cut, never inside a span that must survive."""

import re
from collections.abc import Callable

from builders.translation.placeholders import span_places

# A clause ends after each of these; of places as near to the middle, the first kind is the better one.
ENDS = (
    re.compile(r"[;:][\"'”’)\]]*\s+|\s[-–—]\s+|(?<=\w)—(?=\w)"),
    re.compile(r",[\"'”’)\]]*\s+"),
    re.compile(r"\s+(?=(?:and|or|nor|but|because|which|who|while|whereas|although|though|when|where|if|so|that)\s)"),
)
MIDDLE = 0.25, 0.75  # of the sentence: a better kind of place outside it loses to a worse one inside


def clauses(sentence: str, fits: Callable[[str], bool]) -> list[str]:
    """The sentence in pieces that fit, each with the space after it; joined they are the sentence again.

    A sentence that fits is one piece, and so is one without a place to cut.
    """
    place = None if fits(sentence) else _place(sentence)
    if place is None:
        return [sentence]
    return [*clauses(sentence[:place], fits), *clauses(sentence[place:], fits)]


def _place(sentence: str) -> int | None:
    """Where to cut: at the best kind of clause end around the middle, else at the one nearest to the middle."""
    inside = {n for begin, end in span_places(sentence) for n in range(begin + 1, end)}
    kinds = [
        [n for match in kind.finditer(sentence) if 0 < (n := match.end()) < len(sentence) and n not in inside]
        for kind in ENDS
    ]
    low, high = (share * len(sentence) for share in MIDDLE)
    central = [[n for n in places if low <= n <= high] for places in kinds]
    anywhere = [n for places in kinds for n in places]
    best = next((places for places in [*central, anywhere] if places), [])
    return min(best, key=lambda n: abs(2 * n - len(sentence)), default=None)
