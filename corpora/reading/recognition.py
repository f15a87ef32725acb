"""Recognise the format of a bitext from its content, and refuse a file that is surely of another format.

A build of no rows, because a file has other columns than its format, would be found out late or never.
"""

import csv
from collections.abc import Callable
from itertools import islice

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, check_file, file_chunks
from corpora.reading.arrow_table import check_arrow
from corpora.reading.input_file import InputFile
from corpora.reading.margins import parse_margin
from corpora.strict_json import load_json

START_BYTES = 1 << 16
MIN_LINES, MAX_LINES = 2, 20  # that are looked at: one bad line alone says nothing
SHOWN_LINES, SHOWN_CHARS = 2, 60
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FORMATS = {  # what a format is, for errors
    "moses-zip": "a zip file of two members",
    "parquet": "a Parquet file",
    "arrow": "an Arrow file or stream",
    "tmx": "TMX, in XML",
    "xliff": "XLIFF, in XML",
    "jsonl": "a JSON object in each line",
    "laser-tsv": "three columns between tabs: margin, first, second",
}


def recognize_format(file: InputFile) -> str:
    """Return the format of a bitext file whose format is not named.

    Raises:
        InputError: The content does not say it with certainty.
    """
    start = _start(file)
    name = _binary_format(start) or _text_format(start, file)
    if not name:
        raise InputError(
            f"{file.path}: the format is not certain from the content ({_describe(start)}). Name it as 'format' in the "
            f"corpus.{_first_lines(start)}"
        )
    return name


def check_format(file: InputFile) -> None:
    """Raise InputError, with the first lines, if a bitext file is surely not of its format."""
    start = _start(file)
    actual = _binary_format(start)
    is_other = actual != file.format if actual or file.format in ("moses-zip", "parquet", "arrow") else False
    if file.format == "laser-tsv" and not actual:
        is_other = _has_none(start, _is_laser)
    if file.format == "jsonl" and not actual:
        is_other = _has_none(start, _is_object)
    if is_other and start:
        expected = FORMATS.get(file.format, file.format)
        raise InputError(
            f"{file.path}: {_describe(start)} found, {file.format} has {expected}. Correct 'format' in the corpus, or "
            f"the file.{_first_lines(start)}"
        )


def _has_none(start: bytes, has_form: Callable[[str], bool]) -> bool:
    """Return whether none of the first lines has the form of a format, and all of them have another one in common."""
    lines = _lines(start)
    is_alike = len({line.count("\t") for line in lines}) == 1 or all(map(_is_object, lines))
    return len(lines) >= MIN_LINES and is_alike and not any(map(has_form, lines))


def _start(file: InputFile) -> bytes:
    """Return the first bytes of the content; of a file that cannot be read, none: its reader says why."""
    check_file(file.path)
    start = b""
    try:
        for chunk in file_chunks(file.path):
            if len(start := start + chunk) >= START_BYTES:
                break
    except DAMAGE:
        return b""
    return start[:START_BYTES]


def _binary_format(start: bytes) -> str | None:
    """Return the format of a file that its first bytes show."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "moses-zip"
    if start.startswith(b"PAR1"):
        return "parquet"
    if check_arrow(start):
        return "arrow"
    if text.startswith(b"<"):
        return next((name for name in ("tmx", "xliff") if f"<{name}".encode() in text), None)
    return None


def _text_format(start: bytes, file: InputFile) -> str | None:
    lines = _lines(start)
    if lines and all(map(_is_object, lines)):
        return "jsonl"
    if lines and all(map(_is_laser, lines)):
        return "laser-tsv"
    needed = {file.column("en"), file.column("xx")}
    for name, delimiter in (("tsv", "\t"), ("csv", ",")):
        if lines and needed <= set(next(csv.reader([lines[0]], delimiter=delimiter), [])):
            return name
    return None


def _lines(start: bytes) -> list[str]:
    """Return the first lines that have text; of a longer file, whole ones only."""
    lines = start.decode("utf-8-sig", "replace").split("\n")
    lines = lines if len(start) < START_BYTES else lines[:-1]
    return list(islice((line for line in lines if line.strip()), MAX_LINES))


def _is_laser(line: str) -> bool:
    cells = line.split("\t")
    return len(cells) == 3 and (parse_margin(cells[0]) is not None or cells[0].strip().lower() in ("nan", "inf"))


def _is_object(line: str) -> bool:
    try:
        return isinstance(load_json(line), dict)
    except (ValueError, RecursionError):
        return False


def _describe(start: bytes) -> str:
    """Return what a file is, by its first bytes and lines."""
    if name := _binary_format(start):
        return FORMATS[name]
    lines = _lines(start)
    if not lines:
        return "nothing"
    if start.lstrip()[:1] == b"<":
        return "XML or HTML"
    if all(map(_is_object, lines)):
        return FORMATS["jsonl"]
    counts = sorted({line.count("\t") + 1 for line in lines})
    if counts != [1]:
        named = " or ".join(NUMBERS[count] if count < len(NUMBERS) else str(count) for count in counts[:3])
        return f"{named} columns between tabs"
    return "commas, but no tabs" if all("," in line for line in lines) else "text without tabs"


def _first_lines(start: bytes) -> str:
    """Return the first lines as a sentence, if they are text."""
    if _binary_format(start) in ("moses-zip", "parquet", "arrow"):
        return ""
    shown = (line[:SHOWN_CHARS] + ("..." if len(line) > SHOWN_CHARS else "") for line in _lines(start)[:SHOWN_LINES])
    lines = " / ".join(line.replace("\t", "<tab>") for line in shown)
    return f" It begins: {lines}" if lines else ""
