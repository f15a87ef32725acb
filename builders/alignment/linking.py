"""Link the tokens of a pair one to one, the strongest evidence first."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.alignment.token_pairs import capacity_for, fill_table, key_of, slot_of
from builders.alignment.training import Side
from corpora.compiled import compiled

SAME_WORD_EVIDENCE = np.float32(6.0)  # of the same name or number on both sides
MAX_TOKENS = 600  # of a side of a pair that is judged
IS_NAME = np.uint32(1)  # the bit of a token that may be the same on both sides

Array = NDArray[Any]


@dataclass(frozen=True)
class LinkTable:
    """The evidence of links by their tokens, as compiled code reads it."""

    keys: Array
    evidence: Array


def link_table(en: Array, xx: Array, evidence: Array) -> LinkTable:
    """Return the table of links."""
    keys = np.zeros(capacity_for(len(en)), np.uint64)
    table = LinkTable(keys, np.zeros(keys.size, np.float32))
    fill_table(en, xx, evidence, table.keys, table.evidence)
    return table


def link_tokens(en: Side, xx: Side, links: LinkTable) -> tuple[Array, Array]:
    """Return the evidence of every token of both sides: that of its link, or 0 if it has none."""
    en_evidence, xx_evidence = np.zeros(len(en.tokens), np.float32), np.zeros(len(xx.tokens), np.float32)
    _link(en.tokens, en.ends, xx.tokens, xx.ends, links.keys, links.evidence, en_evidence, xx_evidence)
    return en_evidence, xx_evidence


@compiled
def _link(en, en_ends, xx, xx_ends, keys, evidence, en_evidence, xx_evidence):  # type: ignore[no-untyped-def]
    """Write the evidence of the token of each link on both sides."""
    for row in range(en_ends.size - 1):
        a, x = en_ends[row], xx_ends[row]
        rows, columns = en_ends[row + 1] - a, xx_ends[row + 1] - x
        if rows > MAX_TOKENS or columns > MAX_TOKENS:
            continue
        strengths, at = np.empty(rows * columns, np.float32), np.empty(rows * columns, np.int64)
        count = 0
        for i in range(rows):
            e = en[a + i]
            for j in range(columns):
                f = xx[x + j]
                value = _evidence_of(e, f, keys, evidence)
                if value > 0:
                    strengths[count], at[count] = -value, i * columns + j
                    count += 1
        for n in np.argsort(strengths[:count], kind="mergesort"):
            i, j = a + at[n] // columns, x + at[n] % columns
            if en_evidence[i] == 0 and xx_evidence[j] == 0:
                en_evidence[i] = xx_evidence[j] = -strengths[n]


@compiled
def _evidence_of(e, f, keys, evidence):  # type: ignore[no-untyped-def]
    """Return the evidence that two tokens translate each other, or 0."""
    if e == f and e & IS_NAME:
        return SAME_WORD_EVIDENCE
    return evidence[slot_of(key_of(e, f), keys)]
