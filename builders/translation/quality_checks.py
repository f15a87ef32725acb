"""Quality checks of translations: which check of quality_checks.toml fails first, if any."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from builders.translation.fidelity import (
    count_leftover_english,
    keeps_phrase,
    script_shares,
    without_glosses,
    without_quotations,
)
from builders.translation.names import contradicts_names
from builders.translation.number_agreement import contradicts_numbers
from builders.translation.placeholders import FILE as PLACEHOLDERS_FILE
from builders.translation.placeholders import mask_placeholders, placeholder_rows
from corpora.errors import InputError, unknown
from corpora.extensions import extension_versions, load_function, read_extended_rows, row_file
from corpora.language_id import find_wrong_language, find_wrong_length, language_checks_key
from corpora.tables import STRICT

FILE = Path(__file__).with_name("quality_checks.toml")
PHRASE_WORDS = 5  # words of a run that repeats
VERSION = 9  # raise it when a built-in check changes

WORD = re.compile(r"[^\W\d_]+")
SENTENCE_WORDS = frozenset(  # which hardly any name has
    (
        "you",
        "your",
        "we",
        "they",
        "he",
        "she",
        "it",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "have",
        "has",
        "can",
    )
).union(("can", "will", "would", "should", "how", "what", "why", "where", "when", "please", "thanks", "yes", "not"))
Thresholds = Mapping[str, float]
# (sources, translations, language, thresholds) -> for each pair whether the check fails
Check = Callable[[Sequence[str], Sequence[str], str, Thresholds], Sequence[bool]]


@dataclass(frozen=True)
class QualityCheck:
    """A row of quality_checks.toml: something that can be wrong with a translation."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """What is wrong with a translation that fails."""
    flag: bool = False
    """Whether the translator reports it: a translation fails if it carries a flag of this name."""
    needs_bitext: bool = False
    """Whether it needs the words of a bitext (`misaligned`, `incomplete`, `other_name`)."""
    function: str = ""
    """`module:function` of a --with folder, called with (sources, translations, lang, thresholds); it returns for each
    pair whether the check fails."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """The thresholds that the check is called with."""


def quality_check_rows() -> Mapping[str, QualityCheck]:
    """Return the rows of quality_checks.toml by name, the user's among them, in the order in which they apply."""
    return read_extended_rows(FILE, QualityCheck)


def checks_fingerprint(lang: str) -> str:
    """Return a digest of all that the checks of translations into a language depend on beside the texts.

    Raises:
        InputError: A row is no flag, and neither built in nor a function that can be loaded, or it lacks a threshold.
    """
    functions = tuple(_load(row).sha256 for row in quality_check_rows().values() if row.function)
    return _fingerprint(lang, extension_versions(FILE.name) + extension_versions(PLACEHOLDERS_FILE.name), functions)


