"""One row of instructions: the schema, and the row of a record with instruction, input and output."""

import math
from typing import Any

import pyarrow as pa

from corpora.reading.normalization import nfc
from corpora.strict_json import SURROGATE

Instruction = dict[str, Any]  # FIELDS, messages and read_error
MISSING = frozenset(("nan", "NaN", "None", "null", "NULL", "<NA>"))  # inputs: missing values that became texts
FIELDS = ("instruction", "input", "output")
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
# A row is a record. `messages` holds a conversation with a system message or several questions, from the first message
# to the last answer, and is null for one question and its answer. `instruction` and `output` are then the first
# question and the last answer.
INSTRUCTIONS = pa.schema(
    [
        ("line_number", pa.int64()),
        *((name, pa.string()) for name in FIELDS),
        ("messages", MESSAGES),
        ("read_error", pa.string()),
    ]
)


def instruction_row(record: object) -> Instruction:
    """Return the row of a record: NFC, LF, stripped; a missing value, however it is spelled, is an empty text."""
    if not isinstance(record, dict):
        return bad_row("not_an_object")
    record = record | {name: as_text(record[name]) for name in FIELDS if name in record}
    if isinstance(record.get("input"), str) and record["input"] in MISSING:
        record["input"] = ""
    texts = {name: clean_text(record.get(name, "")) for name in FIELDS}
    return {**texts, "messages": None, "read_error": _read_error(record, texts)}


def as_text(value: object) -> object:
    """Return a number as its text, null, NaN and no value as an empty one, and what a list of one holds; else it."""
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else ""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return str(value) if is_number else value


def bad_row(read_error: str) -> Instruction:
    """Return the row of a record that cannot be read."""
    return {**dict.fromkeys(FIELDS, ""), "messages": None, "read_error": read_error}


def _read_error(record: dict[str, object], texts: dict[str, str]) -> str | None:
    if "instruction" not in record or "output" not in record:
        return "missing_field"
    if not all(is_text(record.get(name, "")) for name in FIELDS):
        return "not_a_string"
    return next((f"empty_{name}" for name in ("instruction", "output") if not texts[name]), None)


def is_text(value: object) -> bool:
    """Return whether a value is a string that UTF-8 can hold."""
    return isinstance(value, str) and not SURROGATE.search(value)


def clean_text(value: object) -> str:
    """Return the text in NFC, with LF, without whitespace around it; empty if it is no text."""
    text = SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""
    return nfc(text.replace("\r\n", "\n")).strip()
