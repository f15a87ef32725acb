"""How much memory translations take, by their number: it must not grow beyond that of one range.

    python tests/benchmarks/translation_memory.py [--segments 500000,2000000] [--folder FOLDER]
    python tests/benchmarks/translation_memory.py --by people
    python tests/benchmarks/translation_memory.py --translate --segments 40000,160000 --range 16384
    python tests/benchmarks/translation_memory.py --import tmx --segments 1000000,4000000

For each number, a process finds that many distinct segments in a memory that has been filled: by a translator, by
people, or a file that is the translator itself; with `--translate` one
translates them before by a back end that costs nothing, and the memory is what it has left. With `--import`, a process
imports a file of that many translations, and another one the same file again. Prints the largest memory and the CPU
seconds of each process, how many tables the memory has, and whether both wrote the same bytes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from builders.translation import (
    Translation,
    Translator,
    TranslatorOptions,
    digest,
    digest_ranges,
    import_memory,
    memory_import,
    partition,
    resolve_translator,
    worker,
)
from builders.translation.digest_ranges import num_bits, write_ranges
from builders.translation.memory import HUMAN, Origin
from builders.translation.partition import STORE_SCHEMA
from builders.translation.segment_table import SEGMENTS
from builders.translation.store import TranslationStore, fingerprint
from builders.translation.translation_table import TranslationJob, write_translations
from corpora.files import sha256_of, temporary_folder
from tests.builders.translation.translating import open_workers

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
    parser.add_argument("--by", choices=["model", "people", "file"], default="model", help="Who has translated.")
    parser.add_argument("--import", dest="suffix", choices=["tmx", "parquet"], help="Import a file of this kind.")
    parser.add_argument("--unchecked", action="store_true", help="Leave quality checks, most of the seconds, out.")
    parser.add_argument("--range", type=int, help="Rows of a table and segments of a range; by default the project's.")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        if asked.range:
            partition.MAX_ROWS = digest_ranges.RANGE_ROWS = asked.range
        if asked.unchecked:
            for module in (memory_import, worker):
                vars(module).update(check_translations=lambda sources, *rest: [""] * len(sources))
        if asked.suffix:
            import_memory(asked.folder / f"file.{asked.suffix}", work=asked.folder)
        else:
            translate(asked.folder, asked.by)
        print_costs()
        return
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        for num in map(int, asked.segments.split(",")):
            rows += (measure_import if asked.suffix else measure)(num, Path(name) / str(num), asked)
    heads = ["segments", "run", "largest memory (MB)", "CPU s", "tables", "same bytes"]
    print(tabulate(rows, heads))


def measure(num: int, folder: Path, asked: argparse.Namespace) -> list[list[object]]:
    """Return a row of figures for each run."""
    folder.mkdir()
    write_segments(num, folder / "segments.parquet")
    if asked.by == "file":
        write_export(num, folder / "file.parquet")
    elif not asked.translate:
        fill_memory(num, folder, asked.by)
    rows: list[list[object]] = []
    for run in ("translated", "remembered") if asked.translate else ("remembered",):
        costs = run_one(folder, asked)
        (folder / "out.parquet").rename(folder / run)
        same = (folder / "translated").read_bytes() == (folder / run).read_bytes() if rows else ""
        rows.append(figures(num, run, costs, folder, same))
    return rows


def measure_import(num: int, folder: Path, asked: argparse.Namespace) -> list[list[object]]:
    """Return a row of figures for the import of a file, and for that of the same file again."""
    folder.mkdir()
    (write_tmx if asked.suffix == "tmx" else write_export)(num, folder / f"file.{asked.suffix}")
    first = figures(num, "imported", run_one(folder, asked), folder, "")
    before = digests(folder)
    costs = run_one(folder, asked)
    return [first, figures(num, "again", costs, folder, digests(folder) == before)]


def run_one(folder: Path, asked: argparse.Namespace) -> list[float]:
    """Return the largest memory and the CPU seconds of a process of its own."""
    command = [sys.executable, __file__, "--one", "--folder", str(folder), "--by", asked.by]
    command += ["--range", str(asked.range)] if asked.range else []
    command += ["--import", asked.suffix] if asked.suffix else []
    command += ["--unchecked"] if asked.unchecked else []
    return list(map(float, subprocess.check_output(command, text=True).split()))


def figures(num: int, run: str, costs: list[float], folder: Path, same: object) -> list[object]:
    """Return a row of figures, and print it."""
    tables = len(list(folder.rglob("memory*.parquet")))
    row: list[object] = [f"{num:,}", run, f"{costs[0]:.0f}", f"{costs[1]:.0f}", tables, same]
    print(*row, flush=True)
    return row


def digests(folder: Path) -> dict[Path, str]:
    """Return the digests of the tables of a memory."""
    return {path: sha256_of(path) for path in folder.rglob("memory*.parquet")}


def write_tmx(num: int, path: Path) -> None:
    """Write units as another program has them, by a person."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<tmx version="1.4"><header srclang="en"/><body>\n')
        for en, text in pairs_from(0, num):
            tuv = '<tuv xml:lang="{}"><seg>{}</seg></tuv>'
            file.write(f'<tu creationid="MARIA">{tuv.format("en", en)}{tuv.format("el", text)}</tu>\n')
        file.write("</body></tmx>\n")


