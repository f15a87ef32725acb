"""READERS, one dict of all formats by kind; and the functions that read a file as the kind of its corpus."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpora.errors import InputError, unknown
from corpora.reading.benchmarks import BenchmarkText, read_flores, read_mlqa, read_squad, read_text_lines
from corpora.reading.bitexts import PAIRS, read_laser, read_moses, read_text_pair
from corpora.reading.characters import clean_column
from corpora.reading.input_file import InputFile
from corpora.reading.instruction_rows import INSTRUCTIONS, Instruction
from corpora.reading.instructions import read_alpaca, read_messages, read_tasks, read_trees
from corpora.reading.monolingual import read_c4
from corpora.reading.pair_archives import read_pair_tar, read_pair_tsv
from corpora.reading.recognition import check_format, recognize_format
from corpora.reading.tables import (
    TABLE_FORMATS,
    read_benchmark_table,
    read_document_table,
    read_instruction_table,
    read_pair_table,
)
from corpora.reading.tmx import read_tmx
from corpora.reading.xliff import read_xliff

BENCHMARK_TEXTS = pa.schema([("item", pa.string()), ("field", pa.string()), ("text", pa.string())])
MAX_BATCH_BYTES = 256 << 20  # a hundred thousand long lines would not fit in memory
BATCH_INSTRUCTIONS = 10_000

# A reader takes an InputFile, yields rows in file order, bad ones with a read error, and raises InputError if the file
# is damaged or of another format. What it yields depends on the kind:
BitextReader = Callable[[InputFile], Iterator[pa.RecordBatch]]  # batches of PAIRS, of any size, numbered from 1
InstructionReader = Callable[[InputFile], Iterator[Instruction | None]]  # None: a row in another language
DocumentReader = Callable[[InputFile], Iterator[tuple[str, str | None]]]  # text, read error
BenchmarkReader = Callable[[InputFile], Iterator[BenchmarkText]]  # item, field, text

BITEXT_READERS: dict[str, BitextReader] = {
    "auto": lambda file: read_auto(file),
    "laser-tsv": read_laser,
    "moses-zip": read_moses,
    "tmx": read_tmx,
    "xliff": read_xliff,
    "text-pair": read_text_pair,
    "pair-tsv": read_pair_tsv,
    "pair-tar": read_pair_tar,
    **dict.fromkeys(TABLE_FORMATS, read_pair_table),
}
INSTRUCTION_READERS: dict[str, InstructionReader] = {
    "alpaca-json": read_alpaca,
    "messages-json": read_messages,
    "oasst-json": read_trees,
    "self-instruct": read_tasks,
    **dict.fromkeys(TABLE_FORMATS, read_instruction_table),
}
DOCUMENT_READERS: dict[str, DocumentReader] = {
    "c4-jsonl": read_c4,
    **dict.fromkeys(TABLE_FORMATS, read_document_table),
}
BENCHMARK_READERS: dict[str, BenchmarkReader] = {
    "flores-tar": read_flores,
    "text-lines": read_text_lines,
    "squad-json": read_squad,
    "mlqa-zip": read_mlqa,
    **dict.fromkeys(TABLE_FORMATS, read_benchmark_table),
}
READERS: dict[str, dict[str, Any]] = {
    "bitext": BITEXT_READERS,
    "instructions": INSTRUCTION_READERS,
    "monolingual": DOCUMENT_READERS,
    "benchmark": BENCHMARK_READERS,
}
COLUMNS = {  # the columns of a table by kind; those with a question mark may be missing
    "bitext": ("en", "xx", "margin?"),
    "instructions": ("instruction", "input?", "output", "messages?", "system?", "lang?"),
    "monolingual": ("text",),
    "benchmark": ("text",),
}
CONVERSATION = ("messages",)  # the columns that a table of conversations needs instead of those of instructions
# Of sentence pairs:
READ_ERRORS = ("invalid_utf8", "nul_byte", "missing_column", "invalid_xml", "invalid_margin", "oversized_line")


def read_pairs(file: InputFile, batch_rows: int = 100_000) -> Iterator[pa.RecordBatch]:
    """Yield the sentence pairs of a file as batches of PAIRS; none for an empty file.

    A row is a line (a unit of TMX, a row of a table) as upstream has it, numbered from 1, also if `read_error` is one
    of READ_ERRORS. Texts are in NFC with folded characters (`characters.py`); `margin` is null where the file has none.

    Args:
        file: The file.
        batch_rows: Rows of a batch at most.

    Raises:
        InputError: The file is damaged, a decompression bomb, or not of its format.
    """
    read = _reader("bitext", file)
    if file.en_code == file.xx_code:
        raise InputError(f"A bitext of '{file.lang}' needs two codes, not '{file.en_code}' for both sides.")
    return map(_clean, _rebatch(_read_files(read, file), batch_rows))


def _read_files(read: BitextReader, file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of all files of a corpus in a language, numbered through."""
    num_rows = 0
    for one in _single_files(file):
        first = num_rows
        if one.format != "auto":
            check_format(one)
        for batch in read(one):
            number = pc.add(batch["line_number"], first)
            yield batch.set_column(0, PAIRS.field("line_number"), number) if first else batch
            num_rows += batch.num_rows


