"""Read questions about passages (XQuAD, MLQA) strictly: ids, answers and their offsets are checked."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, damaged, file_chunks, member_ending, open_zip, read_member
from corpora.reading.benchmarks import each_of, raw_text
from corpora.reading.normalization import nfc
from corpora.strict_json import parse_json

QUESTIONS = pa.schema(
    [("id", pa.string()), ("context", pa.string()), ("question", pa.string()), ("answers", pa.list_(pa.string()))]
)
BOM = b"\xef\xbb\xbf"


def read_questions(path: Path, format: str, code: str, part: str, id_pattern: str) -> tuple[pa.Table, list[str]]:
    """Return the questions of a language as QUESTIONS in NFC, and harmless irregularities as sentences.

    Args:
        path: The file.
        format: `squad-json` or `mlqa-zip`.
        code: Upstream's code of the language.
        part: The part of MLQA, `dev` or `test`.
        id_pattern: Regular expression for ids; a machine-translated file has its ids translated too.

    Raises:
        InputError: An id does not match the pattern or appears twice, a question has no answer, or an answer is not
            at its offset. Offsets count characters before NFC.
    """
    data, where = _content(path, format, code, part)
    warnings = [f"{where} begins with a byte order mark, which was skipped."] if data.startswith(BOM) else []
    rows = list(_rows(parse_json(data, where), where, id_pattern))
    _check_ids([row["id"] for row in rows], where)
    if moved := sum(row.pop("moved") for row in rows):
        warnings.append(
            f"{where}: in NFC {moved:,} of {len(rows):,} answers are no longer at their offset; answers are "
            "compared as text, so nothing depends on it."
        )
    return pa.Table.from_pylist(rows, schema=QUESTIONS), warnings


def _content(path: Path, format: str, code: str, part: str) -> tuple[bytes, str]:
    """Return the JSON of a language, and its name for errors."""
    if format == "squad-json":
        return read_whole_file(path), str(path)
    with open_zip(path) as archive:
        member = member_ending(archive, path, f"{part}/{part}-context-{code}-question-{code}.json")
        return read_member(archive, path, member), f"{path}, member {member.filename}"


def read_whole_file(path: Path) -> bytes:
    """Return the bytes of a file, unpacked where it is gzip; InputError if it is damaged."""
    try:
        return b"".join(file_chunks(path))
    except DAMAGE as error:
        raise damaged(path, error) from None


def _rows(page: object, where: str, id_pattern: str) -> Iterator[dict[str, Any]]:
    for article, in_article in each_of(page, "data", where):
        for paragraph, in_paragraph in each_of(article, "paragraphs", in_article):
            context = raw_text(paragraph, "context", in_paragraph)
            for question, in_question in each_of(paragraph, "qas", in_paragraph):
                name = raw_text(question, "id", in_question)
                if id_pattern and not re.fullmatch(id_pattern, name):
                    raise InputError(
                        f"{in_question}: '{name[:60]}' is not an id of upstream ({id_pattern}); a file that was "
                        "machine-translated has its ids translated too. Use upstream's file."
                    )
                text = raw_text(question, "question", in_question)
                answers = list(_answers(question, context, in_question))
                yield {
                    "id": name,
                    "context": nfc(context),
                    "question": nfc(text),
                    "answers": [answer for answer, _ in answers],
                    "moved": any(moved for _, moved in answers),
                }


def _answers(question: object, context: str, where: str) -> Iterator[tuple[str, bool]]:
    """Yield each answer in NFC, and whether NFC moved it away from its offset."""
    count = 0
    for answer, where_in in each_of(question, "answers", where):
        text, start = raw_text(answer, "text", where_in), answer.get("answer_start")  # type: ignore[attr-defined]
        if not text.strip():
            raise InputError(f"{where_in}: the answer is empty.")
        if type(start) is not int or start < 0 or context[start : start + len(text)] != text:
            raise InputError(
                f"{where_in}: '{text[:60]}' is not at character {start} of its context, so context or answer was "
                "changed after annotation. Use upstream's file."
            )
        count += 1
        composed = nfc(text)
        yield composed, not nfc(context).startswith(composed, start)
    if not count:
        raise InputError(f"{where}: the question has no answer.")


def _check_ids(names: list[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{where}: the id '{name}' appears twice.")
        seen.add(name)
