"""Academic benchmarks published as files by subject (MMLU, BBH, C-Eval): read strictly, as a dataset for lm-eval.

The task files in `lm_eval_tasks/` name `read_dataset` as their `custom_dataset`, so that `trainer evaluate` and
lm-evaluation-harness itself read the same rows.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora.errors import InputError
from corpora.reading import BOM, decode_text, nfc, parse_json, read_whole_file
from corpora.tables import STRICT, parse_row
from trainer.evaluation.unpacked_files import nearest_files, plain_name

EXAMPLES_BEGIN = "-----\n"  # ends the canary at the top of BBH's files of examples
SPLIT = "test"
Row = dict[str, str]


@dataclass(frozen=True)
class SubjectFiles:
    """The key `dataset_kwargs.subject_files` of a task file: names of files, and what they must hold."""

    __pydantic_config__ = STRICT
    questions: tuple[str, ...]
    """Names of files of questions, with {subject}: the first that a folder holds."""
    columns: tuple[str, ...]
    """The columns of a CSV, or the keys of a JSON object."""
    examples: str = ""
    """The name of files of examples with the same columns."""
    examples_text: str = ""
    """The name of files of examples that are a text."""
    has_header: bool = False
    """Whether a CSV begins with the names of its columns."""
    answers: tuple[str, ...] = ()
    """The answers that are allowed; any, where none are listed."""
    subject_names: dict[str, str] = field(default_factory=dict)
    """The name of each subject for the prompt; without it, the file's name."""
    unpacks_as: tuple[str, ...] = ()
    """Folders as which upstream's archive unpacks, read where there is none for the language."""
    lang: str = "en"
    """The language of upstream's archive."""

    def find(self, folder: Path, lang: str) -> list[Path]:
        """Return the files of questions in a folder, which is that of the language."""
        return list(question_files(folder, self).values())

    def read(self, folder: Path, lang: str) -> tuple[list[dict[str, Any]], list[str]]:
        """Return every question of a folder, and warnings about the files, as `read_questions` does."""
        return read_questions(folder, self)


