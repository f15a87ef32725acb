"""Alpaca's JSON and JSON Lines."""

import gzip
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.reading import INSTRUCTIONS, InputFile, read_instructions
from corpora.reading.instruction_rows import instruction_row


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
            "messages": None,
            "read_error": None,
        }
        assert (rows[1]["line_number"], rows[1]["input"], rows[1]["output"]) == (2, "", "3")


@pytest.mark.parametrize(
    ("value", "read_error"),
    [
        (["a"], "not_an_object"),
        ("a", "not_an_object"),
        ({"instruction": "a"}, "missing_field"),
        ({"output": "a"}, "missing_field"),
        (record(output=True), "not_a_string"),
        (record(input={"a": 1}), "not_a_string"),
        (record(output=["a", "b"]), "not_a_string"),
        (record(output=[]), "empty_output"),
        (record(input=[]), None),
        (record(output=float("inf")), "not_a_string"),
        (record(output=None), "empty_output"),
        (record(output=float("nan")), "empty_output"),
        (record(None), "empty_instruction"),
        (record("half \ud800"), "not_a_string"),
        (record(" \n"), "empty_instruction"),
        (record(output=""), "empty_output"),
    ],
)
def test_bad_record_is_a_row_with_a_read_error(tmp_path, value, read_error):
    rows = read(write(tmp_path, json.dumps([record(), value, record()])))
    assert [row["read_error"] for row in rows] == [None, read_error, None]
    assert [row["line_number"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, ""),
        *(({"input": value}, "") for value in (None, float("nan"), "", "nan", "None", "null", "<NA>", [None])),
        ({"input": "Nana"}, "Nana"),
        ({"input": 3}, "3"),
        ({"input": 1.5}, "1.5"),
        ({"input": ["one text"]}, "one text"),
        ({"input": "none of these"}, "none of these"),
        ({"input": "0"}, "0"),
    ],
)
def test_missing_input_is_empty_however_it_is_spelled(tmp_path, values, text):
    (row,) = read(write(tmp_path, json.dumps([record(**values)])))
    assert (row["input"], row["output"], row["read_error"]) == (text, "3", None)


def test_answer_that_is_a_number_or_a_word_for_nothing_stays(tmp_path):
    records = [record(output=42), record(output="None"), record(output=["a"]), record(output=0)]
    assert [row["output"] for row in read(write(tmp_path, json.dumps(records)))] == ["42", "None", "a", "0"]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.gz", "a.jsonl.gz"])
@pytest.mark.parametrize("is_lines", [True, False])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_content_decides_between_a_list_and_lines(tmp_path, name, is_lines, bom):
    records = [record(f"{number}") for number in range(3)]
    data = bom + ("\n".join(map(json.dumps, records)) if is_lines else json.dumps(records, indent=1)).encode()
    rows = read(write(tmp_path, gzip.compress(data) if name.endswith("gz") else data, name))
    assert [row["instruction"] for row in rows] == ["0", "1", "2"]


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
    assert set(row) == {"instruction", "input", "output", "messages", "read_error"}
    assert row["read_error"] or (row["instruction"] and row["output"])
    assert all(text.encode() is not None for text in row.values() if text)


def turns(*texts: str, system: str | None = None) -> list[dict]:
    first = [] if system is None else [{"role": "system", "content": system}]
    return first + [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


FOUR = turns("Hi.", "Hello.", "Bye.", "See you.")


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ({"messages": FOUR}, FOUR),
        ({"conversation": [turn | {"toxic": False} for turn in FOUR]}, FOUR),
        ({"conversations": [{"from": "human", "value": "Hi."}, {"from": "gpt", "value": "Yes."}], "system": "Be kind."},
         turns("Hi.", "Yes.", system="Be kind.")),
        ({"conversations": ["Hi.", "Hello.", "Bye.", "See you."]}, FOUR),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": " Hi."}]}, *FOUR[1:]]}, FOUR),
        ({"messages": turns("Hi.", "Hello.", system="")}, None),
        ({"messages": turns("Hi.", "Hello.")}, None),
        (record("Bye.", "See you.", history=[["Hi.", "Hello."]]), FOUR),
        (record("Bye.", "See you.", history=[["Hi.", "Hello."]], system="Be kind."),
         [*turns(system="Be kind."), *FOUR]),
    ],
)  # fmt: skip
def test_conversations_of_all_spellings_are_messages(tmp_path, value, messages):
    file_format = "messages-json" if "instruction" not in value else "alpaca-json"
    path = write(tmp_path, json.dumps([value]))
    (row,) = pa.Table.from_batches(read_instructions(InputFile(path, file_format)), INSTRUCTIONS).to_pylist()
    assert (row["read_error"], row["messages"]) == (None, messages)
    assert (row["instruction"], row["output"]) == ("Hi.", (messages or turns("Hi.", "Hello."))[-1]["content"])


