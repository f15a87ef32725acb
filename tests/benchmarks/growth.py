"""How time and memory grow with the number of pairs: a release of each size from an empty folder, and its peak.

    python tests/benchmarks/growth.py 300000 3000000
    python tests/benchmarks/growth.py 5000000 --memory 1GB

Makes a WikiMatrix file of each size (see `write_lines`) in a copy of the bundled sample, publishes `coit` from it in a
process of its own, and prints a row a size: seconds, times those of the first size, pairs per second, and the largest
proportional set size of the whole process tree (/proc, ten times a second) with the stage that was being written.
"""

import argparse
import gzip
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
from tabulate import tabulate

from corpora.catalog import SAMPLE

COMMAND = [sys.executable, "-c", "from builders.cli import main; main()", "publish", "coit", "--translator", "none"]
TSV = "laser/WikiMatrix/v1/WikiMatrix.{}.tsv.gz"
Pair = tuple[str, str]  # in the order of the file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="+", help="Numbers of pairs.")
    parser.add_argument("--lang", default="el")
    parser.add_argument("--memory", help="The limit that each run is given.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("work-growth"))
    asked = parser.parse_args()
    options = ["--langs", asked.lang, "--threads", str(asked.threads)]
    options += ["--memory", asked.memory] if asked.memory else []
    rows: list[list[object]] = []
    for size in asked.sizes:
        shutil.rmtree(asked.work, ignore_errors=True)
        shutil.copytree(SAMPLE, asked.work / "mirror")
        name = TSV.format("-".join(sorted(("en", asked.lang))))
        distinct = write_lines(asked.work / "mirror" / name, sample_pairs(asked.lang), size)
        seconds, peak, stage = measured([*COMMAND, "--mirror", "mirror", *options], asked.work)
        times = seconds / float(str(rows[0][2])) if rows else 1.0
        rows.append([size, f"{distinct:.1%}", round(seconds, 1), f"{times:.2f}", round(size / seconds)])
        rows[-1] += [asked.memory or "-", f"{peak / 1e6:,.0f} MB", stage]
        print(rows[-1], file=sys.stderr)
    heads = ["pairs", "distinct", "seconds", "times", "pairs/s", "--memory", "peak", "while making"]
    print(tabulate(rows, heads, intfmt=",", disable_numparse=[1, 3, 5, 6, 7]))


def sample_pairs(lang: str) -> list[Pair]:
    """The clean pairs of the sample's WikiMatrix file in a language."""
    labels = pl.read_csv(SAMPLE / "labels.tsv", separator="\t").filter(corpus="wikimatrix", lang=lang, label="clean")
    data = gzip.decompress((SAMPLE / TSV.format("-".join(sorted(("en", lang))))).read_bytes())
    lines = data.decode(errors="replace").split("\n")
    sides = [lines[number - 1].split("\t")[1:] for number in labels["line"]]
    return [(first, second) for first, second in sides]


def write_lines(path: Path, pairs: list[Pair], count: int) -> float:
    """Write `count` lines, each one or two of the pairs with a number behind them; the share of distinct lines.

    A third has a margin below the usual threshold, and a line in twenty says what an earlier one says. The numbers
    keep the others apart, so that duplicates, hubs and language identification have as many texts to hold as in a real file.
    """
    dice, said = random.Random(count), list[tuple[Pair, ...]]()
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        for index in range(count):
            if said and dice.random() < 0.05:
                chosen = dice.choice(said)
            else:
                number = f"({1_000_000 + index})"
                chosen = (*dice.choices(pairs, k=dice.choice((1, 1, 2))), (number, number))
                said.append(chosen)
            margin = 1.02 + dice.random() * (0.02 if dice.random() < 1 / 3 else 0.2)
            first, second = (" ".join(side) for side in zip(*chosen, strict=True))
            file.write(f"{margin:.6f}\t{first}\t{second}\n")
    return len(said) / count


def measured(command: list[str], folder: Path) -> tuple[float, int, str]:
    """Seconds that a command takes in a folder, the peak of its tree in bytes, and the stage under way then."""
    begun, peak, stage = time.perf_counter(), 0, "-"
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        held = sum(map(held_by, tree(process.pid)))
        if held > peak:
            peak, stage = held, under_way(folder)
        time.sleep(0.1)
    if process.returncode:
        sys.exit(f"The run ended with exit code {process.returncode}.")
    return time.perf_counter() - begun, peak, stage


def tree(root: int) -> list[int]:
    """A process and all that it has started, and they."""
    parents = {name: _read(f"/proc/{name}/stat").rpartition(")")[2].split()[1:2] for name in os.listdir("/proc")}
    found = [root]
    for pid in found:  # which grows as it is walked
        found += [int(child) for child, parent in parents.items() if parent == [str(pid)]]
    return found


def held_by(pid: int) -> int:
    """Bytes that a process holds, its share of what it shares with others included; 0 if it is gone."""
    lines = _read(f"/proc/{pid}/smaps_rollup").split("\n")
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def under_way(folder: Path) -> str:
    """The stage of which a unit is being written."""
    writing = [path.relative_to(folder).parts for path in (folder / "work").glob("**/.tmp-*")]
    return writing[0][1] if writing else "release" if list(folder.glob("registry/*/.tmp-*")) else "-"


def _read(path: str) -> str:
    """The text of a file of /proc; none if its process is gone."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
