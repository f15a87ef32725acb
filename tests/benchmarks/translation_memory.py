"""How much memory translations take, by their number: it must not grow beyond that of one range.

    python tests/benchmarks/translation_memory.py [--segments 500000,2000000] [--folder FOLDER]
    python tests/benchmarks/translation_memory.py --translate --segments 40000,160000 --range 16384

For each number, a process finds that many distinct segments in a memory that has been filled; with `--translate` one
translates them before by a back end that costs nothing, and the memory is what it has left. Prints the largest memory
and the CPU seconds of each process, how many tables the memory has, and whether both wrote the same bytes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from builders.translation import Translation, Translator, digest, partition, text_ranges
from builders.translation.instructions import SEGMENTS, _Job, write_translations
from builders.translation.memory import TranslationMemory
from builders.translation.partition import MAX_ROWS
from builders.translation.store import TranslationStore

PER_ROW = 5  # segments of a field
ROWS = 50_000  # of a group


class Numbers(Translator):
    """Writes a Greek sentence with the number of its segment."""

    name = "numbers"
    fingerprint = "0" * 64
    licence = "CC0-1.0"
    languages = ("el",)
    decoding = "none"
    batch_bytes = 1 << 20

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return a sentence for each."""
        return [Translation(f"Το σπίτι με τον αριθμό {text.split()[3]} είναι παλιό.") for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segments", default="500000,2000000", help="Numbers of distinct segments.")
    parser.add_argument("--folder", type=Path, help="Where the tables are; by default a temporary folder.")
    parser.add_argument("--translate", action="store_true", help="Translate, and do not fill the memory.")
    parser.add_argument("--range", type=int, help="Rows of a table and segments of a range; by default the project's.")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        if asked.range:
            partition.MAX_ROWS = text_ranges.RANGE_SEGMENTS = asked.range
        translate(asked.folder)
        return
    rows = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        for num in map(int, asked.segments.split(",")):
            rows += measure(num, Path(name) / str(num), asked)
    heads = ["segments", "run", "largest memory (MB)", "CPU s", "tables", "same bytes"]
    print(tabulate(rows, heads))


def measure(num: int, folder: Path, asked: argparse.Namespace) -> list[list[object]]:
    """Return a row of figures for each run."""
    folder.mkdir()
    write_segments(num, folder / "segments.parquet")
    if not asked.translate:
        fill_memory(num, folder)
    rows: list[list[object]] = []
    for run in ("translated", "remembered") if asked.translate else ("remembered",):
        command = [sys.executable, __file__, "--one", "--folder", str(folder)]
        command += ["--range", str(asked.range)] if asked.range else []
        peak, seconds = map(float, subprocess.check_output(command, text=True).split())
        (folder / "out.parquet").rename(folder / run)
        tables = len(list(folder.rglob("memory*.parquet")))
        same = (folder / "translated").read_bytes() == (folder / run).read_bytes() if rows else ""
        rows.append([f"{num:,}", run, f"{peak:.0f}", f"{seconds:.0f}", tables, same])
        print(*rows[-1], flush=True)
    return rows


def write_segments(num: int, path: Path) -> None:
    """Write a table with distinct segments, in groups of rows."""
    with pq.ParquetWriter(path, SEGMENTS) as writer:
        for first in range(0, num, ROWS * PER_ROW):
            last = min(first + ROWS * PER_ROW, num)
            starts = range(first, last, PER_ROW)
            lists = [[f"The house number {n} is old." for n in range(i, min(i + PER_ROW, last))] for i in starts]
            empty = {name: pa.nulls(len(lists), SEGMENTS.field(name).type) for name in SEGMENTS.names}
            writer.write_table(pa.table(empty | {"segments": lists}, schema=SEGMENTS))


def fill_memory(num: int, folder: Path) -> None:
    """Write a translation of each segment into the memory, without checking it, some at once."""
    own = TranslationStore(folder / "memory").partition(Numbers.fingerprint, "el")
    origin = {"decoding": Numbers.decoding, **Numbers().origin()._asdict(), "flags": [], "failed_check": ""}
    for first in range(0, num, MAX_ROWS):
        sources = [f"The house number {n} is old." for n in range(first, min(first + MAX_ROWS, num))]
        texts = [own.text for own in Numbers().translate(sources, "el")]
        pairs = zip(sources, texts, strict=True)
        own.add({"sha256": digest(en), "en": en, "text": text, **origin} for en, text in pairs)


def translate(folder: Path) -> None:
    """Translate the segments of a folder, and print the largest memory of this process and its CPU seconds."""
    with TranslationStore(folder / "memory").open() as store:
        job = _Job(folder / "segments.parquet", "el", Numbers(), store, TranslationMemory({}), None)
        write_translations(folder / "out.parquet", job, "")
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    print(int(status["VmHWM"].split()[0]) * 1.024e-3, time.process_time())  # getrusage counts the parent's memory too


if __name__ == "__main__":
    os.nice(5)
    main()
