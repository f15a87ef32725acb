"""Documents of one language as C4 writes them (JSON Lines with a `text`) -> numbered texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.reading.archives import file_chunks
from corpora.reading.lines import read_lines
from corpora.reading.strict_json import parse_json


def read_c4(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """Line, text and fault of each document, in file order: `invalid_utf8`, `nul_byte`, `oversized_line`, `not_json`,
    `missing_field` or `empty_output`; a faulty one has what could be read of it. InputError if the file is damaged."""
    line = 0
    for batch in read_lines(file_chunks(path), str(path)):
        for row in batch.to_pylist():
            line += 1
            yield (line, *_document(row["text"] or "", row["fault"]))


def _document(text: str, fault: str | None) -> tuple[str, str | None]:
    if fault:
        return text, fault
    try:
        record: Any = parse_json(text.encode("utf-8"), "")
    except InputError:
        return text[:1000], "not_json"
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        return text[:1000], "missing_field"
    document = record["text"].strip()
    return document, None if document else "empty_output"
