"""Academic benchmarks published as files by language (Belebele, XCOPA, XNLI, MGSM ...): read strictly, as a dataset.

The task files in `lm_eval_tasks/` name `read_dataset` as their `custom_dataset`, so that `trainer evaluate` and
lm-evaluation-harness itself read the same rows.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora.catalog import language
from corpora.errors import InputError
from corpora.reading import check_expansion, decode_text, nfc, parse_json, read_whole_file
from corpora.tables import STRICT, parse_row
from trainer.evaluation.unpacked_files import nearest_files, plain_name

SPLIT = "test"
Row = dict[str, Any]


@dataclass(frozen=True)
class LanguageFiles:
    """The key `dataset_kwargs.language_files` of a task file: names of files, and what they must hold."""

    __pydantic_config__ = STRICT
    files: tuple[str, ...]
    """Names of files, with {code}: the first that a folder holds; a pattern may match several parts."""
    columns: tuple[str, ...]
    """The columns of a table, or the keys of a JSON object; others are left out."""
    answer: str
    """The column of the right answer."""
    answers: tuple[str, ...] = ()
    """The answers that are allowed; any, where none are listed."""
    code: str = "{lang}"
    """How files spell a language: `{lang}` or `{flores}`, codes of the language."""
    codes: dict[str, str] = field(default_factory=dict)
    """Other spellings of languages."""
    lang_column: str = ""
    """The column that names a row's language, where a file holds several."""
    id_columns: tuple[str, ...] = ()
    """The columns that identify a question in every language; without them, its number does."""
    has_header: bool = True
    """Whether a TSV begins with the names of its columns."""
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    """Words of the prompt by language, which are added to each row."""

    def spell(self, lang: str) -> str:
        """Return the code of a language in names of files."""
        return self.codes.get(lang) or self.code.format(lang=lang, flores=language(lang).flores)

    def find(self, folder: Path, lang: str) -> list[Path]:
        """Return the files of a language: the parts of one table.

        Raises:
            InputError: Several tables have the name.
        """
        names = [name.format(code=self.spell(lang)) for name in self.files]
        paths = next(filter(None, (nearest_files(folder, name) for name in names)), [])
        if len({path.parent for path in paths}) > 1:
            raise InputError(f"{folder} holds several files of one name: {paths[0]} and {paths[1]}. Keep one of them.")
        return paths

    def read(self, folder: Path, lang: str) -> tuple[list[Row], list[str]]:
        """Return every question of a language, and warnings about the files, as `read_table` does."""
        return read_table(folder, lang, self)


def read_dataset(data: str, lang: str, language_files: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Return the questions of a language as a `datasets` dataset with the one split `test`.

    Args:
        data: The folder with upstream's files, or their translation.
        lang: The language's code.
        language_files: The keys of LanguageFiles.
        **_: What else lm-evaluation-harness passes on: the metadata of task and command line.
    """
    from datasets import Dataset

    rows, _warnings = read_table(Path(data), lang, parse_row(language_files, LanguageFiles, "language_files"))
    return {SPLIT: Dataset.from_list(rows)}


def read_table(folder: Path, lang: str, files: LanguageFiles) -> tuple[list[Row], list[str]]:
    """Return every question of a language, and warnings about the files.

    A row has the columns of its file, `item_id`, and the words of the prompt.

    Raises:
        InputError: There is no file, or it is not what upstream published.
    """
    if files.texts and lang not in files.texts:
        raise InputError(
            f"The prompt has no words in {language(lang).name}; it has them in {', '.join(files.texts)}. Add them to "
            "'texts' in a copy of the task file, in the folder lm_eval_tasks/ of a folder of your own."
        )
    paths = files.find(folder, lang)
    if not paths:
        names = " or ".join(name.format(code=files.spell(lang)) for name in files.files)
        raise InputError(f"{folder} holds no {names}.")
    rows = [row for path in paths for row in _rows(path, lang, files)]
    if not rows:
        raise InputError(f"{paths[0]} holds no question in {language(lang).name}.")
    _check_ids([row["item_id"] for row in rows], paths[0])
    return rows, []


def _rows(path: Path, lang: str, files: LanguageFiles) -> Iterator[Row]:
    for number, row in enumerate(_read(path, files), 1):
        where = f"{path}, question {number}"
        _check_columns(row, files, where)
        if files.lang_column and row[files.lang_column] != files.spell(lang):
            continue
        if files.answers and str(row[files.answer]) not in files.answers:
            raise InputError(
                f"{where}: the answer is {row[files.answer]!r}, not one of {', '.join(files.answers)}; was it "
                "translated?"
            )
        identity = "#".join(str(row[name]) for name in files.id_columns) or str(number)
        yield {"item_id": identity} | files.texts.get(lang, {}) | {name: row[name] for name in files.columns}


def _check_columns(row: Row, files: LanguageFiles, where: str) -> None:
    """Raise InputError unless every column is there, as a number or as a text with content."""
    for name in dict.fromkeys((*files.columns, *files.id_columns, *filter(None, [files.lang_column]))):
        value = row.get(name)
        if name not in row:
            raise InputError(f"{where}: there is no {name!r}, only {', '.join(map(str, row))[:200]}.")
        if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
            raise InputError(f"{where}: {name!r} is {value!r}, not a text or a number.")


def _check_ids(ids: Sequence[str], path: Path) -> None:
    if len(set(ids)) < len(ids):
        twice = next(name for number, name in enumerate(ids) if name in ids[:number])
        raise InputError(f"{path} holds the question {twice} twice. Take the file from upstream again.")


def _read(path: Path, files: LanguageFiles) -> Iterator[Row]:
    """Yield the rows of a file, texts in NFC."""
    read = READERS.get(Path(plain_name(path)).suffix)
    if read is None:
        raise InputError(f"{path}: the endings {', '.join(READERS)} can be read.")
    for row in read(path, files):
        yield {name: nfc(value) if isinstance(value, str) else value for name, value in row.items()}


def _read_jsonl(path: Path, files: LanguageFiles) -> Iterator[Row]:
    for number, line in enumerate(decode_text(read_whole_file(path), path).split("\n"), 1):
        if line.strip():
            row = parse_json(line.encode(), f"{path}, line {number}")
            if not isinstance(row, dict):
                raise InputError(f"{path}, line {number}: an object was expected.")
            yield row


def _read_tsv(path: Path, files: LanguageFiles) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(decode_text(read_whole_file(path), path)), delimiter="\t", quoting=csv.QUOTE_NONE)
    names = next(lines, []) if files.has_header else list(files.columns)
    for number, line in enumerate(lines, 1 + files.has_header):
        if line and len(line) != len(names):
            raise InputError(f"{path}, line {number}: {len(line)} columns, not {len(names)}: {', '.join(names)[:200]}.")
        if line:
            yield dict(zip(names, line, strict=True))


def _read_parquet(path: Path, files: LanguageFiles) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_expansion(path, files.columns)
        with pq.ParquetFile(path) as table:
            names = [name for name in table.schema_arrow.names if name in (*files.columns, *files.id_columns)]
            for batch in table.iter_batches(columns=names):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} is not a Parquet file, or damaged: {error}.") from None


READERS: dict[str, Callable[[Path, LanguageFiles], Iterator[Row]]] = {
    ".jsonl": _read_jsonl,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
}
