"""What a build takes on a cluster, by a simulation of its graph with the seconds of tasks of a small run.

    python tests/benchmarks/cluster_simulation.py cluster-tasks.jsonl --lines 300000 --check OTHER.jsonl
    python tests/benchmarks/cluster_simulation.py cluster-tasks.jsonl --lines 300000 --pairs 1000000000 --langs 10

The log is that of a run on Ray nodes (`cluster-tasks.jsonl`), `--lines` the number of lines that it read. A task of a
part takes the seconds a line of the log's tasks of its stage, one of a range too; one that learns from a sample of the
pairs takes what it took in the log for a sample of that size. Reading a file is one task, and its parts appear one
after the other. Tasks begin in the order in which they are ready. A share of tasks is lost and done
again, and a share takes longer. `--check` compares the prediction for another run's number of tasks with what that run
took, from the beginning of its reading to the end of the last task.
"""

import argparse
import heapq
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tabulate import tabulate

from builders.alignment import SAMPLE_PAIRS
from builders.pipeline.parts import PART_ROWS
from builders.pipeline.ranges import RANGE_ROWS

AFTER = {  # stage -> what a task of it needs: `own` part's or range's tasks of a stage, or `all` of the language's
    "measured": [("own", "parts")],
    "language_ids": [("own", "parts")],
    "keys": [("own", "measured")],
    "duplicates": [("all", "keys"), ("all", "measured")],
    "one_to_many": [("all", "duplicates")],
    "repeats": [("all", "duplicates"), ("all", "one_to_many")],
    "contaminated": [("own", "repeats"), ("own", "measured")],
    "alignment_tokens": [("own", "contaminated"), ("own", "language_ids")],
    "word_links": [("all", "alignment_tokens")],
    "usual_evidence": [("all", "word_links")],
    "domain_words": [("all", "alignment_tokens")],
    "random_pairs": [("all", "usual_evidence"), ("all", "domain_words")],
    "alignment_scores": [("own", "alignment_tokens"), ("all", "random_pairs")],
    "misaligned_shares": [("all", "alignment_scores")],
    "domains": [("all", "misaligned_shares")],
    "decisions": [("own", "contaminated"), ("own", "language_ids"), ("all", "domains")],
    "bitext": [("own", "decisions")],
    "ledger": [("own", "decisions")],
    "ambiguous": [("all", "bitext")],
    "examples": [("all", "ambiguous")],
}
RANGES = {"duplicates", "one_to_many", "ambiguous", "examples"}  # stages with a task for each range of keys or ids
HALVES = {"word_links", "usual_evidence", "random_pairs"}  # with a task for each half, over a sample of bounded size
ONE = {"domain_words", "misaligned_shares", "domains"}
Task = tuple[str, int, int]  # stage, language, number


