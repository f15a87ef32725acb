"""Read pairs, instructions, documents and benchmarks from tables: Parquet, JSON Lines, CSV and TSV."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from corpora.errors import InputError
from corpora.reading.archives import SAME_FILE
from corpora.reading.arrow_table import read_arrow
from corpora.reading.bitexts import pairs_batch
from corpora.reading.columns import TableReader
from corpora.reading.conversation_tables import read_conversation_table
from corpora.reading.delimited_table import read_csv, read_tsv
from corpora.reading.input_file import InputFile
from corpora.reading.instruction_rows import Instruction, instruction_row
from corpora.reading.jsonl_table import read_jsonl
from corpora.reading.parquet_table import read_parquet

TABLE_FORMATS: dict[str, TableReader] = {
    "parquet": read_parquet,
    "arrow": read_arrow,
    "jsonl": read_jsonl,
    "csv": read_csv,
    "tsv": read_tsv,
}


def read_pair_table(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table with the columns `en`, `xx` and perhaps `margin`; a line break in a text is a space."""
    num_rows = 0
    for batch in TABLE_FORMATS[file.format](file, ("en", "xx"), ("margin",)):
        en, xx = (pc.replace_substring_regex(batch[side], r"\r\n|[\r\n]", " ") for side in ("en", "xx"))
        yield pairs_batch(num_rows + 1, en, xx, batch["margin"], batch["read_error"])
        num_rows += batch.num_rows


def read_instruction_table(file: InputFile) -> Iterator[Instruction | None]:
    """Yield the rows of a table with the columns `instruction`, `output` and perhaps `input`; or with `messages`.

    If `columns` names one for the language, rows in other languages are None.
    """
    if "messages" in file.columns:
        yield from read_conversation_table(file)
        return
    langs = ("lang",) if "lang" in file.columns else ()
    for batch in TABLE_FORMATS[file.format](file, ("instruction", "output", *langs), ("input",)):
        for row in batch.to_pylist():
            error = row.pop("read_error")
            if langs and row.pop("lang") != file.xx_code:
                yield None
                continue
            instruction = instruction_row({name: text for name, text in row.items() if text is not None})
            missing = "missing_field" if error == "missing_column" else error
            yield instruction | {"read_error": missing or instruction["read_error"]}


def read_benchmark_table(file: InputFile) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of a table with the column `text` as items `row:1` and on; InputError for one without a text."""
    number = 0
    for batch in TABLE_FORMATS[file.format](file, ("text",), ()):
        for row in batch.to_pylist():
            number += 1
            if row["read_error"] or not (row["text"] or "").strip():
                raise InputError(f"{file.path}, row {number}: {row['read_error'] or 'no text'}. {SAME_FILE}")
            yield f"row:{number}", "sentence", row["text"]


def read_document_table(file: InputFile) -> Iterator[tuple[str, str | None]]:
    """Yield text and read error of the rows of a table with the column `text`."""
    for batch in TABLE_FORMATS[file.format](file, ("text",), ()):
        for row in batch.to_pylist():
            text = (row["text"] or "").strip()
            missing = "missing_field" if row["read_error"] == "missing_column" else row["read_error"]
            yield text, missing or (None if text else "empty_output")
