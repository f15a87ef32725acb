"""Translation by two workers on two Ray nodes of this machine, against two threads of one process.

    python tests/benchmarks/actors.py [--records 6000] [--langs el,ar] [--rounds 1]

Translates records by the tests' tiny model, which has two languages and whose weights cost next to nothing, so that
what is handed over and written shows most. Prints for each way the seconds of the stage by the clock and the CPU
seconds of all its processes, for the workers how busy they were between the first and the last of them, and whether
both ways wrote the same bytes.
"""

import argparse
import filecmp
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import psutil
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[2]))
import builders
from builders.translation.convert import convert_checkpoint
from tests.builders.translation import tiny_model
from tests.cluster.ray_nodes import ray_nodes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=6000)
    parser.add_argument("--langs", default="el,ar")
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ray_nodes(["one", "two"]) as cluster:
        folder = Path(name)
        records = [
            {"instruction": f"name town {n} at https://a.b/{n}", "input": "", "output": f"a b {n} c"}
            for n in range(asked.records)
        ]
        (folder / "records.json").write_text(json.dumps(records))
        model = convert_checkpoint(tiny_model.save(folder / "tiny"), folder / "converted", lambda sentence: None)
        rows = []
        for number in range(asked.rounds):
            for way, more in (("threads", {"threads": 2}), ("workers", {"cluster": cluster.address})):
                rows.append([way, *measure(folder, f"{way}-{number}", str(model), asked.langs, more)])
                print(*rows[-1], flush=True)
            print("same bytes:", same(folder / f"threads-{number}", folder / f"workers-{number}"))
        print(tabulate(rows, ["way", "seconds", "CPU seconds", "of them workers", "workers busy"]))


def measure(folder: Path, name: str, model: str, langs: str, more: dict[str, object]) -> list[str]:
    """Translate in one way; return the seconds by the clock, CPU seconds, and how busy the workers were."""
    seen: dict[int, tuple[float, float, float]] = {}  # a worker's first and last moment, and its CPU seconds
    begun, before = time.perf_counter(), os.times()
    with_watch(lambda: watch(seen), lambda: translate(folder, name, model, langs, more))
    took, after = time.perf_counter() - begun, os.times()
    own, workers = after.user + after.system - before.user - before.system, sum(cpu for *_, cpu in seen.values())
    life = sum(last - first for first, last, _ in seen.values())
    return [f"{took:.1f}", f"{own + workers:.1f}", f"{workers:.1f}", f"{workers / life:.0%}" if life else ""]


def translate(folder: Path, name: str, model: str, langs: str, more: dict[str, object]) -> None:
    builders.translate(
        folder / "records.json", langs=langs.split(","), translator=model, beam=1, compute_type="float32",
        output=folder / name / "out", work=folder / name / "work", corpora_lock=folder / "lock", **more,
    )  # fmt: skip


def with_watch(look: Callable[[], None], run: Callable[[], None]) -> None:
    """Look every tenth of a second while something runs."""
    ended = Event()

    def repeat() -> None:
        while not ended.wait(0.1):
            look()

    thread = Thread(target=repeat)
    thread.start()
    try:
        run()
    finally:
        ended.set()
        thread.join()


def watch(seen: dict[int, tuple[float, float, float]]) -> None:
    for process in psutil.Process().children(recursive=True):
        try:
            if not " ".join(process.cmdline()).startswith("ray::TranslationWorker"):
                continue
            times, now = process.cpu_times(), time.perf_counter()
        except psutil.Error:
            continue
        first = seen[process.pid][0] if process.pid in seen else now
        seen[process.pid] = (first, now, times.user + times.system)


def same(one: Path, other: Path) -> bool:
    """Whether both ways wrote the same translations."""
    names = [path.name for path in (one / "out").iterdir()]
    return filecmp.cmpfiles(one / "out", other / "out", names, shallow=False)[1:] == ([], [])


if __name__ == "__main__":
    main()
