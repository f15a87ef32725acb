"""Write the tables that Python makes rather than SQL: instructions, documents and identified languages."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from builders.ledger_rows import count_reasons
from builders.translation import normalize_input
from builders.workspace import Workspace
from corpora.catalog import Corpus
from corpora.reading import MESSAGES, read_documents, read_instructions

INSTRUCTIONS = pa.schema(
    [(name, pa.string()) for name in ("id", "lang", "instruction", "input", "output")]
    + [("messages", MESSAGES), ("corpus", pa.string())]
    + [("line_number", pa.int64()), ("prompt_hash", pa.string()), ("reject_reason", pa.string())]
)


def write_instructions(
    work: Workspace,
    path: Path,
    source: Path,
    corpus: Corpus,
    lang: str,
    earlier: Sequence[Path],
    most: int | None,
    inputs: str,
) -> None:
    """Write the first `most` instructions of a file in a language (None: all) as rows of `instructions`.

    Instructions that an `earlier` table has too are duplicates. An input that only says that there is none is empty.
    Conversations that begin with the same question have the same `prompt_hash`, so they are in the same split.
    """
    seen = {name for before in earlier for name in pq.read_table(before, columns=["id"])["id"].to_pylist()}
    rows = []
    batches = read_instructions(corpus.input_file(source, lang))
    for record in islice((row for batch in batches for row in batch.to_pylist()), most):
        texts = [record[k] or "" for k in ("instruction", "input", "output")]
        texts[1] = normalize_input(texts[1])
        turns = record["messages"]
        name = _digest(*(text for turn in turns for text in turn.values())) if turns else _digest(*texts)
        reason = record["read_error"] or ("duplicate_exact" if name in seen else None)
        seen.add(name)
        values = (name, lang, *texts, turns, corpus.id, record["line_number"], _digest(*texts[:2]), reason)
        rows.append(dict(zip(INSTRUCTIONS.names, values, strict=True)))
    _write_rows(path, rows, inputs)


def write_documents(
    work: Workspace, path: Path, source: Path, corpus: Corpus, lang: str, most: int | None, inputs: str
) -> None:
    """Write the first `most` documents of a file (None: all) as rows of `documents`."""
    seen: set[str] = set()
    rows = []
    for line, text, read_error in islice(read_documents(corpus.input_file(source, lang)), most):
        name = _digest("", "", text)
        reason = read_error or ("duplicate_exact" if name in seen else None)
        seen.add(name)
        values = (name, lang, "", "", text, None, corpus.id, line, name, reason)
        rows.append(dict(zip(INSTRUCTIONS.names, values, strict=True)))
    _write_rows(path, rows, inputs)


def _write_rows(path: Path, rows: list[dict[str, object]], inputs: str) -> None:
    table = pa.Table.from_pylist(rows, schema=INSTRUCTIONS.with_metadata({"inputs": inputs}))
    pq.write_table(table, path, compression="zstd")


def _digest(*texts: str) -> str:
    """Return 32 hexadecimal digits of the SHA-256 of texts joined by the unit separator, U+001F."""
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()[:32]


def instruction_ledger_rows(records: Path) -> Iterator[dict[str, object]]:
    """Yield the ledger rows of a table of instructions or documents; its stage is the folder that it is in."""
    table = pq.read_table(records, columns=["corpus", "lang", "reject_reason"])
    if table.num_rows:
        corpus, lang = table["corpus"][0].as_py(), table["lang"][0].as_py()
        yield from count_reasons(records.parent.name, corpus, lang, Counter(table["reject_reason"].to_pylist()))