@cache
def _fingerprint(lang: str, versions: tuple[Any, ...], functions: tuple[str, ...]) -> str:
    check_quality_checks()
    rows = [asdict(row) for row in quality_check_rows().values()]
    placeholders = [asdict(row) for row in placeholder_rows().values()]
    text = json.dumps([VERSION, rows, placeholders, functions, language_checks_key(lang)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_quality_checks() -> None:
    """Raise InputError if a row of quality_checks.toml is malformed or cannot be applied."""
    for row in quality_check_rows().values():
        _check_row(row)


def _check_row(row: QualityCheck) -> None:
    """Raise InputError if a row cannot be applied."""
    where = _where(row)
    if row.needs_bitext and row.name not in BITEXT_CHECKS:
        raise InputError(f"{where}: {unknown('check by the words of a bitext', row.name, BITEXT_CHECKS)}")
    if row.function:
        _load(row)
    if row.flag or row.function:
        return
    if row.name not in (*CHECKS, *(BITEXT_CHECKS if row.needs_bitext else ())):
        hint = "A check that is not built in needs flag = true or a function."
        raise InputError(f"{where}: {unknown('built-in check', row.name, CHECKS)} {hint}")
    needed = THRESHOLDS.get(row.name, ())
    for name in row.thresholds:
        if name not in needed:
            raise InputError(f"{where}: {unknown('threshold', name, needed)}")
    for name in needed:
        if name not in row.thresholds:
            raise InputError(f"{where}: the threshold '{name}' is missing.")


def check_translations(
    sources: Sequence[str], translations: Sequence[str], flags: Sequence[Sequence[str]], lang: str
) -> list[str]:
    """Return for each translation the name of the first check that it fails, empty for none.

    Args:
        sources: English segments.
        translations: Their translations.
        flags: For each translation the checks that the translator itself reports as failed.
        lang: The language of the translations.
    """
    failed = [""] * len(sources)
    for row in quality_check_rows().values():
        passed = [number for number, name in enumerate(failed) if not name]
        fails = _apply(row, passed, sources, translations, flags, lang)
        for number, fail in zip(passed, fails, strict=True):
            failed[number] = row.name if fail else ""
    return failed


def _apply(
    row: QualityCheck,
    numbers: Sequence[int],
    sources: Sequence[str],
    translations: Sequence[str],
    flags: Sequence[Sequence[str]],
    lang: str,
) -> Sequence[bool]:
    """Return for each of the translations with these numbers whether it fails one check."""
    if row.flag or row.needs_bitext or not numbers:
        return [row.name in flags[n] for n in numbers]
    check = _load(row).function if row.function else CHECKS[row.name]
    fails: Sequence[bool] = check(
        [sources[n] for n in numbers], [translations[n] for n in numbers], lang, row.thresholds
    )
    return fails


def first_flag(flags: Sequence[str]) -> str:
    """Return the first check that a translator's flags report as failed, empty for none."""
    return next((name for name in quality_check_rows() if name in flags), "")


def _load(row: QualityCheck) -> Any:
    return load_function(row.function, f"{_where(row)}, key 'function'")


def _where(row: QualityCheck) -> str:
    return f"{row_file(FILE, row.name)}, table [{row.name}]"


def _find_empty(sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds) -> list[bool]:
    return [not translation.strip() for translation in translations]


def _find_repetition(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    """Return for each translation whether 2 to 40 characters repeat `min_repeats` times, or one thrice as often."""
    times = int(thresholds["min_repeats"])
    pattern = re.compile(
        rf"(\S.{{1,39}}?)\1{{{times - 1},}}|([^\s\d_.])\2{{{3 * times - 1},}}|(\.\s?)\3{{{2 * times},}}"
    )
    return [
        (pattern.search(translation) is not None and pattern.search(source) is None)
        or _repeats_words(translation, times) > max(1, _repeats_words(source, 2))
        for source, translation in zip(sources, translations, strict=True)
    ]


def _repeats_words(text: str, times: int) -> int:
    """Return how often the most frequent run of PHRASE_WORDS words occurs; 0 if less than `times`."""
    words = text.split()
    counts = Counter(tuple(words[n : n + PHRASE_WORDS]) for n in range(len(words) - PHRASE_WORDS + 1))
    most = max(counts.values(), default=0)
    return most if most >= times else 0


def _find_unchanged(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    """Return for each translation whether it has the words of its source, and these are a sentence."""
    return [
        _words(translation) == _words(source) and _is_sentence(mask_placeholders(source).text, thresholds["min_words"])
        for source, translation in zip(sources, translations, strict=True)
    ]


def _words(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def _is_sentence(text: str, min_words: float) -> bool:
    """Return whether a text is no name: it has many words, or a pronoun, verb or question word among several."""
    words = _words(text)
    return len(words) >= min_words or (len(words) > 1 and not SENTENCE_WORDS.isdisjoint(words))


def _find_wrong_length(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    return find_wrong_length(sources, [*map(without_glosses, sources, translations)], lang)


def _find_wrong_language(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    return find_wrong_language([mask_placeholders(translation).text for translation in translations], lang)


def _find_wrong_numbers(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    return [contradicts_numbers(source, text) for source, text in zip(sources, translations, strict=True)]


def _find_wrong_names(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    return [contradicts_names(source, text, lang) for source, text in zip(sources, translations, strict=True)]


def _find_leftover_english(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    """Return for each translation whether words are left in English: a phrase, or `min_words` and `min_share` of it."""
    pairs = [
        without_quotations(mask_placeholders(source).text, mask_placeholders(translation).text)
        for source, translation in zip(sources, translations, strict=True)
    ]
    counts = [count_leftover_english(source, text, lang) for source, text in pairs]
    return [
        keeps_phrase(*pair) or (left >= thresholds["min_words"] and left >= thresholds["min_share"] * words)
        for pair, (left, words) in zip(pairs, counts, strict=True)
    ]


def _find_wrong_script(
    sources: Sequence[str], translations: Sequence[str], lang: str, thresholds: Thresholds
) -> list[bool]:
    """Return for each translation whether less than `min_share` of its letters is in the script of the language."""
    masked = [mask_placeholders(translation).text for translation in translations]
    return [share < thresholds["min_share"] for share in script_shares(masked, lang)]


CHECKS: Mapping[str, Check] = {
    "empty": _find_empty,
    "repetition": _find_repetition,
    "length_ratio": _find_wrong_length,
    "unchanged": _find_unchanged,
    "wrong_script": _find_wrong_script,
    "leftover_english": _find_leftover_english,
    "numbers": _find_wrong_numbers,
    "names": _find_wrong_names,
    "wrong_language": _find_wrong_language,
}
BITEXT_CHECKS = ("misaligned", "incomplete", "other_name")
THRESHOLDS = {
    "misaligned": ("max",),
    "incomplete": ("max",),
    "other_name": ("max",),
    "repetition": ("min_repeats",),
    "unchanged": ("min_words",),
    "wrong_script": ("min_share",),
    "leftover_english": ("min_words", "min_share"),
}
