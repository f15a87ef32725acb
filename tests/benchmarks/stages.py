"""Where the seconds of a build go: CPU seconds of each stage, of the libraries' imports and of the driver.

    python tests/benchmarks/stages.py --langs el --mirror MIRROR [--work FOLDER]

Runs `builders build coit` in this process with one thread, so that tasks are done one after the other, and what the
process spends meanwhile is a task's own. Prints a row a stage with the number of its tasks; what remains is planning,
reading of results and printing in the driver.
"""

import argparse
import shutil
import sys
import time
from collections import defaultdict
from pathlib import Path

from tabulate import tabulate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--langs", default="el")
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("work-stages"))
    asked = parser.parse_args()
    shutil.rmtree(asked.work, ignore_errors=True)
    import builders
    from builders.workspace import Task, Workspace

    seconds: defaultdict[str, list[float]] = defaultdict(list)
    write = Workspace.write

    def timed(self: Workspace, task: Task) -> None:
        begun = time.process_time()
        try:
            write(self, task)
        finally:
            seconds[task.stage].append(time.process_time() - begun)

    Workspace.write = timed  # type: ignore[method-assign]
    imported = time.process_time()
    builders.build(
        "coit", langs=asked.langs.split(","), mirror=str(asked.mirror), translator="none", threads=1, work=asked.work
    )
    whole = time.process_time()
    rows = sorted(((stage, len(times), sum(times)) for stage, times in seconds.items()), key=lambda row: -row[2])
    rest = whole - imported - sum(row[2] for row in rows)
    rows += [("imports at start", 1, imported), ("everything else", 1, rest), ("whole process", 1, whole)]
    print(tabulate([(name, count, f"{spent:.2f}") for name, count, spent in rows], ["stage", "tasks", "CPU seconds"]))


if __name__ == "__main__":
    sys.exit(main())
