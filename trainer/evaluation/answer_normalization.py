"""How an answer is compared with a reference: the rules of MLQA, of SQuAD, and of arXiv 2308.04948."""

import re
import string
import unicodedata
from collections import Counter
from functools import cache

# MLQA has no rule for el, tr and others: theirs is SQuAD's, which knows no articles but English ones.
ARTICLES = {  # taken out before words are compared; MLQA's script, `mlqa_evaluation_v1.py`
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "ar": r"\sال^|ال",  # takes the letters out of the middle of words too: published numbers are made so
}
FIXED = {"ar": r"(?:^|\s)ال"}  # the article alone, as lm-evaluation-harness does since its pull request 3589
ARABIC = ("official", "fixed")


def rules(arabic: str = "official") -> str:
    """The names of the rules by which answers are normalised, for a signature."""
    return f"mlqa|arabic:{arabic}|others:squad-no-articles"


def words(text: str, lang: str, arabic: str = "official") -> list[str]:
    """The words of an answer as MLQA compares them: lower case, no punctuation, no articles; Chinese by character."""
    plain = _without_punctuation(text.lower())
    articles = FIXED[lang] if lang in FIXED and arabic == "fixed" else ARTICLES.get(lang)
    if articles:
        plain = re.sub(articles, " ", plain)
    if lang == "zh":
        return _mixed(plain)
    return [word for word in plain.split() if word]


def exact(answer: str, reference: str, lang: str, arabic: str = "official") -> float:
    """1 if answer and reference are the same words, else 0."""
    return float(words(answer, lang, arabic) == words(reference, lang, arabic))


def overlap(answer: str, reference: str, lang: str, arabic: str = "official") -> float:
    """F1 of the words that answer and reference share, 0..1; 0 where they share none."""
    said, wanted = words(answer, lang, arabic), words(reference, lang, arabic)
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted)) if shared else 0.0


def contained(answer: str, reference: str) -> float:
    """1 if the reference stands in the answer, letter case aside, else 0.

    What arXiv 2308.04948 calls exact matching (Table 6): nothing else is normalised, and only the first reference
    counts.
    """
    return float(reference.lower() in answer.lower())


def _without_punctuation(text: str) -> str:
    return "".join(character for character in text if character not in _punctuation())


@cache
def _punctuation() -> frozenset[str]:
    """Every character of Unicode's categories P*, and ASCII's own signs such as $ and +."""
    every = (chr(code) for code in range(0x110000))
    return frozenset(string.punctuation) | {c for c in every if unicodedata.category(c).startswith("P")}


def _mixed(text: str) -> list[str]:
    """Each Chinese character by itself, and what stands between them split at spaces."""
    spaced = re.sub(r"([\u4e00-\u9fa5])", r" \1 ", text)
    return spaced.split()
