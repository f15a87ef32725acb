"""Read instructions as Alpaca, the Hub, OpenAssistant and Self-Instruct write them (JSON or JSON Lines)."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, damaged, file_chunks
from corpora.reading.conversations import conversation_row, history_row
from corpora.reading.input_file import InputFile
from corpora.reading.instruction_rows import Instruction, instruction_row
from corpora.reading.trees import best_threads
from corpora.strict_json import decode_text, load_json, parse_json


def read_alpaca(file: InputFile) -> Iterator[Instruction | None]:
    """Yield one row for each record; a record with a read error keeps what is text in it."""
    return (history_row(_rename(file, record)) if _is_in(file, record) else None for record in _records(file.path))


def read_messages(file: InputFile) -> Iterator[Instruction | None]:
    """Yield one row for each conversation; of a record in another language None."""
    return (conversation_row(_rename(file, record)) if _is_in(file, record) else None for record in _records(file.path))


def read_trees(file: InputFile) -> Iterator[Instruction | None]:
    """Yield the best thread of each tree of messages, as OpenAssistant publishes them."""
    return best_threads(_records(file.path), file.xx_code or file.lang)


def read_tasks(file: InputFile) -> Iterator[Instruction]:
    """Yield one row for each task, with the input of its first instance, or its own, and without an answer."""
    return (_task(record) for record in _records(file.path))


def _is_in(file: InputFile, record: object) -> bool:
    """Return whether a record is in the language of the file: all are, unless `columns` names one for the language."""
    if "lang" not in file.columns or not isinstance(record, dict):
        return True
    return bool(record.get(file.columns["lang"]) == file.xx_code)


def _rename(file: InputFile, record: object) -> object:
    """Return a record with our names for the keys that `columns` names."""
    if not isinstance(record, dict) or not file.columns:
        return record
    return record | {ours: record[column] for ours, column in file.columns.items() if column in record}


def _records(path: Path) -> list[object]:
    try:
        data = b"".join(file_chunks(path))
    except DAMAGE as error:
        raise damaged(path, error) from None
    text = data.removeprefix(BOM_UTF8).strip()
    is_named_lines = ".jsonl" in path.name.lower()[-9:]
    # The content decides where the name is of the other form: a list in a .jsonl, several objects in a .json.
    is_lines = not text.startswith(b"[") if is_named_lines else text.startswith(b"{") and _is_json(text.split(b"\n")[0])
    is_several = is_named_lines or b"\n" in text
    return _json_lines(data, path) if is_lines and is_several else _json_list(data, path)


def _is_json(line: bytes) -> bool:
    try:
        load_json(line.decode("utf-8", "replace"))
    except ValueError:
        return False
    return True


def _task(record: object) -> Instruction:
    """Return the row of a task as Self-Instruct keeps its seeds: `instances` of input and output."""
    instances = record.get("instances") if isinstance(record, dict) else None
    if isinstance(instances, list) and instances and isinstance(instances[0], dict):
        record = {**record, "input": instances[0].get("input", "")}  # type: ignore[dict-item]
    row = instruction_row({**record, "output": ""} if isinstance(record, dict) else record)
    return row | {"read_error": None if row["read_error"] == "empty_output" else row["read_error"]}


def _json_list(data: bytes, path: Path) -> list[object]:
    records = parse_json(data, path)
    if not isinstance(records, list):
        raise InputError(f"{path}: a JSON list of records was expected at the top, not {_kind(records)}.")
    return records


def _kind(value: object) -> str:
    return {dict: "an object", str: "a string", type(None): "null"}.get(type(value), "a number or a truth value")


def _json_lines(data: bytes, path: Path) -> list[object]:
    text = decode_text(data, path).removesuffix("\n")
    lines = text.split("\n") if text else []
    return [_json_line(line, f"{path}, line {number},") for number, line in enumerate(lines, 1) if line.strip()]


def _json_line(line: str, where: str) -> object:
    return parse_json(line.encode("utf-8"), where)
