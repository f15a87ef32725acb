"""FSDP2 on two processes: sharded, with the losses of one process, continued exactly, saved whole."""

import os
import signal
import socket
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


def start(
    output: Path, release: Any, *launcher: str, shim: bool = True, variables: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `trainer sft` in two processes on the sample, by default with --processes 2.

    The shim lets accelerate shard on CPUs.
    """
    changes = [f"--set={change}" for change in (*SMALL, *CHANGES)]
    options = [f"--release={release.folder()}", "--config=el", f"--output={output}"]
    options += [f"--log-file={output.parent / 'messages.log'}", "--keep-checkpoints"]
    options += [] if launcher else ["--processes=2"]
    paths = [str(HERE.parent / "shim"), str(ROOT)] if shim else [str(ROOT)]
    return subprocess.Popen(
        [sys.executable, *(launcher or ("-m",)), "trainer", "sft", "tiny", *changes, *options],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | (variables or {}),
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
    """Return the same run, stopped by SIGUSR1 after its first checkpoint and continued."""
    from trainer.run import read_metadata
    from trainer.training import last_checkpoint

    output = tmp_path_factory.mktemp("resumed") / "run"
    process = start(output, release)
    while last_checkpoint(output) is None and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
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


@pytest.fixture(scope="module")
def single(release: Any, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Any:
    """Return the metadata of the same run in one process."""
    from trainer.preparation import TrainConfig
    from trainer.train import train

    output = tmp_path_factory.mktemp("single") / "run"
    return train(TrainConfig(small_recipe(*CHANGES), release, output, config_name="el"))


def check_record(metadata: Any, launcher: str, nodes: int = 1) -> None:
    """Check that run.json says what really ran."""
    assert (metadata["processes"], metadata["sharding"]) == (2, "fsdp2")
    session = metadata["sessions"][-1]
    assert (session["launcher"], session["world_size"], session["nodes"]) == (launcher, 2, nodes)
    assert {session[f"{of}_dtype"] for of in ("parameter", "compute", "reduce")} == {"float32"}
    assert session["command"].startswith("trainer sft tiny")
    assert session["tokens_per_second"] > 0
    assert session["peak_memory_bytes"] > 1e7


LAUNCHERS = {
    "torchrun": (
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "--signals-to-handle=SIGUSR1",
        "-m",
    ),
    "accelerate launch": (
        *("-m", "accelerate.commands.accelerate_cli", "launch", "--num_processes=2"),
        *(f"--config_file={ROOT / 'recipes' / 'training' / 'fsdp2.yaml'}", "-m"),
    ),
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_launched_run_is_sharded_stops_and_continues_with_the_losses_of_one_process(
    launcher: str, single: Any, release: Any, tmp_path: Path
) -> None:
    from trainer.run import read_metadata
    from trainer.training import last_checkpoint

    output = tmp_path / "run"
    process = start(output, release, *LAUNCHERS[launcher])  # accelerate ends at SIGUSR1; its processes notice that
    while last_checkpoint(output) is None and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=300)
    stopped = read_metadata(output)
    assert stopped is not None, errors
    assert stopped["status"] == "stopped", errors
    check_record(stopped, launcher)
    again = start(output, release, *LAUNCHERS[launcher])
    _, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    metadata = read_metadata(output)
    assert metadata is not None
    check_record(metadata, launcher)
    assert metadata["sessions"][-1]["first_step"] > 0
    assert len(losses(metadata)) >= 20
    assert losses(metadata) == pytest.approx(losses(single), rel=1e-5)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def check_several(processes: list[subprocess.Popen[str]], output: Path, single: Any, launcher: str, nodes: int) -> None:
    """Wait for processes that were started one by one, and check what they trained together."""
    from trainer.run import read_metadata

    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    metadata = read_metadata(output)
    check_record(metadata, launcher, nodes)
    assert metadata is not None
    assert losses(metadata) == pytest.approx(losses(single), rel=1e-5)


def test_two_nodes_train_together(single: Any, release: Any, tmp_path: Path) -> None:
    output, port = tmp_path / "run", free_port()
    options = ("--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{port}")
    command = ("-m", "torch.distributed.run", *options, "--local-addr=127.0.0.1", "-m")
    nodes = [start(output, release, *command) for _ in range(2)]
    check_several(nodes, output, single, "torchrun", nodes=2)


def test_two_tasks_of_srun_train_together(single: Any, release: Any, tmp_path: Path) -> None:
    output, port = tmp_path / "run", free_port()
    step = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "2"}
    step |= {"SLURM_STEP_NODELIST": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [step | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": "0"} for rank in range(2)]
    tasks = [start(output, release, "-m", variables=variables) for variables in ranks]
    check_several(tasks, output, single, "srun", nodes=2)


def test_two_processes_have_the_losses_of_one(sharded: Run, single: Any) -> None:
    metadata, _ = sharded
    check_record(metadata, "trainer --processes")
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


def test_weights_that_one_process_reads_reach_the_others(release: Any, tmp_path: Path, one_thread: None) -> None:
    from tests.trainer.models import make_model
    from trainer.preparation import TrainConfig
    from trainer.run import read_metadata
    from trainer.train import train

    changes = ("model_config=null", f"model_name_or_path={make_model(tmp_path / 'base')}", "tokenizer=null")
    changes += ("pad_token=<unk>", "max_length=500", "max_steps=3", "activation_checkpointing=true")
    options = [f"--release={release.folder()}", "--config=el", f"--output={tmp_path / 'two'}", "--processes=2", "-q"]
    command = [sys.executable, "-m", "trainer", "sft", "tiny", *options]
    command += [f"--set={change}" for change in (*SMALL, *changes)]
    paths = os.pathsep.join([str(HERE.parent / "shim"), str(ROOT)])
    subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, cwd=tmp_path, check=True, timeout=300)
    two = read_metadata(tmp_path / "two")
    one = train(TrainConfig(small_recipe(*changes), release, tmp_path / "one", config_name="el"))
    assert two is not None
    assert two["sharding"] == "fsdp2"
    assert losses(two) == pytest.approx(losses(one), rel=1e-5)


def test_sharding_without_a_gpu_is_refused(release: Any, tmp_path: Path) -> None:
    from trainer.training import last_checkpoint

    process = start(tmp_path / "run", release, shim=False)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "the parameters are not sharded" in errors
    assert "--sharding none" in errors
    assert "Traceback" not in errors
    assert last_checkpoint(tmp_path / "run") is None
