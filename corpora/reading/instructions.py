"""Instructions as Alpaca, the Hub and Self-Instruct write them (JSON or JSON Lines) -> a table of INSTRUCTIONS."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from corpora.errors import InputError
from corpora.reading.archives import check_file
from corpora.reading.nfc import nfc
from corpora.reading.strict_json import SURROGATE, decode, parse_json

FIELDS = ("instruction", "input", "output")
INSTRUCTIONS = pa.schema([("line_number", pa.int64()), *((name, pa.string()) for name in (*FIELDS, "read_error"))])


def read_alpaca(path: Path) -> pa.Table:
    """A row a record, numbered from 1; records with a read error keep what is text in them."""
    return _table(_row(record) for record in _records(path))


def read_messages(path: Path) -> pa.Table:
    """A row a conversation of one question and one answer; any other has the read error `not_one_exchange`."""
    return _table(_exchange(record) for record in _records(path))


def read_tasks(path: Path) -> pa.Table:
    """A row a task, with the input of its first instance, or its own, and no answer: what is right, a judge says."""
    return _table(_task(record) for record in _records(path))


def _records(path: Path) -> list[object]:
    check_file(path)
    return _json_lines(path) if path.suffix.lower() == ".jsonl" else _json_list(path)


def _table(rows: Iterable[dict[str, str | None]]) -> pa.Table:
    return pa.Table.from_pylist([{"line_number": line} | row for line, row in enumerate(rows, 1)], schema=INSTRUCTIONS)


def _exchange(record: object) -> dict[str, str | None]:
    """The columns of a record with `messages`, as Hub datasets spell conversations."""
    messages = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        read_error = "missing_field" if isinstance(record, dict) else "not_an_object"
        return {**dict.fromkeys(FIELDS, ""), "read_error": read_error}
    if [message.get("role") for message in messages] != ["user", "assistant"]:
        return {**dict.fromkeys(FIELDS, ""), "read_error": "not_one_exchange"}
    asked, answered = (message.get("content") for message in messages)
    return _row({"instruction": asked, "output": answered})


def _task(record: object) -> dict[str, str | None]:
    """The columns of a task as Self-Instruct keeps its seeds: `instances` of input and output."""
    instances = record.get("instances") if isinstance(record, dict) else None
    if isinstance(instances, list) and instances and isinstance(instances[0], dict):
        record = {**record, "input": instances[0].get("input", "")}  # type: ignore[dict-item]
    row = _row({**record, "output": ""} if isinstance(record, dict) else record)
    return row | {"read_error": None if row["read_error"] == "empty_output" else row["read_error"]}


def _json_list(path: Path) -> list[object]:
    records = parse_json(path.read_bytes(), path)
    if not isinstance(records, list):
        raise InputError(f"{path}: a JSON list of records was expected at the top, not {_kind(records)}.")
    return records


def _kind(value: object) -> str:
    return {dict: "an object", str: "a string", type(None): "null"}.get(type(value), "a number or a truth value")


def _json_lines(path: Path) -> list[object]:
    text = decode(path.read_bytes(), path).removesuffix("\n")
    lines = text.split("\n") if text else []
    return [_json_line(line, f"{path}, line {number},") for number, line in enumerate(lines, 1) if line.strip()]


def _json_line(line: str, where: str) -> object:
    return parse_json(line.encode("utf-8"), where)


def _row(record: object) -> dict[str, str | None]:
    """The columns of one record but its number."""
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
    """The text as it is stored: NFC, LF, no whitespace around it; nothing if it is no text."""
    text = SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""
    return nfc(text.replace("\r\n", "\n")).strip()
