"""FSDP2 on two processes: really sharded, the same losses as one process, resumed exactly, saved whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.trainer.conftest import SMALL, losses
from trainer.recipe import load_recipe
from trainer.release import Release
from trainer.run import Record, read_record
from trainer.sft import sft
from trainer.training.checkpoints import last_checkpoint, step_of
from trainer.training.prepare import Request

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# The recipe checkpoints activations and so does fsdp2.yaml: together they would be refused by transformers.
CHANGES = (*SMALL, "num_train_epochs=2", "activation_checkpointing=true", "save_steps=8", "eval_steps=16")


def start(out: Path, release: Release, shim: bool = True) -> subprocess.Popen[str]:
    """`trainer sft --processes 2` on the sample; with the shim, accelerate believes that it has GPUs."""
    changes = [f"--set={change}" for change in CHANGES]
    where = [f"--release={release.folder}", "--config=el", f"--out={out}", "--processes=2"]
    paths = [str(HERE.parent / "shim"), str(ROOT)] if shim else [str(ROOT)]
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", "sft", "tiny", *changes, *where],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        cwd=out.parent,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def sharded(release: Release, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    """A sharded run that nothing disturbed; it would have ended with exit code 2 if its parameters were no DTensors."""
    out = tmp_path_factory.mktemp("sharded") / "run"
    started = start(out, release)
    said, complained = started.communicate(timeout=300)
    assert started.returncode == 0, complained
    assert said.count("Trained tiny") == 1
    record = read_record(out)
    assert record is not None
    return record, out


@pytest.fixture(scope="module")
def resumed(release: Release, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    """The same run, stopped by SIGTERM after its first checkpoint and taken up again."""
    out = tmp_path_factory.mktemp("resumed") / "run"
    started = start(out, release)
    while last_checkpoint(out) is None and started.poll() is None:
        time.sleep(0.01)
    started.send_signal(signal.SIGTERM)
    _, complained = started.communicate(timeout=300)
    assert started.returncode == 143, complained
    assert "goes on from there" in complained
    record = read_record(out)
    assert record is not None
    assert record["status"] == "stopped"
    again = start(out, release)
    _, complained = again.communicate(timeout=300)
    assert again.returncode == 0, complained
    record = read_record(out)
    assert record is not None
    return record, out


def test_two_processes_learn_what_one_learns(sharded: tuple[Record, Path], release: Release, tmp_path: Path) -> None:
    record, _ = sharded
    alone = sft(Request(load_recipe("tiny", CHANGES), release, tmp_path / "run", config="el"))
    assert record["processes"] == 2
    assert record["sharding"] == "fsdp2"
    assert losses(record) == pytest.approx(losses(alone), abs=1e-5)
    assert record["tokens"] == alone["tokens"]
    assert record["evaluations"][-1]["el"] == pytest.approx(alone["evaluations"][-1]["el"], abs=1e-4)


def test_checkpoints_are_shards_and_the_last_save_is_a_whole_model(sharded: tuple[Record, Path]) -> None:
    record, out = sharded
    checkpoint = last_checkpoint(out)
    assert checkpoint is not None
    assert step_of(checkpoint) == record["num_steps"]
    assert len(list(checkpoint.glob("pytorch_model_fsdp_0/*.distcp"))) == 2
    assert not list(checkpoint.glob("*.safetensors"))
    model, report = AutoModelForCausalLM.from_pretrained(out / "model", output_loading_info=True)
    assert not any(report.values())
    assert model.num_parameters() == record["model"]["parameters"]
    written = model.generate(torch.tensor([[5, 6, 7]]), max_new_tokens=4, do_sample=False)
    assert written.shape == (1, 7)


def test_a_stopped_sharded_run_goes_on_with_no_difference_at_all(
    sharded: tuple[Record, Path], resumed: tuple[Record, Path]
) -> None:
    (undisturbed, done), (record, out) = sharded, resumed
    assert len(record["sessions"]) == 2
    assert 0 < record["sessions"][1]["first_step"] < record["num_steps"]
    assert losses(record) == losses(undisturbed)
    one, two = (load_file(run / "model" / "model.safetensors") for run in (done, out))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_without_a_gpu_sharding_is_refused_rather_than_pretended(release: Release, tmp_path: Path) -> None:
    started = start(tmp_path / "run", release, shim=False)
    _, complained = started.communicate(timeout=300)
    assert started.returncode == 2
    assert "the parameters are not sharded" in complained
    assert "--sharding none" in complained
    assert "Traceback" not in complained
    assert last_checkpoint(tmp_path / "run") is None
