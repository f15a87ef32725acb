"""The file of labels: a CSV with a row for each line and annotator, sorted, so that it can be committed and merged."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from corpora.errors import InputError
from corpora.files import atomic_path, read_whole

LABELS = ("right", "wrong", "unsure")
LOCK_TIMEOUT_S = 20
MAX_NOTE_CHARS = 500
MAX_NAME_CHARS = 60


@dataclass(frozen=True)
class Label:
    """What an annotator says of a sentence pair."""

    lang: str
    corpus: str
    line_number: int
    annotator: str
    label: str
    """`right` if the sides are translations of each other that should be kept, `wrong` if not, or `unsure`."""
    decision: str
    """What the build decided when the line was labelled: `kept`, or the filter that rejected it."""
    pair: str
    """16 hexadecimal digits of the SHA-256 of both sides, which notice that the corpus has changed."""
    slice: str
    """The lines of which this one was drawn at random."""
    note: str
    """Free text."""
    labelled_at: str
    """Date and time in UTC."""

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What identifies a row: the line and the annotator."""
        return self.lang, self.corpus, self.line_number, self.annotator

    @property
    def line(self) -> tuple[str, str, int]:
        """The line."""
        return self.lang, self.corpus, self.line_number


Key = tuple[str, str, int, str]
Labels = dict[Key, Label]
COLUMNS = [field.name for field in fields(Label)]


def pair_digest(en: str, xx: str) -> str:
    """Return what identifies the texts of a pair."""
    return hashlib.sha256(f"{en}\x1f{xx}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_labels(path: Path) -> list[Label]:
    """Return the labels of a file; none if there is no file.

    Raises:
        InputError: A row is malformed; the message names its line.
    """
    if not path.exists():
        return []
    try:
        text = read_whole(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8. Save it as UTF-8.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return list(_rows(reader, path))
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}. Restore the file.") from None


def _rows(reader: Any, path: Path) -> Iterator[Label]:
    if (header := next(reader, None)) is not None and header != COLUMNS:
        raise InputError(f"{path}, line 1: the columns are {','.join(header)}; expected {','.join(COLUMNS)}.")
    known: dict[Key, int] = {}
    for row in reader:
        label = _label(row, f"{path}, line {reader.line_num}")
        if label.key in known:
            raise InputError(
                f"{path}, line {reader.line_num}: {label.annotator} has labelled this pair in line {known[label.key]} "
                "too. Remove one of both rows."
            )
        known[label.key] = reader.line_num
        yield label


def _label(row: list[str], where: str) -> Label:
    if len(row) != len(COLUMNS):
        raise InputError(f"{where}: {len(row)} columns; expected {len(COLUMNS)}.")
    values = dict(zip(COLUMNS, row, strict=True))
    if values["label"] not in LABELS:
        raise InputError(f"{where}: the label is '{values['label']}'; expected {', '.join(LABELS)}.")
    if not values["line_number"].isdecimal() or not values["line_number"].isascii():
        raise InputError(f"{where}: line_number is '{values['line_number']}'; expected a number from 1.")
    return Label(**{**values, "line_number": int(values["line_number"])})  # type: ignore[arg-type]


def add_label(path: Path, label: Label) -> None:
    """Add a label, in the place of one of the same annotator for the same line."""
    _change(path, lambda labels: {**labels, label.key: label})


def replace_labels(path: Path, labels: Iterable[Label]) -> None:
    """Add labels, each in the place of one of the same annotator for the same line."""
    _change(path, lambda known: {**known, **{label.key: label for label in labels}})


def remove_label(path: Path, key: Key) -> bool:
    """Remove a label, and return whether there was one."""
    removed = []

    def remove(labels: Labels) -> Labels:
        removed.extend([key] if labels.pop(key, None) else [])
        return labels

    _change(path, remove)
    return bool(removed)


def _change(path: Path, change: Callable[[Labels], Labels]) -> None:
    """Write a changed file while no other process or tab changes it."""
    with _lock(path):
        labels = change({label.key: label for label in read_labels(path)})
        write_labels(path, labels.values())


def write_labels(path: Path, labels: Iterable[Label]) -> None:
    """Write a file of labels, sorted by line and annotator."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(label) for label in sorted(labels, key=lambda label: label.key))


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout:
        raise InputError(f"Another program is writing {path}. Try again.") from None


def one_line(text: str, limit: int) -> str:
    """Return a text on one line, cut after some characters."""
    return " ".join(text.split())[:limit]
