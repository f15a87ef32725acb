"""Recognise files of instructions by the keys of their first record: which format, and which columns are which."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.extensions import read_extended_rows
from corpora.reading import CONVERSATION_KEYS, file_chunks, parse_json
from corpora.strict_json import load_json
from corpora.tables import STRICT

FILE = Path(__file__).with_name("instruction_columns.toml")
FORMATS = {".parquet": "parquet", ".csv": "csv", ".tsv": "tsv"}  # others are JSON or JSON Lines
SEPARATORS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True)
class InstructionColumns:
    """A row of instruction_columns.toml: how a family of datasets names the columns of instructions."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """Which datasets have these columns."""
    instruction: str
    """The column of the instruction."""
    output: str
    """The column of the output."""
    input: str = ""
    """The column of the input, if there is one."""

    def columns(self, keys: Collection[str]) -> dict[str, str]:
        """Return the names in a file with these keys of our columns, where they differ."""
        named = {"instruction": self.instruction, "input": self.input, "output": self.output}
        return {ours: column for ours, column in named.items() if column in keys and column != ours}


def instruction_column_rows() -> Mapping[str, InstructionColumns]:
    """Return the rows of instruction_columns.toml by name, the user's among them."""
    return read_extended_rows(FILE, InstructionColumns)


def recognise(path: Path) -> tuple[str, dict[str, str]]:
    """Return the format of a file of instructions, and the names in it of our columns where they differ.

    Raises:
        InputError: The first record has none of the known columns.
    """
    file_format = FORMATS.get(path.suffix.lower(), "")
    keys = _first_keys(path, file_format)
    if turns := next((key for key in CONVERSATION_KEYS if key in keys), None):
        more = {name: name for name in ("system",) if name in keys}
        return (file_format, {"messages": turns, **more}) if file_format else ("messages-json", {})
    rows = instruction_column_rows().values()
    row = next((row for row in rows if {row.instruction, row.output} <= set(keys)), None)
    if row is None and keys:
        known = "; ".join(f"{row.instruction}, {row.output} ({row.name})" for row in rows)
        raise InputError(
            f"{path} has no instruction to translate: its first record has {', '.join(map(str, keys))}. Known are "
            f"messages or conversations; {known}. Rename yours, or add a row to {FILE.name} in a --with folder."
        )
    return file_format or "alpaca-json", row.columns(keys) if row else {}


def _first_keys(path: Path, file_format: str) -> list[str]:
    """Return the keys of the first record of a file that has any; none if there is no such record."""
    try:
        if file_format == "parquet":
            return list(pq.read_schema(path).names)
        if file_format:
            line = next(_lines(path), b"").decode("utf-8-sig", "replace")
            return [name.strip().strip('"') for name in line.split(SEPARATORS[file_format])]
    except (pa.ArrowException, OSError) as error:
        first = str(error).partition("\n")[0].rstrip(".")
        raise InputError(f"{path} cannot be read as {file_format}: {first}. Name another file.") from None
    records = _json_lines(path) if ".jsonl" in path.name.lower()[-9:] else _json_list(path)
    return next((list(record) for record in records if isinstance(record, dict)), [])


def _lines(path: Path) -> "chain[bytes]":
    return chain.from_iterable(chunk.splitlines() for chunk in file_chunks(path))


def _json_lines(path: Path) -> list[object]:
    """Return the first object of a JSON Lines file; a line that is no object is an error where all are read."""
    for line in b"".join(file_chunks(path)).splitlines():
        try:
            record = load_json(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            return [record]
    return []


def _json_list(path: Path) -> list[object]:
    records = parse_json(b"".join(file_chunks(path)), path)
    return records if isinstance(records, list) else []
