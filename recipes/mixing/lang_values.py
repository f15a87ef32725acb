"""Numbers by language: from a CSV, or from texts such as `el=1000`."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.reading import decode_text
from corpora.tables import check_reference

FACTORS = {"k": 1_000, "m": 1_000_000}


def read_lang_values(path: Path, column: str) -> dict[str, float]:
    """Return the numbers in a CSV with the columns lang and `column`.

    Raises:
        InputError: A row is not as expected; the message has file and line.
    """
    reader = csv.reader(io.StringIO(_text(path, column), newline=""))
    header = [name.strip() for name in next(reader, [])]
    if header != ["lang", column]:
        raise InputError(f"{path}, line 1: the columns lang,{column} were expected, not {','.join(header)[:80]}.")
    values: dict[str, float] = {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if not row:
            continue
        if len(row) != 2:
            raise InputError(f"{where}: two values, lang and {column}, were expected, not {len(row)}.")
        lang = check_lang(row[0].strip(), where)
        if lang in values:
            raise InputError(f"{where}: {lang} appears twice. Keep one of the rows.")
        values[lang] = parse_number(row[1], where)
    if not values:
        raise InputError(f"{path} holds no row.")
    return values


def _text(path: Path, column: str) -> str:
    try:
        return decode_text(path.read_bytes(), path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}; a CSV with the columns lang,{column} was expected.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a CSV with the columns lang,{column} was expected.") from None


def parse_lang_values(texts: Sequence[str], option: str) -> dict[str, float]:
    """Return the numbers of texts such as `el=1000`; the key of a number for all languages, `1000`, is empty.

    Args:
        texts: The values of an option.
        option: The option, for errors.
    """
    values: dict[str, float] = {}
    for text in texts:
        lang, equals, number = text.rpartition("=")
        key = check_lang(lang.strip(), option) if equals else ""
        if key in values:
            raise InputError(f"{option} names {key or 'every language'} twice. Keep one.")
        values[key] = parse_amount(number, f"{option} {text}")
    return values


def parse_amount(text: str, where: str) -> float:
    """Return a number of at least 0, which may be written as 60k or 1.2M; InputError otherwise."""
    factor = FACTORS.get(text.strip().lower()[-1:], 0)
    return factor * parse_number(text.strip()[:-1], where) if factor else parse_number(text, where)


def check_lang(lang: str, where: str) -> str:
    """Return a language's code; InputError unless it is known and not English."""
    check_reference(lang, set(languages()) - {"en"}, "language", where)
    return lang


def parse_number(text: str, where: str) -> float:
    """Return a finite number of at least 0; InputError otherwise."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"{where}: a number of at least 0 was expected, not {text!r}.")
    return value