def _single_files(file: InputFile) -> list[InputFile]:
    """Return what a reader reads at once: a file, or of `text-pair` two."""
    paths, step = (file.path, *file.others), 2 if file.format == "text-pair" else 1
    return [
        replace(file, path=paths[first], others=paths[first + 1 : first + step]) for first in range(0, len(paths), step)
    ]


def read_auto(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Return the pairs of a file whose format its content says."""
    name = recognize_format(file)
    return BITEXT_READERS[name](replace(file, format=name))


def required_columns(kind: str, columns: Collection[str]) -> list[str]:
    """Return the columns that a table of a kind must have, given those that it has."""
    if kind == "instructions" and set(CONVERSATION) <= set(columns):
        return list(CONVERSATION)
    return [name for name in COLUMNS[kind] if not name.endswith("?")]


def _reader(kind: str, file: InputFile) -> Any:
    if file.format not in READERS[kind]:
        raise unknown(f"format of {kind}", file.format, READERS[kind])
    return READERS[kind][file.format]


def _rebatch(batches: Iterator[pa.RecordBatch], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in batches of `batch_rows`, of fewer where they would be too large, and a last one."""
    buffer: list[pa.RecordBatch] = []
    for batch in batches:
        buffer.append(batch)
        while sum(part.num_rows for part in buffer) >= batch_rows:
            table = pa.Table.from_batches(buffer)
            yield _one_batch(table[:batch_rows])
            buffer = table[batch_rows:].to_batches()
        if sum(part.nbytes for part in buffer) > MAX_BATCH_BYTES:
            yield _one_batch(pa.Table.from_batches(buffer))
            buffer = []
    if buffer:
        yield _one_batch(pa.Table.from_batches(buffer))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def _clean(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return pairs with the characters of both sides folded."""
    columns = [clean_column(batch[name]) if name in ("en", "xx") else batch[name] for name in PAIRS.names]
    return pa.RecordBatch.from_arrays(columns, schema=PAIRS)


def read_instructions(file: InputFile) -> Iterator[pa.RecordBatch]:
    """Yield the instructions of a file as batches of INSTRUCTIONS: NFC, LF, stripped; a missing input is empty.

    A row is a record, numbered from 1, also if `read_error` says what is wrong with it: `not_an_object`,
    `missing_field`, `not_a_string`, `empty_instruction`, `empty_output`; of conversations also `unknown_role`,
    `empty_turn`, `turns_out_of_order` and `missing_answer`, of tables also `invalid_utf8`, `nul_byte` and
    `oversized_line`. Tasks of Self-Instruct have no output. `messages` is null for one question and one answer.

    Raises:
        InputError: The file is damaged, or not of its format.
    """
    numbered = enumerate(_reader("instructions", file)(file), 1)
    rows = ({"line_number": number} | row for number, row in numbered if row is not None)
    while some := list(islice(rows, BATCH_INSTRUCTIONS)):
        yield pa.RecordBatch.from_pylist(some, schema=INSTRUCTIONS)


def read_documents(file: InputFile) -> Iterator[tuple[int, str, str | None]]:
    """Yield number (from 1), text and read error, if any, of each document of a file in one language."""
    for number, (text, read_error) in enumerate(_reader("monolingual", file)(file), 1):
        yield number, text, read_error


def read_benchmark(file: InputFile) -> pa.Table:
    """Return the texts of a benchmark in one language as a table of BENCHMARK_TEXTS, in NFC.

    `item` is `dev:17` for a sentence, the question's id for its context, question and answers.

    Raises:
        InputError: The file is damaged, is not of its format, or does not have the language.
    """
    columns = list(zip(*_reader("benchmark", file)(file), strict=True)) or [(), (), ()]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=BENCHMARK_TEXTS)
