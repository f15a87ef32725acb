"""Run a command on Ray nodes of this machine: `{address}` in it becomes the address of the cluster.

    python tests/benchmarks/on_nodes.py 2 -- trainer sweep tiny --sizes 20,40 --cluster {address}

Then prints the timeline of a sweep, from the log that it leaves in the folder of its runs: a row a run, with the node,
when it began and how long it took.
"""

import json
import subprocess
import sys
from pathlib import Path

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1] / "cluster"))
from ray_nodes import ray_nodes


def main() -> None:
    num, command = int(sys.argv[1]), sys.argv[3:]
    with ray_nodes([f"node{number}" for number in range(num)]) as cluster:
        command = [part.replace("{address}", cluster.address) for part in command]
        code = subprocess.run([sys.executable, "-m", *command], check=False).returncode
    if (log := Path("runs/cluster-runs.jsonl")).exists():
        rows = sorted((json.loads(line) for line in log.read_text().splitlines()), key=lambda row: row["begun"])
        first = rows[0]["begun"] if rows else 0
        table = [[r["run"], r["process"], f"{r['begun'] - first:.0f}", f"{r['seconds']:.0f}", r["code"]] for r in rows]
        print(tabulate(table, ["run", "process", "began after (s)", "took (s)", "exit code"]))
    sys.exit(code)


if __name__ == "__main__":
    main()
