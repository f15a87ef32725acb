"""Builds on Ray nodes of this machine: bytes, CPU seconds and kills, against a run without a cluster.

    python tests/benchmarks/cluster.py --lines 300000 --kills 0
    python tests/benchmarks/cluster.py --lines 20000 --kills 20 --seed 1

Starts two nodes of one core each on 127.0.0.1, makes a WikiMatrix file (`write_lines` of growth.py) in a copy of the
sample, and publishes `coit` from it: once without a cluster, once on the nodes. Prints the CPU seconds of the run
without a cluster, those of the driver, and those of the tasks as they report them, which leaves Ray's daemons out, with
the largest memory of a task. Then runs from empty folders are disturbed, in turn by SIGKILL of a worker, of a node and
of the driver, and by Ctrl-C, at moments drawn between the start and the end of the calm run; by SIGKILL of a worker
while it writes a file, between seal and file, and right before and after a rename; and, in runs that translate, by
SIGKILL of a worker with a model. Where the command has ended early it runs again. Exits with 1 if a byte of a release
differs, or if something half-written is left.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from growth import TSV, sample_pairs, write_lines
from tabulate import tabulate

from builders.translation.convert import convert_checkpoint
from builders.workspace import all_stages
from corpora.catalog import SAMPLE

sys.path.insert(0, str(Path(__file__).parents[1] / "cluster"))
sys.path.insert(0, str(Path(__file__).parents[2]))
from ray_nodes import NODE, ray_nodes

from tests.builders.translation import tiny_model

HOOK = Path(__file__).parent / "kill_inside"  # has the sitecustomize.py of workers
TRANSLATE = [sys.executable, "-m", "builders", "translate"]
COMMAND = [sys.executable, "-m", "builders", "publish", "coit", "--translator", "none", "--mirror"]
INSIDE = ("write", "seal", "before rename", "after rename")  # where a worker kills itself: see kill_inside.py
TOO_LATE = "nothing was left to kill"  # so that another moment is drawn
KINDS = ("worker", "node", "driver", "ctrl-c", *INSIDE, "actor")


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
    translate = translation(asked.work) if "actor" in asked.kinds and asked.kills else []
    plan = asked.work.resolve() / "plan"
    os.environ |= {"PYTHONPATH": f"{HOOK}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", "KILL_PLAN": str(plan)}
    with ray_nodes(["one", "two"]) as cluster:
        command += ["--cluster", cluster.address]
        calm = finished(command, asked.work / "calm")
        differences = compare(asked.work / "local", asked.work / "calm")
        print_costs(local, calm, asked.work / "calm", differences)
        translate += ["--cluster", cluster.address] if translate else []
        bad = bool(differences) + kill_and_compare(command, translate, cluster, calm[0], asked)
    sys.exit(bool(bad))


def translation(work: Path) -> list[str]:
    """Return a command that translates by a tiny model, after a run of it without a cluster in `translated`."""
    records = [{"instruction": f"name town {n} at https://a.b/{n}", "input": "", "output": "a b c"} for n in range(400)]
    (work / "records.json").write_text(json.dumps(records))
    model = convert_checkpoint(tiny_model.save(work / "tiny"), work / "converted", lambda sentence: None).resolve()
    options = ["--beam", "1", "--compute-type", "float32", "--output", "registry"]
    command = [
        *TRANSLATE,
        str(work.resolve() / "records.json"),
        "--langs",
        "el,ar",
        "--translator",
        str(model),
        *options,
    ]
    finished([*command, "--threads", "2"], work / "translated")
    return command


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


def kill_and_compare(
    publish: list[str], translate: list[str], cluster: Any, seconds: float, asked: argparse.Namespace
) -> int:
    """Disturb runs; print a row for each, and return how many left a trace."""
    dice, rows, bad = random.Random(asked.seed), list[list[object]](), 0
    while (number := len(rows)) < asked.kills:
        kind, moment = asked.kinds[number % len(asked.kinds)], dice.uniform(0.1, 1) * seconds
        folder = asked.work / f"kill-{number}"
        command, calm = (translate, "translated") if kind == "actor" else (publish, "local")
        if kind in INSIDE:
            moment = dice.randint(1, len(tasks_of(asked.work / "calm")))
            plan_kill(asked.work / "plan", kind, moment)
        what = disturbed(command, folder, cluster, kind, moment)
        if what == TOO_LATE:
            seconds *= 0.8
            shutil.rmtree(folder)
            continue
        differences = compare(asked.work / calm, folder)
        bad += bool(differences)
        rows.append(
            [kind, f"file {moment}" if kind in INSIDE else f"{moment:.1f} s", what, ", ".join(differences) or "none"]
        )
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
    time.sleep(0 if kind in (*INSIDE, "actor") else moment)
    what = TOO_LATE
    if process.poll() is None:
        what = {
            "worker": lambda: kill_worker(process, task_of),
            "actor": lambda: kill_worker(process, actor_of),
            "node": lambda: kill_node(cluster),
            "driver": lambda: kill(process.pid),
            "ctrl-c": lambda: interrupt(process.pid),
        }.get(kind, lambda: killed_itself(process, folder.parent / "plan"))()
    code = process.wait()
    if kind == "node" and len(cluster.list_all_nodes()) == 1:
        cluster.add_node(node_name="two", **NODE)
    if code:
        last = (folder / "errors").read_text().splitlines()[-1:] if code > 0 else []
        what += f", run again after exit code {code} {''.join(last)}"
        finished(command, folder)
    return what


def plan_kill(plan: Path, kind: str, number: int) -> None:
    """Let the worker that writes file `number` of those that tasks seal kill itself."""
    shutil.rmtree(plan, ignore_errors=True)
    plan.mkdir()
    (plan / "plan.json").write_text(json.dumps({"kind": kind, "number": number}))


def killed_itself(run: subprocess.Popen[bytes], plan: Path) -> str:
    run.wait()
    return TOO_LATE if (plan / "plan.json").exists() else "a worker killed itself"


def kill_worker(run: subprocess.Popen[bytes], what: Callable[[Any], str]) -> str:
    """Kill a process of Ray that does something of ours, at the next moment that one is under way."""
    while run.poll() is None:
        if pids := [p.pid for p in psutil.Process().children(recursive=True) if what(p)]:
            return kill(random.choice(pids))
        time.sleep(0.02)
    return TOO_LATE


def task_of(process: Any) -> str:
    try:
        name = " ".join(process.cmdline())
    except psutil.Error:
        return ""
    title = name.removeprefix("ray::").strip() if name.startswith("ray::") else ""
    return title if title.partition(" ")[0] in all_stages() else ""


def actor_of(process: Any) -> str:
    try:
        name = " ".join(process.cmdline())
    except psutil.Error:
        return ""
    return "actor" if name.startswith("ray::TranslationWorker.do") else ""


def kill_node(cluster: Any) -> str:
    node = cluster.list_all_nodes()[-1]
    cluster.remove_node(node, allow_graceful=False)
    return "node two"


def interrupt(pid: int) -> str:
    os.kill(pid, signal.SIGINT)
    return "the driver was interrupted"


def kill(pid: int) -> str:
    try:
        name = task_of(psutil.Process(pid)) or actor_of(psutil.Process(pid)) or "driver"
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