def write_export(num: int, path: Path) -> None:
    """Write an export of a memory."""
    with pq.ParquetWriter(path, STORE_SCHEMA, compression="zstd") as writer:
        for first in range(0, num, ROWS):
            rows = [memory_row(*pair) for pair in pairs_from(first, min(first + ROWS, num))]
            writer.write_table(pa.Table.from_pylist(rows, schema=STORE_SCHEMA))


def pairs_from(first: int, last: int) -> Iterator[tuple[str, str]]:
    """Yield segments with their translations, those with the numbers from `first` to before `last`."""
    sources = [f"The house number {n} is old." for n in range(first, last)]
    return zip(sources, (own.text for own in Numbers().translate(sources, "el")), strict=True)


def memory_row(en: str, text: str, by: str = "model") -> dict[str, object]:
    """Return a row of the memory."""
    is_model = by == "model"
    origin = Numbers().origin() if is_model else Origin(HUMAN, "MARIA")
    key = {"sha256": digest(en), "lang": "el", "decoding": Numbers.decoding if is_model else ""}
    return {**key, "en": en, "text": text, **origin._asdict(), "flags": [], "failed_check": ""}


def write_segments(num: int, path: Path) -> None:
    """Write a table with distinct segments, in groups of rows."""
    with pq.ParquetWriter(path, SEGMENTS) as writer:
        for first in range(0, num, ROWS * PER_ROW):
            last = min(first + ROWS * PER_ROW, num)
            starts = range(first, last, PER_ROW)
            lists = [[f"The house number {n} is old." for n in range(i, min(i + PER_ROW, last))] for i in starts]
            empty = {name: pa.nulls(len(lists), SEGMENTS.field(name).type) for name in SEGMENTS.names}
            writer.write_table(pa.table(empty | {"segments": lists}, schema=SEGMENTS))


def fill_memory(num: int, folder: Path, by: str) -> None:
    """Write a translation of each segment into the memory, without checking it, a range of digests after the other."""
    own = TranslationStore(folder / "memory").partition(Numbers.fingerprint if by == "model" else "", "el")
    starts = range(0, num, ROWS)
    pairs = (pairs_from(first, min(first + ROWS, num)) for first in starts)
    tables = (pa.Table.from_pylist([memory_row(*pair, by) for pair in some], schema=STORE_SCHEMA) for some in pairs)
    with temporary_folder(folder) as spill:
        for path in write_ranges(tables, STORE_SCHEMA, num_bits(num), spill):
            own.add(pq.read_table(path))


def translate(folder: Path, by: str) -> None:
    """Translate the segments of a folder."""
    options = TranslatorOptions(folder / "work")
    translator = resolve_translator(str(folder / "file.parquet"), options) if by == "file" else Numbers()
    with TranslationStore(folder / "memory").open() as store, open_workers(translator) as workers:
        human = store.human() if by == "people" else None
        job = TranslationJob(folder / "segments.parquet", "el", translator, store, human, None)
        write_translations(folder / "out.parquet", job, workers, fingerprint(human))


def print_costs() -> None:
    """Print the largest memory of this process and its CPU seconds."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    print(int(status["VmHWM"].split()[0]) * 1.024e-3, time.process_time())  # getrusage counts the parent's memory too


if __name__ == "__main__":
    os.nice(5)
    main()
