"""Tables as corpora: Parquet, JSON Lines, CSV and TSV have the same rows, columns by name, and read errors."""

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.errors import InputError
from corpora.reading import TABLE_FORMATS, InputFile, read_documents, read_instructions, read_pairs

PAIRS = [
    {"en": "A cat.", "xx": "Μια γάτα.", "margin": 1.5},
    {"en": 'Tab\there, "quotes"', "xx": "e\u0301\nδύο\r\nτρία", "margin": None},
    {"en": "", "xx": "κενό", "margin": -0.25},
]
READ = [(1, "A cat.", "Μια γάτα.", 1.5, None), (2, 'Tab\there, "quotes"', "é δύο τρία", None, None)]
READ += [(3, "", "κενό", -0.25, None)]


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows to a file in the format of its ending."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path, row_group_size=2)
    elif path.suffix == ".arrow":
        table = pa.Table.from_pylist([dict(row) for row in rows])
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            quoting: Any = {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "quotechar": None}
            writer = csv.DictWriter(file, list(rows[0]), **(quoting if path.suffix == ".tsv" else {}))
            writer.writeheader()
            writer.writerows(rows)
    return path


def pairs(path: Path, format: str, **columns: str) -> list[tuple[Any, ...]]:
    file = InputFile(path, format, "el", xx_code="el", columns=columns)
    return [tuple(row.values()) for batch in read_pairs(file) for row in batch.to_pylist()]


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_pairs_are_the_same_in_every_format(tmp_path: Path, format: str) -> None:
    rows, read = (PAIRS, READ) if format != "tsv" else ([PAIRS[0], PAIRS[2]], [READ[0], (2, *READ[2][1:])])
    assert pairs(write(tmp_path / f"a.{format}", rows), format) == read


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_columns_are_found_by_name_and_a_margin_is_optional(tmp_path: Path, format: str) -> None:
    path = write(tmp_path / f"a.{format}", [{"score": 2.0, "el": "Ένα.", "id": "1", "source": "One."}])
    assert pairs(path, format, en="source", xx="{code}") == [(1, "One.", "Ένα.", None, None)]
    assert pairs(path, format, en="source", xx="{code}", margin="score") == [(1, "One.", "Ένα.", 2.0, None)]


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_dot_leads_into_a_struct(tmp_path: Path, format: str) -> None:
    path = write(tmp_path / f"a.{format}", [{"translation": {"en": "One.", "el": "Ένα."}}, {"translation": None}])
    read = pairs(path, format, en="translation.en", xx="translation.{code}")
    assert read == [(1, "One.", "Ένα.", None, None), (2, None if format == "parquet" else read[1][1], *read[1][2:])]
    assert read[1][-1] == "missing_column"


