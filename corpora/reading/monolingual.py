"""Documents of one language as C4 writes them (JSON Lines with a `text`) -> numbered texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.reading.archives import file_chunks
from corpora.reading.lines import read_lines
from corpora.reading.strict_json import parse_json


def read_c4(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """Line number, text and read error of each document, in file order.

    Read errors are `invalid_utf8`, `nul_byte`, `oversized_line`, `not_json`, `missing_field` or `empty_output`; such a
    document has what could be read of it. InputError if the file is damaged.
    """
    line = 0
    for batch in read_lines(file_chunks(path), str(path)):
        for row in batch.to_pylist():
            line += 1
            yield (line, *_document(row["text"] or "", row["read_error"]))


def _document(text: str, read_error: str | None) -> tuple[str, str | None]:
    if read_error:
        return text, read_error
    try:
        record: Any = parse_json(text.encode("utf-8"), "")
    except InputError:
        return text[:1000], "not_json"
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        return text[:1000], "missing_field"
    document = record["text"].strip()
    return document, None if document else "empty_output"
