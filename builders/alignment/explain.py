"""The words of a pair that the other side does not explain, for people to read."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from builders.alignment.judge import side_of
from builders.alignment.linking import LinkTable, link_tokens
from builders.alignment.tokens import words_of


def unexplained_words(
    en: Sequence[str], xx: Sequence[str], lang: str, links: LinkTable
) -> tuple[list[list[str]], list[list[str]]]:
    """Return, for each pair, the words of either side that have no link to the other.

    Args:
        en: English sides.
        xx: The other sides.
        lang: Their language.
        links: What the half that judges the pairs has taught.
    """
    words = [[words_of(text, code) for text in texts] for texts, code in ((en, "en"), (xx, lang))]
    tokens = [pa.array([[token for _, token in own] for own in side], pa.list_(pa.uint32())) for side in words]
    evidence = link_tokens(side_of(tokens[0]), side_of(tokens[1]), links)
    return _without_link(words[0], evidence[0]), _without_link(words[1], evidence[1])


def _without_link(words: Sequence[Sequence[tuple[str, int]]], evidence: NDArray[np.float32]) -> list[list[str]]:
    values = iter(evidence.tolist())
    return [list(dict.fromkeys(word for word, _ in own if next(values) == 0)) for own in words]
