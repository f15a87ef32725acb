"""Read the texts of benchmarks as upstream packs them: FLORES tar, XQuAD and MLQA JSON."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from corpora.errors import InputError
from corpora.reading.archives import SAME_FILE, check_file, file_chunks, member_ending, open_zip, read_member, read_tar
from corpora.reading.input_file import InputFile
from corpora.reading.lines import read_lines
from corpora.reading.normalization import nfc
from corpora.strict_json import SURROGATE, parse_json

BenchmarkText = tuple[str, str, str]  # item, field, text


def read_flores(file: InputFile) -> Iterator[BenchmarkText]:
    """Yield the sentences of a language as items `dev:1` and on, then `devtest:1` and on, of the parts in the file."""
    path, lang, code = file.path, file.lang, file.xx_code
    contents = read_tar(path, lambda name: _flores_code(name) == code)
    names = sorted((name for name in contents if _flores_code(name) == code), key=_part)
    if not names:
        known = ", ".join(sorted({known for name in contents if (known := _flores_code(name))})) or "none"
        raise InputError(f"{path} has no sentences in '{lang}' (upstream's code: '{code}'). It has: {known}.")
    if len({_part(name) for name in names}) < len(names):
        raise InputError(f"{path} has the same part twice: {' and '.join(names)}. {SAME_FILE}")
    for name in names:
        yield from flores_sentences(_part(name), iter([contents[name]]), f"{path}, member {name}")


def _flores_code(name: str) -> str | None:
    """Return the language code in a member's name `.../dev/{code}.dev`; None for other members."""
    match = re.search(r"(?:^|/)(dev|devtest)/([^/.]+)\.\1$", name)
    return match[2] if match else None


def _part(name: str) -> str:
    return PurePosixPath(name).parent.name


def flores_sentences(part: str, chunks: Iterator[bytes], where: str) -> Iterator[BenchmarkText]:
    """Yield the lines of one part in one language, from `devtest:1` on; InputError for one that cannot be read."""
    number = 0
    for batch in read_lines(chunks, where):
        for line in batch.to_pylist():
            number += 1
            if line["read_error"]:
                raise InputError(f"{where}, line {number}: {line['read_error']}. {SAME_FILE}")
            yield f"{part}:{number}", "sentence", line["text"]


def read_text_lines(file: InputFile) -> Iterator[BenchmarkText]:
    """Yield the lines of a text file as items `line:1` and on; InputError for one that cannot be read."""
    return flores_sentences("line", file_chunks(file.path), str(file.path))


def read_squad(file: InputFile) -> Iterator[BenchmarkText]:
    """Yield context, question and answers of every question of a file in the format of SQuAD 1.1; items are its ids."""
    check_file(file.path)
    return _squad_rows(parse_json(file.path.read_bytes(), file.path), str(file.path), "")


def read_mlqa(file: InputFile) -> Iterator[BenchmarkText]:
    """Yield the same of MLQA's two parts, context and question in one language; items are `dev:ID` and `test:ID`."""
    path, code = file.path, file.xx_code
    with open_zip(path) as archive:
        for part in ("dev", "test"):
            member = member_ending(archive, path, f"{part}/{part}-context-{code}-question-{code}.json")
            where = f"{path}, member {member.filename},"
            yield from _squad_rows(parse_json(read_member(archive, path, member), where), where, f"{part}:")


def _squad_rows(page: object, where: str, prefix: str) -> Iterator[BenchmarkText]:
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
    """Return the elements of the list `value[key]`, each with its path; InputError if there is no such list."""
    elements = value.get(key) if isinstance(value, dict) else None
    if not isinstance(elements, list):
        raise InputError(f"{where}: a list '{key}' was expected, as in SQuAD 1.1.")
    return ((element, f"{where} {key}[{index}]") for index, element in enumerate(elements))


def _text(value: object, key: str, where: str) -> str:
    """Return the text `value[key]` in NFC; InputError if it is no text."""
    return nfc(raw_text(value, key, where))


def raw_text(value: object, key: str, where: str) -> str:
    """Return the text `value[key]` as upstream has it; InputError if it is no text."""
    text = value.get(key) if isinstance(value, dict) else None
    if not isinstance(text, str) or SURROGATE.search(text):
        raise InputError(f"{where}: a text '{key}' was expected, as in SQuAD 1.1.")
    return text
