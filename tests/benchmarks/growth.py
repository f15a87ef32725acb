"""How time and memory grow with the number of pairs: a release of each size from an empty folder, and its peak.

    python tests/benchmarks/growth.py 300000 3000000
    python tests/benchmarks/growth.py 5000000 --max-memory 1GB
    python tests/benchmarks/growth.py 3000000 12000000 --threads 1 --stages

Makes a WikiMatrix file of each size (see `write_lines`) in a copy of the bundled sample, publishes `coit` from it in a
process of its own, and prints a row a size: seconds by the clock and of all cores, both also as times those of the
first size, and the largest memory of the whole process tree (/proc, ten times a second) with the stage that was being
written then: `resident` adds up what each process holds, `shared once` counts what several hold together only once.
With --stages, a row a stage follows: the largest memory while a task of it was written. Only with one thread are tasks
done one after the other.
"""

import argparse
import gzip
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, NamedTuple

import polars as pl
from tabulate import tabulate

from corpora.catalog import SAMPLE

COMMAND = [sys.executable, "-m", "builders", "publish", "coit", "--translator", "none"]
TSV = "laser/WikiMatrix/v1/WikiMatrix.{}.tsv.gz"
Pair = tuple[str, str]  # in the order of the file


class Run(NamedTuple):
    """What a run took: seconds by the clock, seconds of all cores, bytes at the peak, and the stage under way then."""

    seconds: float
    core_seconds: float
    resident: int
    shared_once: int
    stage: str
    by_stage: dict[str, int]  # bytes at the peak of each stage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="+", help="Numbers of pairs.")
    parser.add_argument("--lang", default="el")
    parser.add_argument("--max-memory", help="The limit that each run is given.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stages", action="store_true", help="Print the peak of each stage too.")
    parser.add_argument("--work", type=Path, default=Path("work-growth"))
    asked = parser.parse_args()
    options = ["--langs", asked.lang, "--threads", str(asked.threads)]
    options += ["--max-memory", asked.max_memory] if asked.max_memory else []
    rows, runs = list[list[str]](), list[Run]()
    for size in asked.sizes:
        shutil.rmtree(asked.work, ignore_errors=True)
        distinct = make_mirror(asked.work / "mirror", asked.lang, size)
        run = measured([*COMMAND, "--mirror", "mirror", *options], asked.work)
        runs.append(run)
        rows.append([f"{size:,}", f"{distinct:.1%}", *told(run, runs[0]), asked.max_memory or "-", *peaks(run)])
        print(rows[-1], file=sys.stderr)
    heads = ["pairs", "distinct", "seconds", "times", "core seconds", "times", "--max-memory"]
    print(tabulate(rows, [*heads, "resident", "shared once", "while making"], disable_numparse=True))
    if asked.stages:
        stages = dict.fromkeys(stage for run in runs for stage in run.by_stage)
        table = [[stage, *(f"{run.by_stage.get(stage, 0) / 1e6:,.0f} MB" for run in runs)] for stage in stages]
        print(tabulate(table, ["stage", *(f"{size:,}" for size in asked.sizes)], disable_numparse=True))


def make_mirror(folder: Path, lang: str, count: int) -> float:
    """Write a copy of the bundled sample whose WikiMatrix file has `count` lines; the share of distinct ones."""
    shutil.copytree(SAMPLE, folder)
    return write_lines(folder / TSV.format("-".join(sorted(("en", lang)))), sample_pairs(lang), count)


def told(run: Run, first: Run) -> list[str]:
    """Seconds and seconds of all cores, each with how many times those of the first run they are."""
    pairs = ((run.seconds, first.seconds), (run.core_seconds, first.core_seconds))
    return [text for own, other in pairs for text in (f"{own:.1f}", f"{own / other:.2f}")]


def peaks(run: Run) -> list[str]:
    return [f"{run.resident / 1e6:,.0f} MB", f"{run.shared_once / 1e6:,.0f} MB", run.stage]


def sample_pairs(lang: str) -> list[Pair]:
    """The clean pairs of the sample's WikiMatrix file in a language."""
    labels = pl.read_csv(SAMPLE / "labels.tsv", separator="\t").filter(corpus="wikimatrix", lang=lang, label="clean")
    data = gzip.decompress((SAMPLE / TSV.format("-".join(sorted(("en", lang))))).read_bytes())
    lines = data.decode(errors="replace").split("\n")
    sides = [lines[number - 1].split("\t")[1:] for number in labels["line_number"]]
    return [(first, second) for first, second in sides]


def write_lines(path: Path, pairs: list[Pair], count: int) -> float:
    """Write `count` lines, each one or two of the pairs with a number behind them; the share of distinct lines.

    A third has a margin below the usual threshold, and a line in twenty says what an earlier one says. The numbers
    keep the others apart, so that duplicates, hubs and language identification hold as many texts as of a real file.
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


def measured(command: list[str], folder: Path, kill_after: float | None = None, log: IO[str] | None = None) -> Run:
    """Time and peak memory of a command that runs in a folder, to its end or until it is killed, and the stage then."""
    begun, before, peak, by_stage = time.perf_counter(), core_seconds(), (0, 0, "-"), dict[str, int]()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
    while process.poll() is None:
        if kill_after and time.perf_counter() - begun > kill_after:
            os.killpg(process.pid, signal.SIGKILL)
        held = [held_by(pid) for pid in tree(process.pid)]
        resident, shared_once = (sum(column) for column in zip(*held, strict=True))
        stages = under_way(folder)
        if resident > peak[0]:
            peak = resident, shared_once, ", ".join(stages) or "-"
        by_stage |= {stage: max(resident, by_stage.get(stage, 0)) for stage in stages}
        time.sleep(0.1)
    if process.returncode and process.returncode != -signal.SIGKILL:
        sys.exit(f"The run ended with exit code {process.returncode}.")
    return Run(time.perf_counter() - begun, core_seconds() - before, *peak, by_stage)


def core_seconds() -> float:
    """Seconds that all cores spent on the processes that have ended: ours, and those that they had waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def tree(root: int) -> list[int]:
    """A process and all that it has started, and they."""
    parents = {name: _read(f"/proc/{name}/stat").rpartition(")")[2].split()[1:2] for name in os.listdir("/proc")}
    found = [root]
    for pid in found:  # which grows as it is walked
        found += [int(child) for child, parent in parents.items() if parent == [str(pid)]]
    return found


def held_by(pid: int) -> tuple[int, int]:
    """Resident bytes of a process, and of them its share where others hold them too; 0 if it is gone."""
    lines = [line.split() for line in _read(f"/proc/{pid}/smaps_rollup").split("\n")[1:-1]]
    sizes = {line[0]: int(line[1]) * 1024 for line in lines}
    return sizes.get("Rss:", 0), sizes.get("Pss:", 0)


def under_way(folder: Path) -> list[str]:
    """The stages of which a file is being written."""
    stages = set()
    for place, folders, files in os.walk(folder):  # which passes over what vanishes meanwhile
        if any(name.startswith(".tmp-") for name in (*folders, *files)):
            match Path(place).relative_to(folder).parts:
                case ("work", stage, *_):
                    stages.add(stage)
                case ("registry", *_):
                    stages.add("release")
    return sorted(stages)


def _read(path: str) -> str:
    """The text of a file of /proc; none if its process is gone."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
