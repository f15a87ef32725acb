"""Read the files of corpora: rows in Arrow, in file order, bad rows with a read error.

    file = InputFile(path, "laser-tsv", lang="el", xx_code="el")     # or corpus.input_file(path, "el")
    read_pairs(file)              # batches of PAIRS: line_number, en, xx, margin, read_error
    read_instructions(file)       # INSTRUCTIONS: line_number, instruction, input, output, messages, read_error
    read_documents(file)          # (number, text, read error)
    read_benchmark(file)          # a table of BENCHMARK_TEXTS: item, field, text
    READERS["bitext"]             # the formats of a kind; a new format is one function and one row here

Strict parts for other files: `parse_json`, `decode_text`, `read_whole_file`, `file_chunks`, `nfc`,
`check_expansion` (of Parquet), `is_language` (whether a code of TMX is one of ours).
"""

from corpora.reading.archives import file_chunks, is_content
from corpora.reading.benchmarks import flores_sentences, read_flores
from corpora.reading.bitexts import PAIRS
from corpora.reading.conversations import KEYS as CONVERSATION_KEYS
from corpora.reading.input_file import InputFile
from corpora.reading.instruction_rows import INSTRUCTIONS, MESSAGES
from corpora.reading.lines import read_lines
from corpora.reading.normalization import nfc
from corpora.reading.parquet_table import check_expansion
from corpora.reading.questions import BOM, QUESTIONS, read_questions, read_whole_file
from corpora.reading.readers import (
    BENCHMARK_TEXTS,
    COLUMNS,
    READ_ERRORS,
    READERS,
    read_benchmark,
    read_documents,
    read_instructions,
    read_pairs,
    required_columns,
)
from corpora.reading.tables import TABLE_FORMATS
from corpora.reading.tmx_units import is_language
from corpora.strict_json import decode_text, parse_json

__all__ = [
    "BENCHMARK_TEXTS",
    "BOM",
    "COLUMNS",
    "CONVERSATION_KEYS",
    "INSTRUCTIONS",
    "MESSAGES",
    "PAIRS",
    "QUESTIONS",
    "READERS",
    "READ_ERRORS",
    "TABLE_FORMATS",
    "InputFile",
    "check_expansion",
    "decode_text",
    "file_chunks",
    "flores_sentences",
    "is_content",
    "is_language",
    "nfc",
    "parse_json",
    "read_benchmark",
    "read_documents",
    "read_flores",
    "read_instructions",
    "read_lines",
    "read_pairs",
    "read_questions",
    "read_whole_file",
    "required_columns",
]
