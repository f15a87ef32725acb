"""A run of a sweep on a node of a cluster: a process of its own that ends with the one that started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer.cluster_runs import train_here

ROOT = Path(__file__).parents[2]
START = """
import sys
from pathlib import Path
from trainer.child_processes import start
with open(sys.argv[1], "ab") as log:
    print(start(["sleep", "60"], log, ends_with_parent=True).pid, flush=True)
sys.stdin.read()
"""


def test_run_reports_its_exit_code_and_keeps_its_messages(tmp_path):
    report = train_here(["sft", "no-such-recipe"], tmp_path, tmp_path)
    assert report["code"] == 2
    assert report["run"] == tmp_path.name
    assert "no-such-recipe" in (tmp_path / "output.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_run_ends_when_the_process_that_started_it_is_killed(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", START, tmp_path / "log"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    for _ in range(200):
        try:
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("the run goes on without its parent")
