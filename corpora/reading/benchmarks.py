"""Benchmarks as upstream packs them (FLORES tar, XQuAD and MLQA JSON) -> a table of EVALUATION."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pyarrow as pa

from corpora.errors import InputError
from corpora.reading.archives import check_file, member_ending, open_zip, read_member, read_tar
from corpora.reading.lines import read_lines
from corpora.reading.nfc import nfc
from corpora.reading.strict_json import SURROGATE, parse_json

EVALUATION = pa.schema([("item", pa.string()), ("field", pa.string()), ("text", pa.string())])
Row = tuple[str, str, str]


def evaluation_table(rows: Iterator[Row]) -> pa.Table:
    """The EVALUATION table of rows (item, field, text)."""
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=EVALUATION)


def read_flores(path: Path, lang: str, code: str) -> Iterator[Row]:
    """The sentences of a language, `dev:1` and on, then `devtest:1` and on, of the parts that are there."""
    contents = read_tar(path, lambda name: _flores_code(name) == code)
    names = sorted((name for name in contents if _flores_code(name) == code), key=_part)
    if not names:
        known = ", ".join(sorted({known for name in contents if (known := _flores_code(name))})) or "none"
        raise InputError(f"{path} has no sentences in '{lang}' (as it spells it: '{code}'). It has: {known}.")
    if len({_part(name) for name in names}) < len(names):
        raise InputError(f"{path} holds a part twice: {' and '.join(names)}. Delete it and pull it again.")
    for name in names:
        yield from flores_sentences(_part(name), iter([contents[name]]), f"{path}, member {name}")


def _flores_code(name: str) -> str | None:
    """The language code in a member's name `.../dev/{code}.dev`; None for other members."""
    match = re.search(r"(?:^|/)(dev|devtest)/([^/.]+)\.\1$", name)
    return match[2] if match else None


def _part(name: str) -> str:
    return PurePosixPath(name).parent.name


def flores_sentences(part: str, chunks: Iterator[bytes], where: str) -> Iterator[Row]:
    """The lines of one part in one language, numbered `devtest:1` and on; InputError for one that cannot be read."""
    number = 0
    for batch in read_lines(chunks, where):
        for line in batch.to_pylist():
            number += 1
            if line["read_error"]:
                raise InputError(f"{where}, line {number}: {line['read_error']}. Delete the file and pull it again.")
            yield f"{part}:{number}", "sentence", line["text"]


def read_squad(path: Path) -> Iterator[Row]:
    """Context, question and answers of every question of a file in the form of SQuAD 1.1, by the question's id."""
    check_file(path)
    return _squad_rows(parse_json(path.read_bytes(), path), str(path), "")


def read_mlqa(path: Path, code: str) -> Iterator[Row]:
    """The same of MLQA's two parts, context and question in one language; items are `dev:{id}` and `test:{id}`."""
    with open_zip(path) as archive:
        for part in ("dev", "test"):
            member = member_ending(archive, path, f"{part}/{part}-context-{code}-question-{code}.json")
            where = f"{path}, member {member.filename},"
            yield from _squad_rows(parse_json(read_member(archive, path, member), where), where, f"{part}:")


def _squad_rows(page: object, where: str, prefix: str) -> Iterator[Row]:
    for article, in_article in each_of(page, "data", where):
        for paragraph, in_paragraph in each_of(article, "paragraphs", in_article):
            context = _text(paragraph, "context", in_paragraph)
            for question, in_question in each_of(paragraph, "qas", in_paragraph):
                item = prefix + _text(question, "id", in_question)
                yield item, "context", context
                yield item, "question", _text(question, "question", in_question)
                for answer, in_answer in each_of(question, "answers", in_question):
                    yield item, "answer", _text(answer, "text", in_answer)


def each_of(value: object, key: str, where: str) -> Iterator[tuple[object, str]]:
    """The elements of the list `value[key]`, each with its place; InputError if there is no such list."""
    elements = value.get(key) if isinstance(value, dict) else None
    if not isinstance(elements, list):
        raise InputError(f"{where}: a list '{key}' was expected, as in SQuAD 1.1.")
    return ((element, f"{where} {key}[{index}]") for index, element in enumerate(elements))


def _text(value: object, key: str, where: str) -> str:
    """The text `value[key]` in NFC; InputError if it is no text."""
    return nfc(raw_text(value, key, where))


def raw_text(value: object, key: str, where: str) -> str:
    """The text `value[key]` as upstream has it; InputError if it is no text."""
    text = value.get(key) if isinstance(value, dict) else None
    if not isinstance(text, str) or SURROGATE.search(text):
        raise InputError(f"{where}: a text '{key}' was expected, as in SQuAD 1.1.")
    return text
