"""Parts of bitexts: the lines of a file in pieces of a fixed size, each a file of `pairs`, written while it is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from builders.workspace import Inputs, Task, Workspace, inputs_json
from corpora.catalog import Corpus
from corpora.download import SourceFile
from corpora.reading import PAIRS, read_pairs

READER_VERSION = 5  # of what readers yield; increase it whenever that changes
PART_ROWS = 250_000  # lines of a part: what one task reads, measures and decides on
BATCH_ROWS = 50_000  # rows of a batch and of a row group
PARTS = pa.schema([("number", pa.int64()), ("num_rows", pa.int64())])


@dataclass(frozen=True)
class Part:
    """A part of a bitext file."""

    corpus: str
    lang: str
    number: int
    pairs: Path  # its lines

    @property
    def name(self) -> str:
        """The name of the tasks of this part."""
        return f"{self.lang}-{self.corpus}-{self.number:05}"

    @cached_property
    def num_rows(self) -> int:
        """The number of lines."""
        return int(pq.read_metadata(self.pairs).num_rows)

    @property
    def bounds(self) -> Inputs:
        """What finds the part's lines in a table of all lines: corpus, first and last line."""
        first = self.number * PART_ROWS
        return {"corpus": self.corpus, "first": first + 1, "last": first + PART_ROWS}


def reading_task(files: Sequence[SourceFile], corpus: Corpus) -> Task:
    """Return the task that writes the parts of the files of a corpus; its own file has a row for each part."""
    lang = files[0].source.lang
    inputs: dict[str, Any] = {
        "sha256": files[0].sha256 if len(files) == 1 else [file.sha256 for file in files],
        "format": corpus.reading_key(lang),
        "reader": READER_VERSION,
        "part_rows": PART_ROWS,
    }
    paths = tuple(file.path for file in files)
    run = partial(write_parts, source=paths, corpus=corpus, lang=lang, inputs=inputs)
    return Task("parts", f"{lang}-{corpus.id}", inputs, run=run)


def part_of(reading: Task, lang: str, number: int, work: Workspace) -> Part:
    """Return a part of the file that a task reads, whether the part is written or not."""
    return Part(reading.name.removeprefix(f"{lang}-"), lang, number, work.path(_part_task(reading, number)))


def reuse_parts(reading: Task, work: Workspace) -> None:
    """Let a file be read again if one of its parts is missing or damaged; parts that are intact are kept."""
    path = work.path(reading)
    if work.is_intact(path) and not all(work.can_reuse(_part_task(reading, n)) for n in range(num_parts(path))):
        work.checked.discard(path)
        work.remove(path)


def num_parts(path: Path) -> int:
    """Return how many parts a file has, from the file of the task that has read it."""
    return int(pq.read_metadata(path).num_rows)


def _part_task(reading: Task, number: int) -> Task:
    return Task("pairs", f"{reading.name}-{number:05}", reading.inputs)


def write_parts(
    work: Workspace, path: Path, source: tuple[Path, ...], corpus: Corpus, lang: str, inputs: Inputs
) -> None:
    """Write every line of bitext files as a row of `pairs`, part after part, then the list of the parts."""
    reading = Task("parts", f"{lang}-{corpus.id}", inputs)
    rows = []
    batches = read_pairs(corpus.input_file(source[0], lang, source[1:]), BATCH_ROWS)
    for number, part in enumerate(cut_parts(batches, PART_ROWS)):
        task = _part_task(reading, number)
        constant = {"corpus": corpus.id, "lang": lang}
        file = work.make(
            task, partial(_write_part, batches=part, constant=constant, inputs=inputs_json(task), work=work)
        )
        for batch in part:  # it was there already
            work.advance("pairs", batch.num_rows)
        rows.append({"number": number, "num_rows": pq.read_metadata(file).num_rows})
    table = pa.Table.from_pylist(rows, PARTS.with_metadata({"inputs": inputs_json(reading)}))
    pq.write_table(table, path)


def _write_part(
    path: Path, batches: Iterator[pa.RecordBatch], constant: Mapping[str, str], inputs: str, work: Workspace
) -> None:
    schema = pa.schema([(name, pa.string()) for name in constant] + list(PAIRS)).with_metadata({"inputs": inputs})
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            columns = [pa.repeat(value, batch.num_rows) for value in constant.values()]
            writer.write_table(pa.Table.from_arrays([*columns, *batch.columns], schema=schema))
            work.advance("pairs", batch.num_rows)


def cut_parts(batches: Iterator[pa.RecordBatch], part_rows: int) -> Iterator[Iterator[pa.RecordBatch]]:
    """Yield the batches of each part, at least of one; a part has to be read before the next is asked for."""
    rest: list[pa.RecordBatch] = []  # what was read of the next part

    def part() -> Iterator[pa.RecordBatch]:
        left = part_rows
        while left and (batch := rest.pop() if rest else next(batches, None)) is not None:
            if batch.num_rows > left:
                rest.append(batch.slice(left))
            yield batch.slice(0, left)
            left -= min(left, batch.num_rows)

    yield part()
    while rest or (batch := next(batches, None)) is not None:
        rest += [] if rest else [batch]
        yield part()