@pytest.mark.parametrize("format", ["parquet", "csv", "tsv"])
def test_missing_column_is_an_error_that_names_those_in_the_file(tmp_path: Path, format: str) -> None:
    path = write(tmp_path / f"a.{format}", [{"en": "One.", "other": "Ένα."}])
    with pytest.raises(
        InputError, match=r"has no column 'xx'\. It has: en, other\. Name the column as xx in the key 'col"
    ):
        pairs(path, format)
    with pytest.raises(InputError, match="has no column 'score'"):
        pairs(path, format, xx="other", margin="score")


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_empty_file_of_columns_has_no_pairs(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    if format == "parquet":
        pq.write_table(pa.table({"en": pa.array([], pa.string()), "xx": pa.array([], pa.string())}), path)
    elif format == "arrow":
        with pa.ipc.new_file(path, pa.schema({"en": pa.string(), "xx": pa.string()})):
            pass
    else:
        path.write_text("" if format == "jsonl" else f"en{',' if format == 'csv' else chr(9)}xx\n")
    assert pairs(path, format) == []


LONG = "x" * (2**20 + 1)


@pytest.mark.parametrize(
    ("format", "content", "errors"),
    [
        (
            "csv",
            b"en,xx,margin\na,b\nc,d,nan\ne,f,1\n\xff,g,1\nh\0,i,1\n",
            "m i - u n",
        ),
        ("tsv", f"en\txx\nalone\na\t{LONG}\nb\t{LONG * 9}\nc\td\te\nf\tg\n".encode(), "m o o m -"),
        (
            "jsonl",
            b'{"en": "a"}\n[]\n{\n\n{"en": "a", "xx": 1}\n{"en": "a", "xx": "b", "margin": true}\n',
            "m m m m m i",
        ),
        ("jsonl", b'{"en": "a", "xx": "\\ud800"}\n{"en": "a\\u0000", "xx": "b"}\n{"en": "\xff", "xx": "b"}\n', "u n u"),
        ("jsonl", f'{{"en": "a", "xx": "{LONG}"}}\n{{"en": "a", "xx": "b", "margin": 1e999}}\n'.encode(), "o i"),
    ],
)
def test_bad_rows_are_counted_with_a_read_error(tmp_path: Path, format: str, content: bytes, errors: Any) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(content)
    names = {"m": "missing_column", "o": "oversized_line", "i": "invalid_margin", "u": "invalid_utf8", "n": "nul_byte"}
    expected = [names.get(error) for error in errors.split()]
    read = pairs(path, format)
    assert [row[-1] for row in read] == expected
    assert [row[0] for row in read] == list(range(1, len(expected) + 1))
    assert all(len(text or "") <= 1000 and "\0" not in (text or "") for row in read for text in row[1:3])


def test_bad_rows_of_parquet_are_counted_with_a_read_error(tmp_path: Path) -> None:
    texts = [b"a", b"\xff", b"c\0", LONG.encode(), None, b"f"]
    en = pa.Array.from_buffers(pa.string(), len(texts), pa.array(texts, pa.binary()).buffers())
    margins = [1.0, 1.0, 1.0, 1.0, 1.0, float("inf")]
    pq.write_table(
        pa.table({"en": en, "xx": pa.array(["b"] * 6).dictionary_encode(), "margin": margins}), tmp_path / "a"
    )
    errors = [None, "invalid_utf8", "nul_byte", "oversized_line", "missing_column", "invalid_margin"]
    assert [row[-1] for row in pairs(tmp_path / "a", "parquet")] == errors


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_of_any_type_are_read_from_parquet(tmp_path: Path, kind: pa.DataType) -> None:
    texts = pa.array(["a", "b"]).cast(kind)
    pq.write_table(pa.table({"en": texts, "xx": texts, "margin": pa.array([1, 2])}), tmp_path / "a")
    assert pairs(tmp_path / "a", "parquet") == [(1, "a", "a", 1.0, None), (2, "b", "b", 2.0, None)]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"en": [1], "xx": ["a"]}, "the column 'en' has the type int64, but texts were expected"),
        ({"en": [["a"]], "xx": ["a"]}, "the column 'en' has the type list<element: string>, but texts were expected"),
        ({"en": ["a"], "xx": ["a"], "margin": ["1.0"]}, "the column 'margin' has the type string, but numbers were"),
    ],
)
def test_columns_of_another_type_are_an_error(tmp_path: Path, columns: dict[str, Any], sentence: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a")
    with pytest.raises(InputError, match=sentence):
        pairs(tmp_path / "a", "parquet")


@pytest.mark.parametrize(
    ("format", "content", "sentence"),
    [
        ("parquet", b"PAR1", "is damaged"),
        ("parquet", b"<html>", "XML or HTML found, parquet has a Parquet file"),
        ("csv", b'en,xx\n"a,b\n', "is not valid CSV"),
        ("csv", b"en,en,xx\na,b,c\n", "has 2 columns 'en'"),
        ("csv", b"", "has no column 'en'. It has: none"),
        ("csv", gzip.compress(b"en,xx\n" * 9, mtime=0)[:-9], "is damaged"),
    ],
)
def test_file_of_another_format_is_an_error(tmp_path: Path, format: str, content: bytes, sentence: str) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        pairs(path, format)
    assert sentence in str(error.value)
    with pytest.raises(InputError, match="There is no file"):
        pairs(tmp_path / "missing", format)


def test_compressed_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"en,xx\r\na,b\r\n", mtime=0))
    assert pairs(path, "csv") == [(1, "a", "b", None, None)]


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_instructions_are_read_from_every_format(tmp_path: Path, format: str) -> None:
    rows = [
        {"instruction": " Do e\u0301.", "input": "x", "output": "Done."},
        {"instruction": "", "input": "", "output": "Done."},
    ]
    file = InputFile(write(tmp_path / f"a.{format}", rows), format)
    assert [tuple(row.values()) for batch in read_instructions(file) for row in batch.to_pylist()] == [
        (1, "Do é.", "x", "Done.", None, None),
        (2, "", "", "Done.", None, "empty_instruction"),
    ]
    path = write(tmp_path / f"b.{format}", [{"question": "Why?", "answer": "So."}])
    file = InputFile(path, format, columns={"instruction": "question", "output": "answer"})
    assert [row for batch in read_instructions(file) for row in batch.to_pylist()] == [
        {"line_number": 1, "instruction": "Why?", "input": "", "output": "So.", "messages": None, "read_error": None}
    ]


def test_instructions_with_a_missing_field_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"instruction": "Why?"}\n{"instruction": 1, "output": "a"}\n{"instruction": "\\ud800", "output": "a"}\n'
    )
    errors = [row["read_error"] for b in read_instructions(InputFile(path, "jsonl")) for row in b.to_pylist()]
    assert errors == ["missing_field", "missing_field", "invalid_utf8"]


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_documents_are_read_from_every_format(tmp_path: Path, format: str) -> None:
    path = write(tmp_path / f"a.{format}", [{"content": " Ένα κείμενο. "}, {"content": " "}])
    read = list(read_documents(InputFile(path, format, "el", columns={"text": "content"})))
    assert read == [(1, "Ένα κείμενο.", None), (2, "", "empty_output")]
