"""Write a text in the other scripts of its language: Chinese by OpenCC, other languages letter by letter."""

import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

from corpora.catalog import language
from corpora.tables import read_toml

FILE = Path(__file__).with_name("transliterations.toml")
CHINESE = ("t2s", "s2t", "s2tw", "s2hk")  # OpenCC's names: simplified, and traditional as in OpenCC, Taiwan, Hong Kong


def in_other_scripts(text: str, lang: str) -> list[str]:
    """Return a text as the other scripts of its language write it, each way once; nothing for most languages.

    Letters that are transliterated become small letters.
    """
    if language(lang).script == ("Han",):
        ways = [_opencc(name).convert(text) for name in CHINESE]
    elif letters := _letters(language(lang).iso639_3):
        ways = [_replace(text.lower(), letters), _replace(text.lower(), {new: old for old, new in letters.items()})]
    else:
        ways = []
    return [way for way in dict.fromkeys(ways) if way not in (text, text.lower())]


def conversion_key(lang: str) -> str:
    """Return what `in_other_scripts` depends on beside the text; empty for languages in one script."""
    if language(lang).script == ("Han",):
        return f"opencc {version('opencc')} {' '.join(CHINESE)}"
    return " ".join(_letters(language(lang).iso639_3).values())


@cache
def _opencc(name: str):  # type: ignore[no-untyped-def]
    from opencc import OpenCC

    return OpenCC(name)


@cache
def _letters(iso639_3: str) -> dict[str, str]:
    """Return the letters of a language's first script with those of the second."""
    pairs = read_toml(FILE).get(iso639_3, {}).get("letters", "").split()
    return {pair[0]: pair[1:] for pair in pairs}


def _replace(text: str, letters: dict[str, str]) -> str:
    """Return a text with its letters replaced, longer ones first."""
    pattern = "|".join(sorted(map(re.escape, letters), key=len, reverse=True))
    return re.sub(pattern, lambda match: letters[match[0]], text)
