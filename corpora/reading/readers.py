"""Upstream's files -> Arrow: sentence pairs in batches, instructions and benchmarks as tables."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from corpora.errors import InputError, unknown
from corpora.reading.benchmarks import EVALUATION, evaluation_table, read_flores, read_mlqa, read_squad
from corpora.reading.bitexts import PAIRS, read_laser, read_moses
from corpora.reading.instructions import INSTRUCTIONS, read_alpaca, read_messages, read_tasks
from corpora.reading.monolingual import read_c4
from corpora.reading.tmx import read_tmx

__all__ = ["EVALUATION", "INSTRUCTIONS", "PAIRS", "read_evaluation", "read_instructions", "read_pairs", "read_texts"]
PAIR_FORMATS = {"laser-tsv": read_laser, "moses-zip": read_moses, "tmx": read_tmx}
INSTRUCTION_FORMATS = {"alpaca-json": read_alpaca, "messages-json": read_messages, "self-instruct": read_tasks}
EVALUATION_FORMATS = ("flores-tar", "mlqa-zip", "squad-json")
READERS = {  # the formats of each kind
    "bitext": tuple(PAIR_FORMATS),
    "instructions": tuple(INSTRUCTION_FORMATS),
    "monolingual": ("c4-jsonl",),
    "benchmark": EVALUATION_FORMATS,
}
MAX_BATCH_BYTES = 256 << 20  # a hundred thousand long lines would not fit in memory


def read_pairs(
    path: Path, format: str, lang: str, upstream_pair: tuple[str, str], batch_rows: int = 100_000
) -> Iterator[pa.RecordBatch]:
    """The sentence pairs of a file as batches of PAIRS, at most `batch_rows` rows each; none for an empty file.

    A row is a line (in TMX a unit) as upstream has it, numbered from 1, also if `read_error` says why it could not
    be read: invalid_utf8, nul_byte, missing_column, invalid_margin or oversized_line. `upstream_pair` is upstream's
    code of English and of `lang`. Texts are NFC; `margin` is null where the format has none. InputError if the
    file is damaged, a bomb, or not of this format.
    """
    if format not in PAIR_FORMATS:
        raise unknown("format of sentence pairs", format, PAIR_FORMATS)
    if upstream_pair[0] == upstream_pair[1]:
        raise InputError(f"A bitext of '{lang}' needs two codes, not '{upstream_pair[0]}' for both sides.")
    return _rebatch(PAIR_FORMATS[format](path, *upstream_pair), batch_rows)


def _rebatch(batches: Iterator[pa.RecordBatch], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `batch_rows`, of fewer where they would be too large, and a last one."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        while sum(part.num_rows for part in held) >= batch_rows:
            table = pa.Table.from_batches(held)
            yield _one_batch(table[:batch_rows])
            held = table[batch_rows:].to_batches()
        if sum(part.nbytes for part in held) > MAX_BATCH_BYTES:
            yield _one_batch(pa.Table.from_batches(held))
            held = []
    if held:
        yield _one_batch(pa.Table.from_batches(held))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def read_instructions(path: Path, format: str) -> pa.Table:
    """The instructions of a file as a table of INSTRUCTIONS: NFC, LF, stripped; a missing input is empty.

    A row is a record, numbered from 1, also if `read_error` says what is wrong with it: not_an_object, missing_field,
    not_a_string, empty_instruction or empty_output, of `messages` also not_one_exchange. Tasks of Self-Instruct
    are read without their answers.
    InputError if the file is not JSON of this form.
    """
    if format not in INSTRUCTION_FORMATS:
        raise unknown("format of instructions", format, INSTRUCTION_FORMATS)
    return INSTRUCTION_FORMATS[format](path)


def read_texts(path: Path, format: str) -> Iterator[tuple[int, str, str | None]]:
    """Line number (from 1), text and read error, if any, of each document of a file in one language."""
    if format != "c4-jsonl":
        raise unknown("format of documents", format, ["c4-jsonl"])
    return read_c4(path)


def read_evaluation(path: Path, format: str, lang: str, upstream_code: str) -> pa.Table:
    """The texts of a benchmark in one language as a table of EVALUATION, NFC.

    `item` is `dev:17` for a sentence, the question's id for its context, question and answers. InputError if the file
    is damaged, is not of this format or does not hold the language.
    """
    if format == "flores-tar":
        return evaluation_table(read_flores(path, lang, upstream_code))
    if format == "squad-json":
        return evaluation_table(read_squad(path))
    if format == "mlqa-zip":
        return evaluation_table(read_mlqa(path, upstream_code))
    raise unknown("format of a benchmark", format, EVALUATION_FORMATS)
