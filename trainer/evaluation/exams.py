"""Exams (MMLU, BBH, C-Eval and translations of them): upstream's files, read strictly, as items to ask."""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from corpora.catalog import language
from corpora.errors import InputError
from corpora.reading.nfc import nfc
from corpora.reading.questions import BOM, whole_file
from corpora.reading.strict_json import decode, parse_json
from trainer.evaluation.items import Benchmark, Item, Place

HERE = Path(__file__).parent / "tasks"
SHOTS_END = "-----\n"  # ends the canary that BBH's worked examples begin with
Row = dict[str, str]


@cache
def task_file(name: str) -> dict[str, Any]:
    """How an exam is read (`items`) and asked (`task`): a YAML file in `tasks/`."""
    return dict(yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8")))


def task_sha256(name: str) -> str:
    """The digest of how an exam is read and asked."""
    return hashlib.sha256((HERE / f"{name}.yaml").read_bytes()).hexdigest()


def exam_langs(asked: Benchmark, place: Place) -> list[str]:
    """The languages that the user's folder holds an exam in."""
    folders = sorted(place.data.glob(f"{asked.corpus}.*/")) if place.data else []
    return [language(folder.name.partition(".")[2]).code for folder in folders if _files(asked, folder)]


def read_exam(asked: Benchmark, lang: str, place: Place) -> tuple[list[Item], list[str]]:
    """Every question of an exam in a language, subject by subject, and what was odd about the files.

    `instruction` holds what comes before a question (the subject, worked examples), `input` the question with its
    choices, and the reference is the answer.
    """
    folder = (place.data or Path()) / f"{asked.corpus}.{lang}"
    form = task_file(asked.part)["items"]
    files = _files(asked, folder) if place.data else {}
    if not files:
        raise InputError(
            f"{asked.name} in {language(lang).name} is read from a folder: unpack {asked.source} (or its translation, "
            f"with the same files) as FOLDER/{asked.corpus}.{lang}/ and name FOLDER with --data."
        )
    shots = _by_subject(folder, form["shots"]) if asked.shots else {}
    odd: list[str] = []
    items = [
        item
        for subject, path in files.items()
        for item in _subject(asked, form, subject, path, shots.get(subject), odd)
    ]
    return items, odd


def _files(asked: Benchmark, folder: Path) -> dict[str, Path]:
    """The files of an exam in a folder by subject, in the first of their forms that is there."""
    found = (_by_subject(folder, name) for name in task_file(asked.part)["items"]["files"])
    return next(filter(None, found), {})


def _by_subject(folder: Path, pattern: str) -> dict[str, Path]:
    """The files of a folder that are named like this, by subject."""
    before, after = pattern.split("{subject}")
    paths = sorted(folder.rglob(pattern.format(subject="*")), key=lambda path: path.name)
    found = {path.name.removeprefix(before).removesuffix(after): path for path in paths}
    if len(found) < len(paths):
        raise InputError(f"{folder} holds several files of one name ({paths[0].name} or another); keep one of each.")
    return found


def _subject(
    asked: Benchmark, form: Mapping[str, Any], subject: str, path: Path, shots: Path | None, odd: list[str]
) -> Iterator[Item]:
    if asked.shots and shots is None:
        raise InputError(
            f"{path} has no examples beside it ({form['shots'].format(subject=subject)}). Put them there, or ask "
            f"without any: --benchmarks {asked.corpus}-0."
        )
    before = _description(form, subject, path) + (_examples(form, shots, asked.shots, odd) if shots else "")
    rows = _rows(form, path, odd)
    for number, row in enumerate(rows, 1):
        yield Item(f"{subject}:{number}", before, form["question"].format(**row), (_answer(row),))


def _description(form: Mapping[str, Any], subject: str, path: Path) -> str:
    names: Mapping[str, str] = form.get("subjects") or {subject: subject.replace("_", " ")}
    if subject not in names:
        raise InputError(f"{path} is about no known subject; those are {', '.join(sorted(names)[:6])}, ...")
    return str(form.get("description", "")).format(subject=names[subject])


def _examples(form: Mapping[str, Any], path: Path, wanted: int, odd: list[str]) -> str:
    """The worked examples that stand before every question of a subject."""
    if path.suffix == ".txt":
        text = nfc(_text(path, odd))
        return text.partition(SHOTS_END)[2].strip() + "\n\n" if SHOTS_END in text else text.strip() + "\n\n"
    rows = _rows(form, path, odd)
    if len(rows) < wanted:
        raise InputError(f"{path} holds {len(rows)} examples; {wanted} are shown.")
    return "".join(f"{form['question'].format(**row)} {_answer(row)}\n\n" for row in rows[:wanted])


def _answer(row: Row) -> str:
    return row["answer"] if "answer" in row else row["target"]


def _rows(form: Mapping[str, Any], path: Path, odd: list[str]) -> list[Row]:
    """The rows of a file, each with the columns of its form; InputError for any other."""
    rows = _json_rows(path) if path.suffix == ".json" else _csv_rows(form, path, odd)
    for number, row in enumerate(rows, 1):
        where = f"{path}, question {number}"
        if not _answer(row) or not (row["question"] if "question" in row else row["input"]):
            raise InputError(f"{where}: the question or its answer is empty.")
        if (known := form.get("answers")) and row["answer"] not in known:
            raise InputError(
                f"{where}: the answer is {row['answer']!r}, not one of {', '.join(known)}; was it translated?"
            )
    if not rows:
        raise InputError(f"{path} holds no question.")
    return rows


def _json_rows(path: Path) -> list[Row]:
    page = parse_json(whole_file(path), path)
    rows = page.get("examples") if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise InputError(f"{path}: an object with a list 'examples' was expected, as in BIG-Bench Hard.")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or sorted(row) != ["input", "target"] or not _are_texts(row.values()):
            raise InputError(f"{path}, question {number}: the texts 'input' and 'target' were expected.")
    return [{key: nfc(value).strip() for key, value in row.items()} for row in rows]


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _csv_rows(form: Mapping[str, Any], path: Path, odd: list[str]) -> list[Row]:
    columns: Sequence[str] = form["columns"]
    reader = csv.reader(io.StringIO(_text(path, odd), newline=""), strict=True)
    try:
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: no CSV: {error}.") from None
    if form.get("header"):
        head, lines = (lines[0], lines[1:]) if lines else ([], [])
        if head[: len(columns)] != list(columns) or head[len(columns) :] not in ([], ["explanation"]):
            said, wanted = ",".join(head)[:60], ",".join(columns)
            raise InputError(f"{path}, line 1: the columns {wanted} were expected, not {said}; were they translated?")
        columns = head
    for number, line in enumerate(lines, 1):
        if len(line) != len(columns):
            raise InputError(
                f"{path}, question {number}: {len(line)} columns, not {len(columns)}: {','.join(columns)}."
            )
    return [dict(zip(columns, map(_cell, line), strict=True)) for line in lines]


def _cell(text: str) -> str:
    return nfc(text).strip()


def _text(path: Path, odd: list[str]) -> str:
    data = whole_file(path)
    if data.startswith(BOM):
        odd.append(f"{path} begins with a byte order mark, which was skipped.")
    return decode(data, path)
