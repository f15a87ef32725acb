"""Find translations in Latin script with another name than their sources have: one is missing, and one is new.

Such translations keep the names of people, and translate those of countries, months and offices. What a word is, its
letters say: those of names that the run keeps, against those of other words of either language.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import log

import pyarrow as pa

from builders.alignment import TaughtWords, link_tokens, side_of, tokenize
from builders.translation.names import MIN_NAME_LETTERS, WORD, fold
from corpora.catalog import language

MIN_NAMES = 50  # that a run keeps: fewer do not say what the letters of names are
MAX_TEXTS = 5_000  # by whose words letters are learned
SAME_BEGINNING = 4  # letters by which two words are forms of one
MIN_SIMILARITY, MIN_SIMILARITY_ALIKE = 0.7, 0.5  # of spellings: of any, and of those that begin alike
BACKOFF = 2.0  # letters that fewer letters before them are worth
UNSEEN, ALPHABET = 0.2, 60
ADJECTIVES = ("ese", "ish", "ian", "ians")  # of countries: translated
HYPHENATED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")  # Mát-xcơ-va


@dataclass(frozen=True)
class Letters:
    """How often letters follow each other in some words."""

    three: Counter[str]
    two: Counter[str]
    one: Counter[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> "Letters":
        """Return the letters of words, each counted once."""
        marked = [f"^^{word.lower()}$" for word in sorted(words)]
        counts = (Counter(w[n : n + size] for w in marked for n in range(len(w) - size + 1)) for size in (3, 2, 1))
        return cls(*counts)

    def fit(self, word: str) -> float:
        """Return the logarithm of the probability of a word's letters, each after the two before it."""
        text = f"^^{word.lower()}$"
        return sum(log(self._probability(text[n - 2 : n + 1])) for n in range(2, len(text)))

    def _probability(self, three: str) -> float:
        shorter = (self.two[three[1:]] + UNSEEN) / (self.one[three[1]] + UNSEEN * ALPHABET)
        return (self.three[three] + BACKOFF * shorter) / (self.two[three[:2]] + BACKOFF)


@dataclass(frozen=True)
class NameJudge:
    """What tells the names of a run from its other words."""

    words: TaughtWords
    lang: str
    ordinary: tuple[frozenset[str], frozenset[str]]  # words in small letters: English ones, and of the language
    names: Letters
    others: tuple[Letters, Letters]

    def measure(self, sources: Sequence[str], translations: Sequence[str]) -> list[float]:
        """Return the log odds that a name is missing, or those that one is new, if lower; -inf for odds below 0."""
        return [self._measure(*pair) for pair in zip(sources, translations, strict=True)]

    def _measure(self, source: str, translation: str) -> float:
        texts = source, translation
        names = self._new_names(source, 0, translation)
        left = [names, self._new_names(translation, 1, source) if names else {}]
        if not left[1]:
            return float("-inf")
        words = [_forms(text) for text in texts]
        for is_same in (_is_kept, _is_spelled_alike):
            left = [{name: odds for name, odds in left[n].items() if not is_same(name, words[1 - n])} for n in (0, 1)]
            if not all(left):
                return float("-inf")
        return min(
            max((own[name] for name in own if not self._is_linked(name, texts, n)), default=float("-inf"))
            for n, own in enumerate(left)
        )

    def _new_names(self, text: str, side: int, other: str) -> dict[str, float]:
        """Return the names of a text that the other one has not in the same letters, with their odds to be names."""
        names = (name for name in _capitalized(text) if name not in other and name.lower() not in self.ordinary[side])
        odds = {n: self.names.fit(n) - self.others[side].fit(n) for n in names if side or not n.endswith(ADJECTIVES)}
        return {name: own for name, own in odds.items() if own > 0}

    def _is_linked(self, name: str, texts: tuple[str, str], side: int) -> bool:
        """Return whether the bitext has taught a translation of a name that the other side has."""
        own = [name if n == side else text for n, text in enumerate(texts)]
        tokens = [side_of(tokenize(pa.array([text]), lang)) for text, lang in zip(own, ("en", self.lang), strict=True)]
        return bool(link_tokens(tokens[0], tokens[1], self.words.links)[side].any())


def make_name_judge(
    words: TaughtWords, sources: Sequence[str], translations: Sequence[str], lang: str
) -> NameJudge | None:
    """Return what tells names from other words, by translations most of which are right.

    None if the language has another script (the check `names` is for those), or too few names are kept.

    Args:
        words: What a bitext has taught.
        sources: English segments.
        translations: Their translations.
        lang: The language.
    """
    if "Latin" not in language(lang).script:
        return None
    pairs = list(zip(sources[:MAX_TEXTS], translations[:MAX_TEXTS], strict=True))
    split = [[WORD.findall(text) for text in side] for side in zip(*pairs, strict=True)] if pairs else [[], []]
    ordinary = [frozenset(word for text in side for word in text if word.islower()) for side in split]
    seen = [(name, set(own)) for (en, _), own in zip(pairs, split[1], strict=True) for name in _capitalized(en)]
    kept = {name for name, own in seen if name in own and name.lower() not in ordinary[0]}
    if len(kept) < MIN_NAMES:
        return None
    translated = {name.lower() for name, _ in seen} - {name.lower() for name in kept}
    others = Letters.of(ordinary[0] | translated), Letters.of(ordinary[1])
    return NameJudge(words, lang, (ordinary[0], ordinary[1]), Letters.of(kept), others)


def _capitalized(text: str) -> list[str]:
    words = WORD.findall(text)
    return [w for w in words if len(w) >= MIN_NAME_LETTERS and w[0].isupper() and w[1:] == w[1:].lower()]


def _forms(text: str) -> set[str]:
    """Return the words of a text without case and accents, with and without hyphens."""
    return set(fold([*WORD.findall(text), *(word.replace("-", "") for word in HYPHENATED.findall(text))]))


def _is_kept(name: str, words: set[str]) -> bool:
    """Return whether a name is among words, as it is or in another form."""
    (own,) = fold([name])
    return own in words or any(word[:SAME_BEGINNING] == own[:SAME_BEGINNING] for word in words)


def _is_spelled_alike(name: str, words: set[str]) -> bool:
    (own,) = fold([name])
    for word in words:
        least = MIN_SIMILARITY_ALIKE if word[:3] == own[:3] else MIN_SIMILARITY
        longest = 2 * min(len(own), len(word))
        if longest >= least * (len(own) + len(word)) and SequenceMatcher(None, own, word).ratio() >= least:
            return True
    return False
