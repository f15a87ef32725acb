"""Numbers by language: a CSV of lang and a column, or LANG=NUMBER as an option says it."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from corpora.catalog import languages
from corpora.errors import InputError, unknown
from corpora.reading.strict_json import decode


def read_amounts(path: Path, column: str) -> dict[str, float]:
    """The numbers above 0 of a CSV with the columns lang and `column`; InputError with file and line if it is odd."""
    try:
        text = decode(path.read_bytes(), path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}; a CSV with the columns lang,{column} was expected.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a CSV with the columns lang,{column} was expected.") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    head = [name.strip() for name in next(reader, [])]
    if head != ["lang", column]:
        raise InputError(f"{path}, line 1: the columns lang,{column} were expected, not {','.join(head)[:80]}.")
    found: dict[str, float] = {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if not row:
            continue
        if len(row) != 2:
            raise InputError(f"{where}: two values, lang and {column}, were expected, not {len(row)}.")
        lang = _known(row[0].strip(), where)
        if lang in found:
            raise InputError(f"{where}: {lang} stands there twice.")
        found[lang] = amount(row[1], where)
    if not found:
        raise InputError(f"{path} holds no row.")
    return found


def parse_amounts(texts: Sequence[str], option: str, langs: Sequence[str]) -> dict[str, float]:
    """The numbers of options such as `el=1000`, or `1000` for all of `langs`; a language's own one wins."""
    found: dict[str, float] = {}
    for text in texts:
        lang, equals, number = text.rpartition("=")
        if not equals:
            found = dict.fromkeys(langs, amount(number, f"{option} {text}")) | found
            continue
        if _known(lang.strip(), option) not in langs:
            raise InputError(f"{option} {text}: {lang} is not among the languages here, {', '.join(langs)}.")
        found[lang.strip()] = amount(number, f"{option} {text}")
    return found


def _known(lang: str, where: str) -> str:
    if lang not in languages() or lang == "en":
        raise InputError(f"{where}: {unknown('language', lang, set(languages()) - {'en'})}")
    return lang


def amount(text: str, where: str) -> float:
    """A finite number of at least 0; InputError otherwise."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"{where}: a number of at least 0 was expected, not {text!r}.")
    return value
