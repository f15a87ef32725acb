"""Compare an answer with a reference by the rules of MLQA, of SQuAD, and of arXiv 2308.04948."""

import re
import string
import unicodedata
from collections import Counter
from functools import cache

MLQA_LANGS = ("ar", "de", "en", "es", "hi", "vi", "zh")  # with a rule in MLQA's script; SQuAD's applies to others
ARTICLES = {  # removed before words are compared; MLQA's script, `mlqa_evaluation_v1.py`
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "ar": r"\sال^|ال",  # takes the letters out of the middle of words too: published numbers are made so
}
FIXED = {"ar": r"(?:^|\s)ال"}  # the article alone, as lm-evaluation-harness does since its pull request 3589
ARABIC = ("official", "fixed")


RULES = ("mlqa", "squad")  # whose script compares English answers


def rules(arabic: str = "official", english: str = "mlqa") -> str:
    """Return the names of the rules by which answers are normalised, for a signature."""
    own = ",".join(lang for lang in MLQA_LANGS if not (lang == "en" and english == "squad"))
    return f"mlqa:{own}|squad-1.1:others|arabic:{arabic}"


def words(text: str, lang: str, arabic: str = "official", english: str = "mlqa") -> list[str]:
    """Return the words of an answer as MLQA's script compares them, or SQuAD's.

    MLQA's removes case, all punctuation of Unicode and articles of the language, and splits Chinese by character.
    SQuAD's (`evaluate-v1.1.py`) removes case, ASCII punctuation and English articles, whatever the language.
    """
    if lang not in MLQA_LANGS or (lang == "en" and english == "squad"):
        return _squad_words(text)
    plain = _without_punctuation(text.lower())
    articles = FIXED[lang] if lang in FIXED and arabic == "fixed" else ARTICLES.get(lang)
    if articles:
        plain = re.sub(articles, " ", plain)
    if lang == "zh":
        return _split_chinese(plain)
    return [word for word in plain.split() if word]


def _squad_words(text: str) -> list[str]:
    plain = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(ARTICLES["en"], " ", plain).split()


def exact(answer: str, reference: str, lang: str, arabic: str = "official", english: str = "mlqa") -> float:
    """Return 1 if answer and reference are the same words, else 0."""
    return float(words(answer, lang, arabic, english) == words(reference, lang, arabic, english))


def overlap(answer: str, reference: str, lang: str, arabic: str = "official", english: str = "mlqa") -> float:
    """Return the F1 of the words that answer and reference share, 0..1."""
    answered, expected = words(answer, lang, arabic, english), words(reference, lang, arabic, english)
    shared = sum((Counter(answered) & Counter(expected)).values())
    return 2 * shared / (len(answered) + len(expected)) if shared else 0.0


def contained(answer: str, reference: str) -> float:
    """Return 1 if the answer contains the reference, ignoring letter case, else 0.

    This is what arXiv 2308.04948 calls exact matching (Table 6): nothing else is normalised, and only the first
    reference counts.
    """
    return float(reference.lower() in answer.lower())


def _without_punctuation(text: str) -> str:
    return "".join(character for character in text if character not in _punctuation())


@cache
def _punctuation() -> frozenset[str]:
    """Return every character of Unicode's categories P*, and ASCII signs such as $ and +."""
    characters = (chr(code) for code in range(0x110000))
    return frozenset(string.punctuation) | {c for c in characters if unicodedata.category(c).startswith("P")}


def _split_chinese(text: str) -> list[str]:
    """Return each Chinese character by itself, and the text between them split at spaces."""
    spaced = re.sub(r"([\u4e00-\u9fa5])", r" \1 ", text)
    return spaced.split()
