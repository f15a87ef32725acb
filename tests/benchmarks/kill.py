"""Kills at random moments: what a rerun publishes after each, byte for byte against an undisturbed run.

    python tests/benchmarks/kill.py [MIRROR] [--kills 20] [--seed 1] [--langs ar,el,hi,tr,vi,zh]

MIRROR is a folder in the form of the public servers; without one the bundled sample is built. Every kill is a SIGKILL
to the whole process group of a `builders publish` that began in an empty folder, at a moment drawn between its start
and the end of the undisturbed run; the same command then runs to its end. Exits with 1 if any byte of a release, any
identified text, or the name of any other file in the work folder is not as the undisturbed run left it.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
from tabulate import tabulate

BUILDERS = [sys.executable, "-c", "from builders.cli import main; main()"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path, nargs="?")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--langs", default="ar,el,hi,tr,vi,zh")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("work-kill"))
    asked = parser.parse_args()
    command = [*BUILDERS, "publish", "--langs", asked.langs, "--threads", str(asked.threads)]
    command += ["--mirror", str(asked.mirror.resolve()), "--translator", "none"] if asked.mirror else ["--sample"]
    shutil.rmtree(asked.work, ignore_errors=True)
    begun = time.perf_counter()
    calm = finished(command, asked.work / "calm")
    whole = time.perf_counter() - begun

    dice, rows = random.Random(asked.seed), []
    for moment in sorted(dice.uniform(0, whole) for _ in range(asked.kills)):
        folder = asked.work / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        there = killed(command, folder, moment)
        wrong = differences(calm, finished(command, folder))
        rows.append((f"{moment:.2f} s", *there, "; ".join(wrong) or "none"))
    print(tabulate(rows, ["killed at", "while making", "units there", "differences"]))
    bad = sum(row[-1] != "none" for row in rows)
    files, size = len(calm), sum(len(data) for data in calm.values())
    print(f"{asked.kills - bad} of {asked.kills} kills in a run of {whole:.1f} s left no trace", end=" ")
    print(f"({files} files, {size:,} bytes compared)")
    sys.exit(bool(bad))


def finished(command: list[str], folder: Path) -> dict[str, bytes]:
    """What a run to the end leaves, as `contents` has it."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(command, cwd=folder, check=True, **QUIET)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of the registry, the rows of the identified texts, and every name elsewhere, by path."""
    found = {"identified": identified(folder / "work/identified")}
    for path in folder.rglob("*"):
        if path.is_file() and folder / "work/identified" not in path.parents:
            found[path.relative_to(folder).as_posix()] = (
                path.read_bytes() if folder / "registry" in path.parents else b""
            )
    return found


def identified(folder: Path) -> bytes:
    """The identified texts in the order of their keys: which file holds them depends on when a run was killed."""
    rows = pl.concat([pl.read_parquet(path, glob=False) for path in folder.rglob("*.parquet")])
    return rows.sort(pl.all()).write_csv().encode()


def killed(command: list[str], folder: Path, moment: float) -> tuple[str, int]:
    """Kill a run and all its processes after some seconds; what it was writing, and how many units it had made."""
    folder.mkdir(parents=True)
    process = subprocess.Popen(command, cwd=folder, start_new_session=True, **QUIET)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    writing = sorted({"/".join(path.relative_to(folder).parts[:-1][:2]) for path in folder.rglob(".tmp-*")})
    return ", ".join(writing) or "-", len(list(folder.glob("work/*/*.parquet")))


def differences(calm: dict[str, bytes], again: dict[str, bytes]) -> list[str]:
    """Files that only one of two runs left, and files with other bytes."""
    lost = [f"{name} is missing" for name in calm.keys() - again.keys()]
    left = [f"{name} is left over" for name in again.keys() - calm.keys()]
    other = [f"{name} differs" for name in calm.keys() & again.keys() if calm[name] != again[name]]
    return sorted([*lost, *left, *other])


if __name__ == "__main__":
    main()
