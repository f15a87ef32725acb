"""FSDP2 on two processes: sharded, with the losses of one process, continued exactly, saved whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.conftest import SMALL, losses, small_recipe

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
Run = tuple[Any, Path]
# The recipe checkpoints activations and so does fsdp2.yaml: transformers would refuse both together.
CHANGES = ("num_train_epochs=2", "activation_checkpointing=true", "save_steps=8", "eval_steps=16")


def start(output: Path, release: Any, shim: bool = True) -> subprocess.Popen[str]:
    """Start `trainer sft --processes 2` on the sample; the shim lets accelerate shard on CPUs."""
    changes = [f"--set={change}" for change in (*SMALL, *CHANGES)]
    options = [f"--release={release.folder()}", "--config=el", f"--output={output}", "--processes=2"]
    options += [f"--log-file={output.parent / 'messages.log'}"]
    paths = [str(HERE.parent / "shim"), str(ROOT)] if shim else [str(ROOT)]
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", "sft", "tiny", *changes, *options],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        cwd=output.parent,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def sharded(release: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a sharded run without interruption; it ends with exit code 2 if its parameters are not DTensors."""
    from trainer.run import read_metadata

    output = tmp_path_factory.mktemp("sharded") / "run"
    process = start(output, release)
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert printed.count("Trained tiny") == 1
    assert errors.count("stage 4 of 5, training: ") >= 1
    assert (output.parent / "messages.log").read_text("utf-8").count("stage 5 of 5, saving model: took") == 1
    return read_metadata(output), output


@pytest.fixture(scope="module")
def resumed(release: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the same run, stopped by SIGTERM after its first checkpoint and continued."""
    from trainer.run import read_metadata
    from trainer.training import last_checkpoint

    output = tmp_path_factory.mktemp("resumed") / "run"
    process = start(output, release)
    while last_checkpoint(output) is None and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 143, errors
    assert "The same command continues" in errors
    metadata = read_metadata(output)
    assert metadata is not None
    assert metadata["status"] == "stopped"
    again = start(output, release)
    _, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    return read_metadata(output), output


def test_two_processes_have_the_losses_of_one(sharded: Run, release: Any, tmp_path: Path, one_thread: None) -> None:
    from trainer.preparation import TrainConfig
    from trainer.train import train

    metadata, _ = sharded
    single = train(TrainConfig(small_recipe(*CHANGES), release, tmp_path / "run", config_name="el"))
    assert metadata["processes"] == 2
    assert metadata["sharding"] == "fsdp2"
    assert losses(metadata) == pytest.approx(losses(single), abs=1e-5)
    assert metadata["num_tokens"] == single["num_tokens"]
    assert metadata["evaluations"][-1]["el"] == pytest.approx(single["evaluations"][-1]["el"], abs=1e-4)


def test_checkpoints_are_sharded_and_the_model_is_whole(sharded: Run) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from trainer.training import last_checkpoint, step_of

    metadata, output = sharded
    checkpoint = last_checkpoint(output)
    assert checkpoint is not None
    assert step_of(checkpoint) == metadata["num_steps"]
    assert len(list(checkpoint.glob("pytorch_model_fsdp_0/*.distcp"))) == 2
    assert not list(checkpoint.glob("*.safetensors"))
    model, report = AutoModelForCausalLM.from_pretrained(output / "model", output_loading_info=True)
    assert not any(report.values())
    assert model.num_parameters() == metadata["model"]["num_parameters"]
    generated = model.generate(torch.tensor([[5, 6, 7]]), max_new_tokens=4, do_sample=False)
    assert generated.shape == (1, 7)


def test_stopped_sharded_run_continues_exactly(sharded: Run, resumed: Run) -> None:
    import torch
    from safetensors.torch import load_file

    (uninterrupted, done), (metadata, output) = sharded, resumed
    assert len(metadata["sessions"]) == 2
    assert 0 < metadata["sessions"][1]["first_step"] < metadata["num_steps"]
    assert losses(metadata) == losses(uninterrupted)
    one, two = (load_file(run / "model" / "model.safetensors") for run in (done, output))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_sharding_without_a_gpu_is_refused(release: Any, tmp_path: Path) -> None:
    from trainer.training import last_checkpoint

    process = start(tmp_path / "run", release, shim=False)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "the parameters are not sharded" in errors
    assert "--sharding none" in errors
    assert "Traceback" not in errors
    assert last_checkpoint(tmp_path / "run") is None