@dataclass
class Cluster:
    """The cores of a simulated cluster, and what goes wrong on them."""

    cores: int
    lost: float = 0.0  # share of tasks that are done again
    slow: float = 0.0  # share of tasks that take four times as long
    task_s: float = 0.0  # between a task's end and the next one's beginning, on its core
    driver_s: float = 0.0  # of the driver for each task, one after the other
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def seconds(self, own: float) -> float:
        times = 4 if self.dice.random() < self.slow else 1
        again = 1 + (self.dice.random() if self.dice.random() < self.lost else 0)
        return own * times * again + self.task_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--lines", type=int, required=True, help="Lines that the run of the log read.")
    parser.add_argument("--check", type=Path, help="The log of another run of as many lines, on two cores.")
    parser.add_argument("--pairs", type=int, default=10**9)
    parser.add_argument("--langs", type=int, default=10)
    parser.add_argument("--cores", type=int, nargs="+", default=[32, 160, 640])
    parser.add_argument("--driver-ms", type=float, default=2.0, help="Of the driver for each task.")
    asked = parser.parse_args()
    costs = costs_of(read(asked.log), asked.lines, "seconds" if asked.check else "cpu_seconds")
    if asked.check:
        reports = read(asked.check)
        first = min(r["begun"] for r in reports if r["title"].startswith("parts "))
        actual = max(r["begun"] + r["seconds"] for r in reports) - first
        predicted, *_ = simulate(costs, asked.lines, 1, Cluster(2))
        print(f"predicted {predicted:.1f} s, took {actual:.1f} s: {predicted / actual - 1:+.0%}")
        return
    rows = []
    for cores in asked.cores:
        for lost, slow in ((0.0, 0.0), (0.01, 0.02)):
            cluster = Cluster(cores, lost, slow, 0.01, asked.driver_ms / 1000)
            seconds, num, busy, by_stage = simulate(costs, asked.pairs, asked.langs, cluster)
            last = max(by_stage, key=by_stage.__getitem__)
            rows.append([cores, f"{lost:.0%}, {slow:.0%}", f"{num:,}", f"{seconds:,.0f}", f"{busy:.0%}", last])
    print(
        tabulate(rows, ["cores", "lost, slow", "tasks", "seconds", "cores busy", "last stage"], disable_numparse=True)
    )


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def costs_of(reports: list[dict[str, Any]], lines: int, key: str) -> dict[str, float]:
    """Return seconds a line by stage."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        seconds[report["title"].split()[0]] += report[key]
    costs = {
        stage: own / (min(lines, 2 * SAMPLE_PAIRS) if stage in HALVES else lines) for stage, own in seconds.items()
    }
    return costs | {"keys": costs.get("keys", costs["measured"] / 10)}  # small runs have no task of `keys`


def simulate(
    costs: dict[str, float], pairs: int, langs: int, cluster: Cluster
) -> tuple[float, int, float, dict[str, float]]:
    """Return seconds, number of tasks, share of busy cores, and when each stage ended."""
    lines = pairs // langs
    parts, ranges = -(-lines // PART_ROWS), -(-lines // RANGE_ROWS)
    numbers = dict.fromkeys(AFTER, parts) | dict.fromkeys(RANGES, ranges) | dict.fromkeys(HALVES, 2)
    numbers |= dict.fromkeys(ONE, 1)
    tasks = {
        (stage, lang, n): costs.get(stage, 0.0) * (min(lines, 2 * SAMPLE_PAIRS) if stage in HALVES else lines) / number
        for stage, number in numbers.items()
        if stage != "keys" or ranges > 1
        for lang in range(langs)
        for n in range(number)
    }
    by_lang: defaultdict[tuple[str, int], list[Task]] = defaultdict(list)
    for task in tasks:
        by_lang[task[:2]].append(task)
    left_of_stage = {key: len(own) for key, own in by_lang.items()}
    blocked_by_own: defaultdict[Task, list[Task]] = defaultdict(list)
    blocked_by_all: defaultdict[tuple[str, int], list[Task]] = defaultdict(list)
    missing: defaultdict[Task, int] = defaultdict(int)
    for task in tasks:
        stage, lang, number = task
        for scope, need in AFTER[stage]:
            if scope == "own" and (need == "parts" or (need, lang, number) in tasks):
                blocked_by_own[need, lang, number].append(task)
                missing[task] += 1
            elif scope == "all" and (need, lang) in by_lang:
                blocked_by_all[need, lang].append(task)
                missing[task] += 1
    order, ready, events = count(), list[tuple[int, Task]](), list[tuple[float, int, Task, bool]]()
    now, free, handed, busy, ended = 0.0, cluster.cores, 0.0, 0.0, dict[str, float]()
    read_s = costs["parts"] * lines / parts
    readers = min(langs, max(1, cluster.cores - 1))
    for lang in range(langs):  # readers beyond the cores begin when another has ended
        offset = (lang // readers) * read_s * parts
        for n in range(parts):
            heapq.heappush(events, (offset + (n + 1) * read_s, next(order), ("parts", lang, n), False))
    free -= readers if cluster.cores > 2 else 0
    num_done, reading = 0, langs * parts
    while events or ready:
        while ready and free:
            _, task = heapq.heappop(ready)
            handed = max(handed, now) + cluster.driver_s
            seconds = cluster.seconds(tasks[task])
            busy += seconds
            heapq.heappush(events, (max(now, handed) + seconds, next(order), task, True))
            free -= 1
        now, _, task, has_core = heapq.heappop(events)
        free += has_core
        num_done += has_core
        ended[task[0]] = now
        if not has_core:
            reading -= 1
            free += readers if reading == 0 and cluster.cores > 2 else 0
        released = list(blocked_by_own.pop(task, ()))
        if has_core:
            left_of_stage[task[:2]] -= 1
            released += blocked_by_all.pop(task[:2], []) if left_of_stage[task[:2]] == 0 else []
        for waiting in released:
            missing[waiting] -= 1
            if missing[waiting] == 0:
                heapq.heappush(ready, (next(order), waiting))
    return now, num_done, busy / (now * cluster.cores), ended


if __name__ == "__main__":
    main()
