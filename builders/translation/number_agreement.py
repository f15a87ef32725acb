"""Whether a translation contradicts the numbers of its source: conversions, times, words and spellings aside."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpora.tables import STRICT, read_toml_rows

FILE = Path(__file__).with_name("units.toml")
NUMBER = re.compile(r"\d(?:[.,٬٫'’\u00a0\u2009\u202f]?\d|[ ](?=\d{3}(?!\d)))*")
DECIMAL = re.compile(r"\d+[.,٫]\d{1,2}")
HOUR_ENDS = (":", "：", ".", "h", "٫", "،")  # between hours and minutes
BEFORE_HUNDREDTHS = re.compile(
    r"(?:(?<=:\d\d)|(?<=: \d\d))[.,](?=\d\d(?!\d))"
)  # of a second: languages write a colon too
FRACTION = re.compile(r"(\d+)([¼½¾])")
DECIMALS = {"¼": "25", "½": "50?", "¾": "75"}
MIN_DIGITS = 2  # of a number that is compared
TOLERANCE = 0.13  # of a number that was converted: translators round it
# Numbers with what follows them: `10 to 12`, then a unit.
AMOUNT = r"\d[\d.,:¼½¾]*(?:\s*(?:-|–|to|and|or|by|x)\s*\d[\d.,:¼½¾]*)*[\s-]*"
FAHRENHEIT = re.compile(rf"{AMOUNT}(?:°\s?F|degrees|°|fahrenheit)(?![^\W\d_])", re.IGNORECASE)
TWELVE_HOURS = re.compile(rf"{AMOUNT}(?:[ap]\.?m\b\.?|o'clock)", re.IGNORECASE)
CENTURIES = re.compile(r"\d+(?:st|nd|rd|th)(?:\s*(?:and|to|or|-|–)\s*\d+(?:st|nd|rd|th))*[\s-]+centur", re.IGNORECASE)
DECADES = re.compile(r"(?<!\d)\d{2,4}0'?s(?![^\W\d_])")
LARGE = re.compile(rf"{AMOUNT}(?:hundred|thousand|million|billion|trillion)", re.IGNORECASE)

WORD = re.compile(r"\w+")
ONES = WORD.findall(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
ORDINALS = WORD.findall(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth"
)
TENS = {
    word: 10 * tens
    for tens, word in enumerate(WORD.findall("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
WORDS = {word: value for names in (ONES, ORDINALS) for value, word in enumerate(names, 1)} | TENS
WORDS |= {f"{word[:-1]}{end}": value for word, value in TENS.items() for end in ("ieth", "ies")}
WORDS |= {"dozen": 12, "a": 1, "an": 1, "october": 10, "november": 11, "december": 12}
LONGEST_FIRST = "|".join(sorted(WORDS, key=len, reverse=True))
SPELLED = re.compile(
    rf"\b(?:({'|'.join(TENS)})[\s-]+)?({LONGEST_FIRST})\b(\s*(?:hundred|thousand|[mbtr]+illion))?", re.I
)
POWERS = tuple(10**power for power in range(1, 10))  # languages group digits in other ways: 900 (ten thousands)


@dataclass(frozen=True)
class Unit:
    """A row of units.toml: a unit of which translations convert numbers."""

    __pydantic_config__ = STRICT
    name: str
    words: str
    """What follows the number in English: a regular expression."""
    factors: tuple[float, ...]
    """By what translations multiply the number."""


@dataclass(frozen=True)
class Number:
    """A number of a text: its digits without separators, and what it may be worth."""

    digits: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Amount:
    """A number of a source, with the numbers that a translation may have instead."""

    digits: str
    converted: tuple[float, ...] = ()  # about
    exact: tuple[float, ...] = ()

    def becomes(self, number: Number) -> bool:
        """Return whether a number of the translation may be this one, converted."""
        near = any(abs(value - own) <= max(1.0, TOLERANCE * own) for value in number.values for own in self.converted)
        return near or any(value in self.exact for value in number.values)


def contradicts_numbers(source: str, translation: str) -> bool:
    """Return whether a translation has a number that its source does not explain, and lacks one that the source has.

    Only numbers of two digits or more are compared. Those of the source are written in any spelling, converted to
    other units, or words.
    """
    source, translation = _spell_alike(source, translation)
    theirs, ours = (_compared(text) for text in (translation, source))
    if not Counter(number.digits for number in theirs) - Counter(number.digits for number in ours):
        return False  # as nearly always
    amounts = _amounts(source)
    missing, others = list(amounts), []
    for number in theirs:
        same = next((own for own in missing if own.digits == number.digits), None)
        if same is None:
            others.append(number)
        else:
            missing.remove(same)
    others = [number for number in others if not _take_alike(number, missing)]
    known = [own for own in amounts if len(own.digits) >= MIN_DIGITS]
    unexplained = [n for n in others if not any(_are_alike(own.digits, n.digits) for own in known)]
    unexplained = [n for n in unexplained if not any(own.becomes(n) for own in amounts)]
    return bool(unexplained) and any(not any(own.becomes(number) for number in others) for own in missing)


def _compared(text: str) -> list[Number]:
    return [_number(match[0]) for match in NUMBER.finditer(text) if _is_compared(match)]


def _spell_alike(source: str, translation: str) -> tuple[str, str]:
    """Return both texts with colons in times to hundredths of seconds, and fractions of the source as it has them."""
    for match in FRACTION.finditer(source):
        translation = re.sub(rf"(?<!\d){match[1]}[.,]{DECIMALS[match[2]]}(?!\d)", match[0], translation)
    return BEFORE_HUNDREDTHS.sub(":", source), BEFORE_HUNDREDTHS.sub(":", translation)


def _take_alike(number: Number, missing: list[Amount]) -> bool:
    """Return whether a source lacks no number like this one, and take it off those that are missing."""
    alike = next((own for own in missing if _are_alike(own.digits, number.digits)), None)
    if alike:
        missing.remove(alike)
    return alike is not None


def _are_alike(first: str, second: str) -> bool:
    """Return whether two numbers may be the same: 15 (million) and 15,000,000; 90 and 1990; 10.50 and 10.5."""
    short, long = sorted((first, second), key=len)
    if len(short) < MIN_DIGITS or min(len(first.lstrip("0")), len(second.lstrip("0"))) < MIN_DIGITS:
        return first == second
    return first.strip("0") == second.strip("0") or (len(short) == MIN_DIGITS and long.endswith(short))


def _is_compared(match: re.Match[str]) -> bool:
    """Return whether a number has two digits, and is not the minutes of a full hour."""
    digits = _number(match[0]).digits
    return len(digits) >= MIN_DIGITS and not (digits == "00" and match.string[: match.start()].endswith(HOUR_ENDS))


def _number(text: str) -> Number:
    """Return a number with separators, of which the last may be that of decimals."""
    digits = "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())
    if not DECIMAL.fullmatch(text):
        return Number(digits, (float(digits),))
    point = max(text.rfind(c) for c in ".,٫") - len(text)
    return Number(digits, (float(digits), float(f"{digits[: point + 1]}.{digits[point + 1 :]}")))


def _amounts(source: str) -> list[Amount]:
    """Return the numbers of a source, with what they may become; those of one digit only if they may."""
    converted, exact = _conversions(source)
    amounts = []
    for match in NUMBER.finditer(source):
        number, start = _number(match[0]), match.start()
        if _is_compared(match) or start in converted or start in exact:
            amounts.append(Amount(number.digits, tuple(converted.get(start, ())), tuple(exact.get(start, ()))))
    return [*amounts, *_spelled(source)]


def _conversions(source: str) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """Return what numbers of a source may become, by where they start: about, and exactly."""
    converted: dict[int, list[float]] = {}
    exact: dict[int, list[float]] = {}
    for pattern, factors in _units().items():
        for start, values in _within(pattern, source):
            converted.setdefault(start, []).extend(value * factor for value in values for factor in factors)
    for start, values in _within(FAHRENHEIT, source):
        converted.setdefault(start, []).extend((value - 32) / 1.8 for value in values)
    for start, values in _within(TWELVE_HOURS, source):
        exact.setdefault(start, []).extend(value + shift for value in values for shift in (12, -12))
    for start, values in _within(CENTURIES, source):
        exact.setdefault(start, []).extend(value * 100 + shift for value in values for shift in (-100, 0))
    for start, values in _within(DECADES, source):
        exact.setdefault(start, []).extend(shift for value in values for shift in (value // 100 + 1, value % 100))
    for start, values in _within(LARGE, source):
        exact.setdefault(start, []).extend(value * power for value in values for power in POWERS)
    return converted, exact


@cache
def _units() -> Mapping[re.Pattern[str], tuple[float, ...]]:
    rows = read_toml_rows(FILE, Unit).values()
    return {re.compile(rf"{AMOUNT}(?:{row.words})(?![^\W\d_])", re.IGNORECASE): row.factors for row in rows}


def _within(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Yield start and values of the numbers in what a pattern matches."""
    for match in pattern.finditer(text):
        for number in NUMBER.finditer(match[0]):
            yield match.start() + number.start(), _number(number[0]).values


def _spelled(text: str) -> Iterator[Amount]:
    """Yield the numbers that a text has in words: from ten to ninety-nine, or with a hundred, a thousand, ..."""
    for match in SPELLED.finditer(text):
        value = (TENS[match[1].lower()] if match[1] else 0) + WORDS[match[2].lower()]
        if match[3]:
            yield Amount(str(value), exact=tuple(value * power for power in POWERS))
        elif value >= 10 ** (MIN_DIGITS - 1):
            yield Amount(str(value))
