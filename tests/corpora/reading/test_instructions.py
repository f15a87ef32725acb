"""Alpaca's JSON and JSON Lines."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.reading import INSTRUCTIONS, InputFile, read_instructions
from corpora.reading.instructions import instruction_row


def read(path: Path) -> list[dict]:
    table = pa.Table.from_batches(read_instructions(InputFile(path, "alpaca-json")), INSTRUCTIONS)
    assert table.schema == INSTRUCTIONS
    return table.to_pylist()


def write(folder: Path, text: str | bytes, name: str = "alpaca_data.json") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def record(instruction: object = "Add.", output: object = "3", **more: object) -> dict:
    return {"instruction": instruction, "output": output, **more}


def test_records_are_cleaned_and_numbered(tmp_path):
    records = [record(" cafe\u0301\r\nx ", input="\t1 2\n", extra=[1]), record()]
    for data in (json.dumps(records).encode(), b"\xef\xbb\xbf" + json.dumps(records, ensure_ascii=False).encode()):
        rows = read(write(tmp_path, data))
        assert rows[0] == {
            "line_number": 1,
            "instruction": "café\nx",
            "input": "1 2",
            "output": "3",
            "read_error": None,
        }
        assert rows[1] == {"line_number": 2, "instruction": "Add.", "input": "", "output": "3", "read_error": None}


@pytest.mark.parametrize(
    ("value", "read_error"),
    [
        (["a"], "not_an_object"),
        ("a", "not_an_object"),
        ({"instruction": "a"}, "missing_field"),
        ({"output": "a"}, "missing_field"),
        (record(output=3), "not_a_string"),
        (record(input=None), "not_a_string"),
        (record("half \ud800"), "not_a_string"),
        (record(" \n"), "empty_instruction"),
        (record(output=""), "empty_output"),
    ],
)
def test_bad_record_is_a_row_with_a_read_error(tmp_path, value, read_error):
    rows = read(write(tmp_path, json.dumps([record(), value, record()])))
    assert [row["read_error"] for row in rows] == [None, read_error, None]
    assert [row["line_number"] for row in rows] == [1, 2, 3]


def test_json_lines_are_recognised_by_the_name(tmp_path):
    lines = [json.dumps(record(f"{n}\u2028"), ensure_ascii=False) for n in range(3)]
    for text in ("\n".join(lines), "\r\n".join(lines) + "\r\n"):
        rows = read(write(tmp_path, text, "alpaca.jsonl"))
        assert [row["instruction"] for row in rows] == ["0", "1", "2"]
    assert read(write(tmp_path, "", "alpaca.jsonl")) == read(write(tmp_path, "[]")) == []


def test_invalid_line_is_an_error_with_its_number(tmp_path):
    for bad in ("{", '{"a": 1} {}'):
        with pytest.raises(InputError, match=r"alpaca.jsonl, line 2, is not valid JSON"):
            read(write(tmp_path, f"{{}}\n{bad}\n{{}}\n", "alpaca.jsonl"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'[{},\n {"a" 1}]', "is not valid JSON at line 2, column 7"),
        (b"", "is not valid JSON at line 1"),
        (b"\n <!DOCTYPE html>", "is an HTML page, not JSON"),
        (b"[\n\xff]", "is not valid UTF-8 at line 2, byte 3"),
        (b'{"data": []}', "a JSON list of records was expected at the top, not an object"),
        (b"3", "a JSON list of records was expected"),
        (b"[" * 100_000, "is not JSON that can be read"),
        (b"[" + b"9" * 5000 + b"]", "is not JSON that can be read"),
    ],
)
def test_file_of_another_form_is_an_error(tmp_path, data, message):
    with pytest.raises(InputError, match=f"alpaca_data.json.* {message}"):
        read(write(tmp_path, data))


def test_missing_files_and_unknown_formats_are_errors(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read(tmp_path / "absent.json")
    with pytest.raises(InputError, match="Unknown format of instructions 'alpaca'"):
        list(read_instructions(InputFile(tmp_path, "alpaca")))


VALUES = st.none() | st.text(st.characters(), max_size=5) | st.integers()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["instruction", "input", "output", "x"]), VALUES) | VALUES)
def test_any_record_is_a_row_of_text(value):
    row = instruction_row(value)
    assert set(row) == {"instruction", "input", "output", "read_error"}
    assert row["read_error"] or (row["instruction"] and row["output"])
    assert all(text.encode() is not None for text in row.values() if text)