def read_dataset(data: str, subject_files: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Return the questions of a folder as a `datasets` dataset with the one split `test`.

    Args:
        data: The folder with upstream's files, or their translation.
        subject_files: The keys of SubjectFiles.
        **_: What else lm-evaluation-harness passes on: the metadata of task and command line.
    """
    from datasets import Dataset

    rows, _warnings = read_questions(Path(data), parse_row(subject_files, SubjectFiles, "subject_files"))
    return {SPLIT: Dataset.from_list(rows)}


def read_questions(folder: Path, files: SubjectFiles) -> tuple[list[dict[str, Any]], list[str]]:
    """Return every question of a folder, subject by subject, and warnings about the files.

    A row has the columns of its file, `item_id`, `subject`, `subject_name`, `examples` (rows of the subject's file of
    examples) and `examples_text`.

    Raises:
        InputError: The folder holds no questions, or a file is not what upstream published.
    """
    paths = question_files(folder, files)
    if not paths:
        raise InputError(f"{folder} holds no {' or '.join(files.questions)}.")
    warnings: list[str] = []
    examples = _by_subject(folder, files.examples or files.examples_text)
    rows = []
    for subject, path in paths.items():
        own = _examples(files, subject, path, examples.get(subject), warnings)
        for number, row in enumerate(_read_rows(files, path, warnings), 1):
            rows.append({"item_id": f"{subject}:{number}", "subject": subject} | own | row)
    return rows, warnings


def question_files(folder: Path, files: SubjectFiles) -> dict[str, Path]:
    """Return the files of questions in a folder by subject."""
    return next(filter(None, (_by_subject(folder, name) for name in files.questions)), {})


def _by_subject(folder: Path, pattern: str) -> dict[str, Path]:
    """Return the files of a folder with a name of this pattern, by subject."""
    if not pattern:
        return {}
    before, after = pattern.split("{subject}")
    paths = nearest_files(folder, pattern.format(subject="*"))
    by_subject = {plain_name(path).removeprefix(before).removesuffix(after): path for path in paths}
    if len(by_subject) < len(paths):
        raise InputError(f"{folder} holds several files of one name ({paths[0].name} or another). Keep one of each.")
    return by_subject


def _examples(
    files: SubjectFiles, subject: str, path: Path, examples: Path | None, warnings: list[str]
) -> dict[str, Any]:
    """Return what the questions of a subject share."""
    names = files.subject_names or {subject: subject.replace("_", " ")}
    if subject not in names:
        raise InputError(f"{path} is about an unknown subject. Known: {', '.join(sorted(names)[:6])}, ...")
    shared = {"subject_name": names[subject], "examples": list[Row](), "examples_text": ""}
    if examples is None:
        if files.examples_text:
            raise InputError(missing_examples(path, files.examples_text.format(subject=subject)))
        return shared
    if files.examples_text:
        text = nfc(_read_text(examples, warnings))
        return shared | {"examples_text": text.rpartition(EXAMPLES_BEGIN)[2].strip()}
    return shared | {"examples": _read_rows(files, examples, warnings)}


def missing_examples(path: object, name: str) -> str:
    """Return the sentence for questions whose examples are missing."""
    return (
        f"{path} has no examples beside it ({name}). Put them there, or choose the benchmark without examples, whose "
        "name ends in -0."
    )


def _read_rows(files: SubjectFiles, path: Path, warnings: list[str]) -> list[Row]:
    """Return the rows of a file.

    Raises:
        InputError: Columns, a question or an answer are not as expected.
    """
    rows = _json_rows(path, files.columns) if plain_name(path).endswith(".json") else _csv_rows(files, path, warnings)
    for number, row in enumerate(rows, 1):
        question, answer = (row[name] for name in _question_and_answer(files.columns))
        if not question or not answer:
            raise InputError(f"{path}, question {number}: the question or its answer is empty.")
        if files.answers and answer not in files.answers:
            raise InputError(
                f"{path}, question {number}: the answer is {answer!r}, not one of {', '.join(files.answers)}; was it "
                "translated?"
            )
    if not rows:
        raise InputError(f"{path} holds no question.")
    return rows


def _question_and_answer(columns: Sequence[str]) -> tuple[str, str]:
    return ("question" if "question" in columns else columns[0]), columns[-1]


def _json_rows(path: Path, columns: Sequence[str]) -> list[Row]:
    page = parse_json(read_whole_file(path), path)
    rows = page.get("examples") if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise InputError(f"{path}: an object with a list 'examples' was expected, as in BIG-Bench Hard.")
    for number, row in enumerate(rows, 1):
        texts = row if isinstance(row, dict) else {}
        if sorted(texts) != sorted(columns) or not all(isinstance(value, str) for value in texts.values()):
            names = " and ".join(f"'{name}'" for name in columns)
            raise InputError(f"{path}, question {number}: the texts {names} were expected.")
    return [{key: nfc(value).strip() for key, value in row.items()} for row in rows]


def _csv_rows(files: SubjectFiles, path: Path, warnings: list[str]) -> list[Row]:
    lines = _csv_lines(path, _read_text(path, warnings))
    columns = files.columns
    if files.has_header:
        columns, lines = _header(path, lines, columns), lines[1:]
    for number, line in enumerate(lines, 1):
        if len(line) != len(columns):
            raise InputError(
                f"{path}, question {number}: {len(line)} columns, not {len(columns)}: {','.join(columns)}."
            )
    rows = [dict(zip(columns, (nfc(cell).strip() for cell in line), strict=True)) for line in lines]
    return [{name: row[name] for name in files.columns} for row in rows]


def _csv_lines(path: Path, text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [line for line in reader if line]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not a CSV file: {error}.") from None


def _header(path: Path, lines: Sequence[Sequence[str]], columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that a CSV's first line names: those expected, and perhaps an explanation."""
    head = tuple(lines[0]) if lines else ()
    if head not in (columns, (*columns, "explanation")):
        raise InputError(
            f"{path}, line 1: the columns {','.join(columns)} were expected, not {','.join(head)[:60]}; were they "
            "translated?"
        )
    return head


def _read_text(path: Path, warnings: list[str]) -> str:
    data = read_whole_file(path)
    if data.startswith(BOM):
        warnings.append(f"{path} begins with a byte order mark, which was skipped.")
    return decode_text(data, path)
