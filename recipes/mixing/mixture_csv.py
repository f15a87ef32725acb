"""A mixture as a CSV with the columns lang, rows and epochs."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.reading import decode_text
from corpora.tables import check_reference
from recipes.mixing.mixture import Mixture

COLUMNS = ["lang", "rows", "epochs"]


def write_mixture(path: Path, mixture: Mixture) -> None:
    """Write a mixture as a CSV, in one step."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *zip(mixture.langs, mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)])
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_mixture(path: Path, langs: Sequence[str], available: Mapping[str, int] | None = None) -> Mixture:
    """Return the mixture in a CSV.

    Args:
        path: The file.
        langs: The languages that it must have, no more and no fewer.
        available: How many pairs there are by language, if known.

    Raises:
        InputError: A row is not as expected; the message has file and line.
    """
    amounts: dict[str, tuple[int, float]] = {}
    for where, row in _rows(path):
        lang = row["lang"].strip()
        check_reference(lang, languages(), "language", where)
        if lang in amounts:
            raise InputError(f"{where}: {lang} appears twice. Keep one of the rows.")
        amounts[lang] = _num_rows(row, lang, available, where), _amount(row["epochs"] or "1", "epochs", where)
    if sorted(amounts) != sorted(langs):
        raise InputError(
            f"{path} is a mixture of {', '.join(sorted(amounts))}; one of {', '.join(sorted(langs))} was expected."
        )
    rows = np.array([amounts[lang][0] for lang in langs], np.int64)
    pairs = np.rint([amounts[lang][0] * amounts[lang][1] for lang in langs]).astype(np.int64)
    return Mixture(path.name, tuple(langs), pairs, rows)


def _num_rows(row: Mapping[str, str], lang: str, available: Mapping[str, int] | None, where: str) -> int:
    rows = _amount(row["rows"], "rows", where)
    limit = math.inf if available is None else available.get(lang, math.inf)
    if rows != int(rows) or rows > limit:
        of = f", of which there are {limit:,}" if math.isfinite(limit) else ""
        raise InputError(f"{where}: 'rows' must be a whole number of pairs in {lang}{of}, not {row['rows']!r}.")
    return int(rows)


def _rows(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Return where each row is, for errors, and its values by column."""
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), restval="", restkey="more")
    if [name.strip() for name in reader.fieldnames or ()] != COLUMNS:
        raise InputError(f"{path}, line 1: the columns lang,rows,epochs were expected.")
    reader.fieldnames = COLUMNS
    rows = [(f"{path}, line {reader.line_num}", row) for row in reader]
    for where, row in rows:
        if "more" in row:
            raise InputError(f"{where}: there are more values than the columns lang,rows,epochs.")
    if not rows:
        raise InputError(f"{path} holds no row.")
    return rows


def _text(path: Path) -> str:
    try:
        return decode_text(path.read_bytes(), path)
    except FileNotFoundError:
        raise InputError(
            f"There is no file {path}. A mixture is a CSV of lang,rows,epochs, or one of uniform, unimax, "
            "proportional and temperature:0.3."
        ) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a CSV of lang,rows,epochs was expected.") from None


def _amount(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 1 <= value < 2**53):
        raise InputError(f"{where}: '{column}' must be a number of at least 1, not {text!r}.")
    return value
