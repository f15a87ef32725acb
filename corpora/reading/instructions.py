"""Read instructions as Alpaca, the Hub and Self-Instruct write them (JSON or JSON Lines)."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from corpora.errors import InputError
from corpora.reading.archives import check_file
from corpora.reading.input_file import InputFile
from corpora.reading.normalization import nfc
from corpora.strict_json import SURROGATE, decode_text, parse_json

Instruction = dict[str, str | None]  # FIELDS and read_error
FIELDS = ("instruction", "input", "output")
INSTRUCTIONS = pa.schema([("line_number", pa.int64()), *((name, pa.string()) for name in (*FIELDS, "read_error"))])


def read_alpaca(file: InputFile) -> Iterator[Instruction]:
    """Yield one row for each record; a record with a read error keeps what is text in it."""
    return (instruction_row(record) for record in _records(file.path))


def read_messages(file: InputFile) -> Iterator[Instruction]:
    """Yield one row for each conversation of one question and one answer; others have `not_one_exchange`."""
    return (_exchange(record) for record in _records(file.path))


def read_tasks(file: InputFile) -> Iterator[Instruction]:
    """Yield one row for each task, with the input of its first instance, or its own, and without an answer."""
    return (_task(record) for record in _records(file.path))


def _records(path: Path) -> list[object]:
    check_file(path)
    return _json_lines(path) if path.suffix.lower() == ".jsonl" else _json_list(path)


def _exchange(record: object) -> Instruction:
    """Return the row of a record with `messages`, as datasets of the Hub have conversations."""
    messages = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        read_error = "missing_field" if isinstance(record, dict) else "not_an_object"
        return {**dict.fromkeys(FIELDS, ""), "read_error": read_error}
    if [message.get("role") for message in messages] != ["user", "assistant"]:
        return {**dict.fromkeys(FIELDS, ""), "read_error": "not_one_exchange"}
    question, answer = (message.get("content") for message in messages)
    return instruction_row({"instruction": question, "output": answer})


def _task(record: object) -> Instruction:
    """Return the row of a task as Self-Instruct keeps its seeds: `instances` of input and output."""
    instances = record.get("instances") if isinstance(record, dict) else None
    if isinstance(instances, list) and instances and isinstance(instances[0], dict):
        record = {**record, "input": instances[0].get("input", "")}  # type: ignore[dict-item]
    row = instruction_row({**record, "output": ""} if isinstance(record, dict) else record)
    return row | {"read_error": None if row["read_error"] == "empty_output" else row["read_error"]}


def _json_list(path: Path) -> list[object]:
    records = parse_json(path.read_bytes(), path)
    if not isinstance(records, list):
        raise InputError(f"{path}: a JSON list of records was expected at the top, not {_kind(records)}.")
    return records


def _kind(value: object) -> str:
    return {dict: "an object", str: "a string", type(None): "null"}.get(type(value), "a number or a truth value")


def _json_lines(path: Path) -> list[object]:
    text = decode_text(path.read_bytes(), path).removesuffix("\n")
    lines = text.split("\n") if text else []
    return [_json_line(line, f"{path}, line {number},") for number, line in enumerate(lines, 1) if line.strip()]


def _json_line(line: str, where: str) -> object:
    return parse_json(line.encode("utf-8"), where)


def instruction_row(record: object) -> Instruction:
    """Return instruction, input, output and read error of a record: NFC, LF, stripped; a missing input is empty."""
    if not isinstance(record, dict):
        return {**dict.fromkeys(FIELDS, ""), "read_error": "not_an_object"}
    texts = {name: _clean(record.get(name, "")) for name in FIELDS}
    return {**texts, "read_error": _read_error(record, texts)}


def _read_error(record: dict[str, object], texts: dict[str, str]) -> str | None:
    if "instruction" not in record or "output" not in record:
        return "missing_field"
    if not all(_is_text(record.get(name, "")) for name in FIELDS):
        return "not_a_string"
    return next((f"empty_{name}" for name in ("instruction", "output") if not texts[name]), None)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not SURROGATE.search(value)


def _clean(value: object) -> str:
    """Return the text in NFC, with LF, without whitespace around it; empty if it is no text."""
    text = SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""
    return nfc(text.replace("\r\n", "\n")).strip()
