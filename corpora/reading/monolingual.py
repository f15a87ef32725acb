"""Read documents of one language as C4 has them: JSON Lines with a `text`."""

from collections.abc import Iterator
from typing import Any

from corpora.errors import InputError
from corpora.reading.archives import file_chunks
from corpora.reading.input_file import InputFile
from corpora.reading.lines import SHOWN_CHARS, read_lines
from corpora.strict_json import parse_json


def read_c4(file: InputFile) -> Iterator[tuple[str, str | None]]:
    """Yield text and read error of each document, in file order.

    Read errors are `invalid_utf8`, `nul_byte`, `oversized_line`, `not_json`, `missing_field` or `empty_output`; such a
    document has what could be read of it. InputError if the file is damaged.
    """
    for batch in read_lines(file_chunks(file.path), str(file.path)):
        for row in batch.to_pylist():
            yield _document(row["text"] or "", row["read_error"])


def _document(text: str, read_error: str | None) -> tuple[str, str | None]:
    if read_error:
        return text, read_error
    try:
        record: Any = parse_json(text.encode("utf-8"), "")
    except InputError:
        return text[:SHOWN_CHARS], "not_json"
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        return text[:SHOWN_CHARS], "missing_field"
    document = record["text"].strip()
    return document, None if document else "empty_output"
