"""Many runs: jobs share a folder, a killed one's run is taken by another, failures are reported and left out."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from tests.trainer.conftest import SMALL
from trainer.sweep_runs import claim, parse_array_index, run_status

ROOT = Path(__file__).parents[2]
Planned = Callable[..., list[dict[str, Any]]]
TINY = (*SMALL, "num_train_epochs=0.5", "save_steps=2")


@pytest.fixture
def options(registry: Path, tmp_path: Path) -> dict[str, Any]:
    changes = {"num_train_epochs": 0.2, "learning_rate": 2e-3}
    return {
        "sizes": [20, 40, 60], "seeds": 2, "langs": ["el", "hi"], "release": "coit-sample", "registry": registry,
        "runs": tmp_path / "runs", "set": changes,
    }  # fmt: skip


def test_planned_runs_have_a_status_and_a_command(options: dict[str, Any]) -> None:
    import trainer

    rows = trainer.plan_sweep("tiny", **options)
    assert len(rows) == 12
    assert {row["status"] for row in rows} == {"free"}
    words = shlex.split(rows[1]["command"])
    assert words[:5] == ["trainer", "sft", "tiny", "--release", "coit-sample"]
    assert "--set learning_rate=0.002 --set seed=1" in rows[1]["command"]
    assert f"--output {rows[1]['folder']}" in rows[1]["command"]


def test_jobs_of_an_array_have_every_run_once(options: dict[str, Any]) -> None:
    import trainer

    parts = [trainer.plan_sweep("tiny", array_index=f"{index}/5", **options) for index in range(5)]
    folders = sorted(row["folder"] for part in parts for row in part)
    assert folders == sorted(row["folder"] for row in trainer.plan_sweep("tiny", **options))
    assert [len(part) for part in parts] == [3, 3, 2, 2, 2]


@pytest.mark.parametrize("text", ["3", "8/8", "-1/8", "a/8", "1/"])
def test_wrong_array_index_is_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match="takes K/N with K from 0"):
        parse_array_index(text)


def test_sweep_in_several_processes_is_refused(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import trainer

    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="Start it once, with --processes N"):
        trainer.sweep("tiny", **options)


def test_run_of_a_killed_owner_is_free(tmp_path: Path) -> None:
    code = "import sys, time, pathlib; from trainer.sweep_runs import claim\n"
    code += "with claim(pathlib.Path(sys.argv[1])): print('has it', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        assert run_status(tmp_path / "run") == "training"
        owner.kill()
        owner.wait()
    with claim(tmp_path / "run") as claimed:
        assert claimed
    assert run_status(tmp_path / "run") == "free"


def start_job(registry: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "trainer", "sweep", "tiny", "--release=coit-sample", f"--registry={registry}"]
    command += ["--langs=el,hi", "--sizes=20,30", "--seeds=2", f"--runs={folder}"]
    command += [f"--set={change}" for change in TINY]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_jobs_share_eight_runs_though_one_is_killed(registry: Path, tmp_path: Path) -> None:
    from trainer.run import read_metadata

    jobs = [start_job(registry, tmp_path) for _ in range(2)]
    while not list(tmp_path.glob("*/checkpoint-*")) and jobs[0].poll() is None:
        time.sleep(0.02)
    os.kill(jobs[0].pid, signal.SIGKILL)
    printed, errors = jobs[1].communicate(timeout=600)
    jobs[0].communicate()
    assert jobs[1].returncode == 0, errors
    assert printed.count("runs/") + printed.count(str(tmp_path)) >= 8
    metadata = [read_metadata(path) for path in sorted(tmp_path.iterdir()) if path.is_dir()]
    assert len(metadata) == 8
    assert all(run is not None and run["status"] == "done" for run in metadata)


@pytest.mark.slow
def test_failed_run_is_reported_and_the_others_are_trained(options: dict[str, Any], tmp_path: Path) -> None:
    import trainer

    options |= {"seeds": 1, "langs": ["el"], "sizes": [20, 40]}
    broken = Path(trainer.plan_sweep("tiny", **options)[0]["folder"])
    broken.mkdir(parents=True)
    (broken / "run.json").write_text("{}")
    (broken / "run.json").rename(broken / "examples")  # a file where a folder must be
    sweep = trainer.sweep("tiny", jobs=2, **options)
    assert [run.metadata["size"] for run in sweep] == [40]
    assert list(sweep.failures) == [broken.name]
    assert f"{broken.name} failed: " in repr(sweep)
    assert (sweep.runs[0].folder / "output.log").is_file()