@pytest.mark.parametrize(
    ("messages", "read_error"),
    [
        ([], "missing_field"),
        (turns("Hi."), "turns_out_of_order"),
        (turns("Hi.", "Hello.", "Bye."), "turns_out_of_order"),
        (turns("Hi.", "Hello.")[::-1], "turns_out_of_order"),
        ([*turns("a", "b"), {"role": "system", "content": "late"}], "turns_out_of_order"),
        (turns("Hi.", " ", "Bye.", "See you."), "empty_turn"),
        ([{"role": "tool", "content": "3"}], "unknown_role"),
        ([{"role": "user", "content": None}, *turns("a", "b")[1:]], "not_a_string"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "not_a_string"),
        ([3], "not_an_object"),
    ],
)
def test_bad_conversation_is_a_row_with_a_read_error(tmp_path, messages, read_error):
    path = write(tmp_path, json.dumps([{"messages": messages}]))
    (row,) = pa.Table.from_batches(read_instructions(InputFile(path, "messages-json"))).to_pylist()
    assert (row["read_error"], row["messages"]) == (read_error, None)


def test_best_thread_of_each_tree_in_a_language_is_read(tmp_path):
    def message(name: str, parent: str | None, role: str, rank: int | None = None, lang: str = "en") -> dict:
        return {"message_id": name, "parent_id": parent, "role": role, "text": name, "rank": rank, "lang": lang}

    tree = [
        message("a", None, "prompter"),
        message("a2", "a", "assistant", 1),
        message("a1", "a", "assistant", 0),
        message("a1b", "a1", "prompter"),
        message("a1c", "a1b", "assistant"),
        message("a1d", "a1c", "prompter"),
        message("f", None, "prompter", lang="el"),
        message("f1", "f", "assistant", lang="el"),
        message("alone", None, "prompter"),
    ]
    path = tmp_path / "oasst2.messages.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, tree)).encode()))
    read_in = {
        code: list(read_instructions(InputFile(path, "oasst-json", code, xx_code=code))) for code in ("en", "el")
    }
    english, alone = pa.Table.from_batches(read_in["en"]).to_pylist()
    assert [turn["content"] for turn in english["messages"]] == ["a", "a1", "a1b", "a1c"]
    assert (alone["line_number"], alone["read_error"]) == (9, "missing_answer")
    (greek,) = pa.Table.from_batches(read_in["el"]).to_pylist()
    assert (greek["instruction"], greek["output"], greek["messages"]) == ("f", "f1", None)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_tables_of_conversations_are_filtered_by_language(tmp_path, suffix):
    frame = pl.DataFrame({"turns": [FOUR, turns("Γεια.", "Χαίρε."), turns("a")], "code": ["eng", "ell", "eng"]})
    path = tmp_path / f"table.{suffix}"
    frame.write_parquet(path) if suffix == "parquet" else frame.write_ndjson(path)
    columns = {"messages": "turns", "lang": "code"}
    read_in = [
        pa.Table.from_batches(read_instructions(InputFile(path, suffix, lang, "en", code, columns))).to_pylist()
        for lang, code in (("en", "eng"), ("el", "ell"))
    ]
    assert [row["messages"] for row in read_in[0]] == [FOUR, None]
    assert [row["read_error"] for row in read_in[0]] == [None, "turns_out_of_order"]
    assert [(row["line_number"], row["instruction"]) for row in read_in[1]] == [(2, "Γεια.")]
