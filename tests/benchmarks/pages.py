"""Measure how fast the pages of `builders browse` answer over many lines.

Takes a finished build (its work folder), repeats the tables of one language until there are `--lines` lines, with new
line numbers, starts the real server, and asks for each page: the first time, and the median of five more. Prints
milliseconds by the clock, and of all cores, which another load of the machine changes less. The first answer after a
build reads columns from the disk; later ones find them in memory.

    python tests/benchmarks/pages.py work --lang el --lines 5000000
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from builders.pages import Project, make_server

PAGES = {
    "corpora": "corpora?lang=el",
    "filters": "filters",
    "filter, before its measure is read": "filter?name=length_ratio&lang={lang}",
    "filter, its measure": "filter?name=length_ratio&lang={lang}&read=1",
    "filter, threshold moved": "filter?name=length_ratio&lang={lang}&t.max=1.9",
    "filter of two measures": "filter?name=wrong_script&lang={lang}&read=1",
    "filter of languages": "filter?name=wrong_language_xx&lang={lang}&t.min_confidence=0.6&read=1",
    "threshold, all filters (a sample)": "estimate?name=length_ratio&lang={lang}&t.max=3.5",
    "lines": "lines?lang={lang}&reason=kept",
    "lines, far into the file": "lines?lang={lang}&first={middle}",
    "search, a frequent word": "lines?lang={lang}&text=the",
    "search, a word of one line in a million": "lines?lang={lang}&text={rare}",
    "search, a text that no line has": "lines?lang={lang}&text=qqqzzzqqq",
    "labels": "labels?lang={lang}",
    "label, next line": "label?lang={lang}&decision=kept",
    "translations": "translations",
    "releases": "releases",
}
SHIFT = {"pairs": "", "measured": "", "decisions": ", matched_line_number + $shift as matched_line_number"}


def repeat(work: Path, lang: str, num_lines: int, to: Path) -> None:
    """Write a work folder with the tables of a language, repeated."""
    (path,) = sorted((work / "builds").glob("*.json"))[:1]
    record = json.loads(path.read_text())
    parts, done, shift = [], 0, 0
    with duckdb.connect() as database:
        sizes = [count(database, work / part["decisions"]) for part in record["parts"][lang]]
        while done < num_lines:
            for number, (part, size) in enumerate(zip(record["parts"][lang], sizes, strict=True)):
                if done < num_lines:
                    name = f"{shift}-{number}"
                    copies = {table: copy(database, work / own, table, shift, to, name) for table, own in part.items()}
                    parts.append(copies)
                    done += size
            shift += sum(sizes)
    for task in record["tasks"]:
        if task.split("/")[0] in ("ledger", "ngrams", "bitext", "segments", "translations", "translated_instructions"):
            (to / task).parent.mkdir(parents=True, exist_ok=True)
            (to / task).symlink_to((work / task).resolve())
    (to / "builds").mkdir()
    record["parts"] = {lang: parts}
    (to / "builds" / path.name).write_text(json.dumps(record))


def count(database: duckdb.DuckDBPyConnection, path: Path) -> int:
    (row,) = database.execute("select count(*) from read_parquet($path)", {"path": str(path)}).fetchall()
    return int(row[0])


def copy(database: duckdb.DuckDBPyConnection, path: Path, table: str, shift: int, to: Path, name: str) -> str:
    """Copy a table with later line numbers, and return its path in the work folder."""
    target = to / table / f"{name}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    moved = "line_number + $shift as line_number" + SHIFT[table]
    database.execute(
        f"copy (select * replace ({moved}) from read_parquet($path)) to $target "
        "(format parquet, compression zstd, compression_level 1, row_group_size 51200)",
        {"path": str(path), "target": str(target), "shift": shift},
    )
    return str(target.relative_to(to))


def milliseconds(url: str) -> tuple[float, float, int]:
    """Return the milliseconds of one answer by the clock and of all cores, and its bytes."""
    begin, cpu = time.perf_counter(), time.process_time()
    with urllib.request.urlopen(url) as answer:
        size = len(answer.read())
    return (time.perf_counter() - begin) * 1000, (time.process_time() - cpu) * 1000, size


def measure(project: Project, values: dict[str, Any], rounds: int) -> None:
    server, listener, url = make_server(project)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        milliseconds(url + "runs")
        print(f"{'page':42} {'first':>8} {'CPU':>6} {'median':>8} {'CPU':>6} {'kB':>6}")
        for name, path in PAGES.items():
            address = url + path.format(**values)
            first, cpu, size = milliseconds(address)
            again = [milliseconds(address) for _ in range(rounds)]
            wall, later = (statistics.median(row[n] for row in again) for n in (0, 1))
            print(f"{name:42} {first:8.0f} {cpu:6.0f} {wall:8.0f} {later:6.0f} {size / 1000:6.0f}", flush=True)
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--lang", default="el")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rare", default="Archaeopteryx", help="a word that few lines have")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        repeat(arguments.work, arguments.lang, arguments.lines, Path(folder) / "work")
        values = {"lang": arguments.lang, "middle": arguments.lines // 2, "rare": quote(arguments.rare)}
        measure(
            Project(Path(folder) / "work", labels=Path(folder) / "labels.csv", annotator="a"), values, arguments.rounds
        )


if __name__ == "__main__":
    main()
