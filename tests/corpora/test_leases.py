"""Leases: one run at a time has a folder, a killed run loses it, another machine's run keeps it while it renews it."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import corpora.leases as leases
from corpora.errors import InputError
from corpora.leases import lease_folder

ROOT = Path(__file__).parents[2]
HOLD = "import sys; from pathlib import Path; from corpora.leases import lease_folder\n"
HOLD += "with lease_folder(Path(sys.argv[1]), 'work folder'): print('held', flush=True); sys.stdin.read()"


def hold(folder: Path) -> subprocess.Popen:
    """A process that has the lease of a folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout.readline() == b"held\n"
    return process


def test_second_run_is_refused_until_the_first_is_killed(tmp_path):
    process = hold(tmp_path)
    with pytest.raises(InputError, match=rf"using the work folder .+: process {process.pid} of this machine\. Wait"):
        lease_folder(tmp_path, "work folder").__enter__()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with lease_folder(tmp_path, "work folder"):
        pass


def test_lease_ends_with_the_block_and_numbers_are_never_used_twice(tmp_path):
    names = []
    for _ in range(3):
        with lease_folder(tmp_path, "work folder"):
            names += os.listdir(tmp_path)
    assert names == [".lease-000001", ".lease-000002", ".lease-000003"]


def other_machine(folder: Path, age: float) -> None:
    """Leave the lease of a run on another machine that it renewed some seconds ago."""
    holder = {"machine": "node7", "pid": os.getpid(), "began": "1", "namespace": "node7 boot"}
    (folder / ".lease-000004").write_text(json.dumps(holder))
    then = time.time() - age
    os.utime(folder / ".lease-000004", (then, then))


def test_lease_of_another_machine_counts_until_it_is_not_renewed(tmp_path):
    other_machine(tmp_path, leases.VOID_S - 60)
    with pytest.raises(InputError, match=r"on node7, which renewed its lease \d+ seconds ago"):
        lease_folder(tmp_path, "work folder").__enter__()
    other_machine(tmp_path, leases.VOID_S + 1)
    with lease_folder(tmp_path, "work folder"):
        assert os.listdir(tmp_path) == [".lease-000005"]


def test_of_many_that_begin_together_one_has_the_lease(tmp_path):
    other_machine(tmp_path, leases.VOID_S + 1)

    def take(_: int) -> bool:
        try:
            leases._take(tmp_path, "the work folder")
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(24))) == 1


def test_run_whose_lease_another_has_taken_ends_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "RENEWED_S", 0.02)

    def run() -> None:
        with lease_folder(tmp_path, "work folder"):
            (tmp_path / ".lease-000002").write_text("{}")
            time.sleep(1)

    with pytest.raises(InputError, match="Another run has taken the work folder"):
        run()
    assert (tmp_path / ".lease-000002").read_text() == "{}"
