"""What differs between the sides of a line, or between two lines, as pieces of text that a page marks."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher

from corpora.catalog import language

Pieces = list[tuple[str, str]]  # a text, and how it is marked: "", or a word of MARKS
MARKS = {
    "differs": "only on this side",
    "shared": "on both sides",
    "script": "another script",
    "control": "an invisible character",
    "removed": "only in this version",
}
NUMBER = re.compile(r"\d[\d.,٬٫  ]*\d|\d")
WORD = re.compile(r"\w+|\W")
INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"  # a part of words in Persian and Hindi
MAX_CHARS = 2_000  # of a side; the rest is cut
LETTERS = {"Han": "CJK", "Hangul": "HANGUL", "Hiragana": "HIRAGANA", "Katakana": "KATAKANA"}


def mark_pair(en: str, xx: str, lang: str, reason: str) -> tuple[Pieces, Pieces]:
    """Return both sides of a pair, with what made a filter reject it, and numbers that one side lacks."""
    if reason in ("copy", "partially_untranslated"):
        words = {word.lower() for word in re.findall(r"\w+", en)} & {word.lower() for word in re.findall(r"\w+", xx)}
        return _mark_words(en, words), _mark_words(xx, words)
    if reason == "wrong_script":
        return _mark_scripts(en, ["Latin"]), _mark_scripts(xx, [*language(lang).script, "Latin"])
    return _mark_numbers(en, xx), _mark_numbers(xx, en)


def _mark_words(text: str, words: set[str]) -> Pieces:
    return _marked(text, lambda word: "shared" if word.lower() in words else "", WORD)


def _mark_numbers(text: str, other: str) -> Pieces:
    """Mark the numbers of at least two digits that the other side does not have."""
    others = set(_numbers(other))
    return _marked(text, lambda n: "differs" if len(n) > 1 and not set(_numbers(n)) <= others else "", NUMBER)


def mark_difference(text: str, other: str) -> Pieces:
    """Return a text with the words that another text does not have in the same order."""
    words, others = WORD.findall(text[:MAX_CHARS]), WORD.findall(other[:MAX_CHARS])
    pieces: Pieces = []
    for kind, first, last, _, _ in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        if first < last:
            pieces += _visible("".join(words[first:last]), "" if kind == "equal" else "removed")
    return pieces + _cut(text)


def mark_nothing(text: str) -> Pieces:
    """Return a text with its invisible characters marked."""
    return _visible(text[:MAX_CHARS], "") + _cut(text)


def _marked(text: str, mark: Callable[[str], str], pattern: re.Pattern[str]) -> Pieces:
    pieces: Pieces = []
    last = 0
    for match in pattern.finditer(text[:MAX_CHARS]):
        if kind := mark(match[0]):
            pieces += _visible(text[last : match.start()], "") + _visible(match[0], kind)
            last = match.end()
    return pieces + _visible(text[last:MAX_CHARS], "") + _cut(text)


def _cut(text: str) -> Pieces:
    return [(f"… ({len(text):,} characters)", "control")] if len(text) > MAX_CHARS else []


def _numbers(text: str) -> Iterator[str]:
    for match in NUMBER.findall(text):
        yield "".join(
            str(unicodedata.digit(c)) for c in match if c.isdigit() and unicodedata.digit(c, None) is not None
        )


def _mark_scripts(text: str, scripts: Iterable[str]) -> Pieces:
    expected = {LETTERS.get(script, script.upper()) for script in scripts}
    return _marked(text, lambda word: "script" if _has_other(word, expected) else "", re.compile(r"\S+"))


def _has_other(word: str, expected: set[str]) -> bool:
    """Return whether a word has a letter of another script; whole words are marked, or their letters would not join."""
    return any(character.isalpha() and _script(character) not in expected for character in word)


def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ")[0]


def _visible(text: str, kind: str) -> Pieces:
    """Return a text in which invisible characters are shown by their number: they might turn or hide other text."""
    if text.isprintable():
        return [(text, kind)] if text else []
    pieces: Pieces = []
    for character in text:
        if unicodedata.category(character) in INVISIBLE and character not in JOINERS:
            pieces.append((f"U+{ord(character):04X}", "control"))
        elif pieces and pieces[-1][1] == kind:
            pieces[-1] = (pieces[-1][0] + character, kind)
        else:
            pieces.append((character, kind))
    return pieces
