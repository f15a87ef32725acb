"""Builds on Ray nodes of this machine: bytes, CPU seconds and kills, against a run without a cluster.

    python tests/benchmarks/cluster.py --lines 300000 --kills 0
    python tests/benchmarks/cluster.py --lines 20000 --kills 20 --seed 1

Starts two nodes of one core each on 127.0.0.1, makes a WikiMatrix file (`write_lines` of growth.py) in a copy of the
sample, and publishes `coit` from it: once without a cluster, once on the nodes. Prints the CPU seconds of the run
without a cluster, those of the driver, and those of the tasks as they report them, which leaves Ray's daemons out, with
the largest memory of a task. Then runs from empty folders are disturbed, in turn by SIGKILL of a worker, of a node and
of the driver, and by Ctrl-C, at moments drawn between the start and the end of the calm run; where the command has
ended early it runs again. Exits with 1 if a byte of a release differs, or if something half-written is left.
"""

import argparse
import filecmp
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from growth import TSV, sample_pairs, write_lines
from tabulate import tabulate

from builders.workspace import all_stages
from corpora.catalog import SAMPLE

sys.path.insert(0, str(Path(__file__).parents[1] / "cluster"))
from ray_nodes import NODE, ray_nodes

COMMAND = [sys.executable, "-m", "builders", "publish", "coit", "--translator", "none", "--mirror"]
KINDS = ("worker", "node", "driver", "ctrl-c")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=300_000)
    parser.add_argument("--lang", default="el")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-memory", help="Of a task.")
    parser.add_argument("--work", type=Path, default=Path("work-cluster"))
    asked = parser.parse_args()
    shutil.rmtree(asked.work, ignore_errors=True)
    mirror = asked.work.resolve() / "mirror"
    shutil.copytree(SAMPLE, mirror)
    write_lines(mirror / TSV.format("-".join(sorted(("en", asked.lang)))), sample_pairs(asked.lang), asked.lines)
    command = [*COMMAND, str(mirror), "--langs", asked.lang]
    command += ["--max-memory", asked.max_memory] if asked.max_memory else []
    local = finished([*command, "--threads", "2"], asked.work / "local")
    with ray_nodes(["one", "two"]) as cluster:
        command += ["--cluster", cluster.address]
        calm = finished(command, asked.work / "calm")
        differences = compare(asked.work / "local", asked.work / "calm")
        print_costs(local, calm, asked.work / "calm", differences)
        bad = bool(differences) + kill_and_compare(command, cluster, calm[0], asked)
    sys.exit(bool(bad))


def print_costs(local: tuple[float, float], calm: tuple[float, float], folder: Path, differences: list[str]) -> None:
    reports = tasks_of(folder)
    tasks = sum(report["cpu_seconds"] for report in reports)
    peak = max(reports, key=lambda report: report["max_bytes"])
    table = [
        ["local", f"{local[0]:.0f}", f"{local[1]:.1f}", "", "", ""],
        ["two nodes", f"{calm[0]:.0f}", f"{calm[1] + tasks:.1f}", f"{calm[1]:.1f}", f"{tasks:.1f}", len(reports)],
    ]
    print(tabulate(table, ["run", "seconds", "CPU seconds", "driver", "tasks", "number of tasks"]))
    print(f"largest task: {peak['title']}, {peak['max_bytes'] / 1e6:,.0f} MB; differences: {differences or 'none'}")
    by_stage: dict[str, list[float]] = {}
    for report in reports:
        by_stage.setdefault(report["title"].split()[0], []).append(report["cpu_seconds"])
    print(
        tabulate([[s, len(own), f"{sum(own):.1f}"] for s, own in by_stage.items()], ["stage", "tasks", "CPU seconds"])
    )


def tasks_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "work" / "cluster-tasks.jsonl").read_text().splitlines()]


def kill_and_compare(command: list[str], cluster: Any, seconds: float, asked: argparse.Namespace) -> int:
    """Disturb runs; print a row for each, and return how many left a trace."""
    dice, rows, bad = random.Random(asked.seed), list[list[object]](), 0
    for number in range(asked.kills):
        kind, moment = asked.kinds[number % len(asked.kinds)], dice.uniform(0.1, 1) * seconds
        folder = asked.work / f"kill-{number}"
        what = disturbed(command, folder, cluster, kind, moment)
        differences = compare(asked.work / "local", folder)
        bad += bool(differences)
        rows.append([kind, f"{moment:.1f} s", what, ", ".join(differences) or "none"])
        print(rows[-1], file=sys.stderr)
        shutil.rmtree(folder)
    if rows:
        print(tabulate(rows, ["kill", "after", "what", "differences"], disable_numparse=True))
    return bad


def disturbed(command: list[str], folder: Path, cluster: Any, kind: str, moment: float) -> str:
    """Run a command, kill something after some seconds, and let it or the same command end; say what was killed."""
    folder.mkdir(parents=True)
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)
    time.sleep(moment)
    what = "nothing was left to kill"
    if process.poll() is None:
        what = {
            "worker": lambda: kill_worker(process),
            "node": lambda: kill_node(cluster),
            "driver": lambda: kill(process.pid),
            "ctrl-c": lambda: interrupt(process.pid),
        }[kind]()
    code = process.wait()
    if kind == "node" and len(cluster.list_all_nodes()) == 1:
        cluster.add_node(node_name="two", **NODE)
    if code:
        last = (folder / "errors").read_text().splitlines()[-1:] if code > 0 else []
        what += f", run again after exit code {code} {''.join(last)}"
        finished(command, folder)
    return what


def kill_worker(run: subprocess.Popen[bytes]) -> str:
    """Kill a process of Ray that does a task of ours, at the next moment that one is under way."""
    while run.poll() is None:
        if pids := [p.pid for p in psutil.Process().children(recursive=True) if task_of(p)]:
            return kill(random.choice(pids))
        time.sleep(0.02)
    return "no task was under way"


def task_of(process: Any) -> str:
    try:
        name = " ".join(process.cmdline())
    except psutil.Error:
        return ""
    title = name.removeprefix("ray::").strip() if name.startswith("ray::") else ""
    return title if title.partition(" ")[0] in all_stages() else ""


def kill_node(cluster: Any) -> str:
    node = cluster.list_all_nodes()[-1]
    cluster.remove_node(node, allow_graceful=False)
    return "node two"


def interrupt(pid: int) -> str:
    os.kill(pid, signal.SIGINT)
    return "the driver was interrupted"


def kill(pid: int) -> str:
    try:
        name = task_of(psutil.Process(pid)) or "driver"
        os.kill(pid, signal.SIGKILL)
    except (psutil.Error, ProcessLookupError):
        return "it had ended"
    return name


def finished(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command to its end; return the seconds by the clock, and the CPU seconds of its processes."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, spent = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}:\n{errors}")
    return time.perf_counter() - begun, spent.ru_utime + spent.ru_stime


def compare(one: Path, other: Path) -> list[str]:
    """Return what differs between two registries, and what the second run left half-written."""
    files = [
        sorted(path.relative_to(d) for path in (d / "registry").rglob("*") if path.is_file()) for d in (one, other)
    ]
    if files[0] != files[1]:
        return ["other files"]
    _, differing, errors = filecmp.cmpfiles(one, other, files[0], shallow=False)
    return [*map(str, differing), *map(str, errors), *(str(p) for p in (other / "work").rglob(".tmp-*"))]


if __name__ == "__main__":
    main()
