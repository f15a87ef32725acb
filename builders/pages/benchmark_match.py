"""The benchmark sentence that a contaminated line shares n-grams with, and the run of characters that both have."""

import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.lines import Line, Lines
from builders.pages.highlight import Pieces, mark_nothing
from corpora.catalog import language
from corpora.language_id import without_accents

NGRAM_SIZE = 30  # characters of English, as decontamination compares them
STRIDE = 4  # characters from one tried n-gram to the next
MAX_CHARS = 1_000  # of a side that is searched


def find_benchmark_sentence(lines: Lines, row: Line) -> tuple[str, Pieces, Pieces] | None:
    """Return the sentence as it is compared, and both sides with what they share with it; None if there is none."""
    benchmark = row.measures.get("benchmark")
    for code, text in (("en", row.en), (lines.lang, row.xx)):
        for path in lines.build.files("ngrams", f"{code}."):
            size = max(8, round(NGRAM_SIZE * language(code).ratio))
            if benchmark and (sentence := _find(_sentences(path, str(benchmark)), _normalized(text)[0], size)):
                sides = [_mark(side, sentence, size) for side in (row.en, row.xx)]
                return sentence, sides[0], sides[1]
    return None


@lru_cache(maxsize=8)
def _sentences(path: Path, benchmark: str) -> str:
    """Return the sentences of a benchmark, one a line, without spaces and punctuation."""
    table = pq.read_table(path, columns=["benchmark", "sentence"])
    return "\n".join(table.filter(pc.equal(table["benchmark"], benchmark))["sentence"].to_pylist())


def _find(sentences: str, text: str, size: int) -> str:
    """Return the first sentence that contains an n-gram of a text, or that the text contains as a whole."""
    for start in range(0, max(1, len(text) - size + 1), STRIDE):
        position = sentences.find(text[start : start + size])
        if position >= 0 and text:
            first = sentences.rfind("\n", 0, position) + 1
            return sentences[first:].partition("\n")[0]
    return ""


def _normalized(text: str) -> tuple[str, list[int]]:
    """Return the letters and digits of a text in lower case without accents, and where each is in the text."""
    kept, indices = [], []
    for index, character in enumerate(text[:MAX_CHARS]):
        if unicodedata.category(character)[0] in "LMN":
            for lowered in without_accents(character.lower()).replace("ς", "σ"):
                kept.append(lowered)
                indices.append(index)
    return "".join(kept), indices


def _mark(text: str, sentence: str, size: int) -> Pieces:
    """Mark the longest run that a text shares with a sentence, if it is an n-gram."""
    normalized, indices = _normalized(text)
    match = SequenceMatcher(None, normalized, sentence, autojunk=False).find_longest_match()
    if match.size < min(size, len(sentence)):
        return mark_nothing(text)
    first, last = indices[match.a], indices[match.a + match.size - 1] + 1
    marked = [(piece, mark or "shared") for piece, mark in mark_nothing(text[first:last])]
    return mark_nothing(text[:first]) + marked + mark_nothing(text[last:])
