"""FSDP2 on two and three processes: sharded, with the losses of one, continued exactly, saved whole."""

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
CHANGES = ("num_train_epochs=2", "activation_checkpointing=true", "save_steps=4", "eval_steps=16")
CHANGES += ("global_batch_size=18",)  # of two processes and of three


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
def single(release: Any, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Any:
    """Return the metadata of the same run in one process."""
    from trainer.preparation import TrainConfig
    from trainer.train import train

    output = tmp_path_factory.mktemp("single") / "run"
    return train(TrainConfig(small_recipe(*CHANGES), release, output, config_name="el"))


def check_record(metadata: Any, launcher: str, nodes: int = 1, processes: int = 2) -> None:
    """Check that run.json says what really ran."""
    assert (metadata["processes"], metadata["sharding"]) == (processes, "fsdp2")
    session = metadata["sessions"][-1]
    assert (session["launcher"], session["world_size"], session["nodes"]) == (launcher, processes, nodes)
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


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def uninterrupted(release: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of two nodes with a process each; it ends with exit code 2 if its parameters are not DTensors."""
    from trainer.run import read_metadata

    output = tmp_path_factory.mktemp("nodes") / "run"
    options = ("--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{free_port()}")
    command = ("-m", "torch.distributed.run", *options, "--local-addr=127.0.0.1", "-m")
    nodes = [start(output, release, *command) for _ in range(2)]
    printed, errors = zip(*(node.communicate(timeout=300) for node in nodes), strict=True)
    assert [node.returncode for node in nodes] == [0, 0], errors
    assert "".join(printed).count("Trained tiny") == 1
    assert "".join(errors).count("stage 4 of 5, training: ") >= 1
    assert (output.parent / "messages.log").read_text("utf-8").count("stage 5 of 5, saving model: took") == 1
    return read_metadata(output), output


def stop_after_a_checkpoint(output: Path, release: Any, *launcher: str) -> tuple[Any, int | None]:
    """Start or continue a run, send SIGUSR1 after its next checkpoint; return its metadata and the exit code."""
    from trainer.run import read_metadata
    from trainer.training import last_checkpoint, step_of

    before = last_checkpoint(output)
    process = start(output, release, *launcher)
    while last_checkpoint(output) == before and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=300)
    metadata, checkpoint = read_metadata(output), last_checkpoint(output)
    assert metadata is not None, errors
    assert metadata["status"] == "stopped", errors
    assert checkpoint is not None
    assert step_of(checkpoint) < 24
    assert "The same command continues" in errors or process.returncode != 143
    return metadata, process.returncode


@pytest.fixture(scope="module")
def continued(release: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the run stopped three times by SIGUSR1, each time under another launcher; three tasks of srun end it."""
    from trainer.run import read_metadata

    output = tmp_path_factory.mktemp("continued") / "run"
    metadata, code = stop_after_a_checkpoint(output, release)
    check_record(metadata, "trainer --processes")
    assert code == 143
    for launcher, command in LAUNCHERS.items():  # accelerate ends at SIGUSR1; its processes notice that
        check_record(stop_after_a_checkpoint(output, release, *command)[0], launcher)
    step = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "3", "SLURM_STEP_NUM_NODES": "3"}
    step |= {"SLURM_STEP_NODELIST": "127.0.0.1", "MASTER_PORT": str(free_port())}
    ranks = [step | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": "0"} for rank in range(3)]
    tasks = [start(output, release, "-m", variables=variables) for variables in ranks]
    errors = [task.communicate(timeout=300)[1] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0, 0], errors
    return read_metadata(output), output


def test_two_nodes_have_the_losses_of_one_process(uninterrupted: Run, single: Any) -> None:
    metadata, _ = uninterrupted
    check_record(metadata, "torchrun", nodes=2)
    assert len(losses(metadata)) >= 20
    assert losses(metadata) == pytest.approx(losses(single), rel=1e-5)
    assert metadata["num_tokens"] == single["num_tokens"]
    assert metadata["evaluations"][-1]["el"] == pytest.approx(single["evaluations"][-1]["el"], abs=1e-4)


def test_checkpoints_are_sharded_and_the_model_is_whole(uninterrupted: Run) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from trainer.training import last_checkpoint, step_of

    metadata, output = uninterrupted
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


def test_run_continues_exactly_under_every_launcher(uninterrupted: Run, continued: Run) -> None:
    metadata, _ = continued
    firsts = [session["first_step"] for session in metadata["sessions"]]
    assert len(firsts) == 4
    assert firsts == sorted({0, *firsts})
    assert losses(metadata)[: firsts[-1]] == losses(uninterrupted[0])[: firsts[-1]]


def test_three_processes_continue_what_two_began(uninterrupted: Run, continued: Run) -> None:
    from safetensors.torch import load_file

    metadata, output = continued
    check_record(metadata, "srun", nodes=3, processes=3)
    assert losses(metadata) == pytest.approx(losses(uninterrupted[0]), rel=1e-5)
    expected, weights = (load_file(run / "model" / "model.safetensors") for run in (uninterrupted[1], output))
    assert all((weights[name] - expected[name]).abs().max() < 1e-4 for name in expected)


@pytest.mark.campaign
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


@pytest.mark.campaign
def test_sharding_without_a_gpu_is_refused(release: Any, tmp_path: Path) -> None:
    from trainer.training import last_checkpoint

    process = start(tmp_path / "run", release, shim=False)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "the parameters are not sharded" in errors
    assert "--sharding none" in errors
    assert "Traceback" not in errors
    assert last_checkpoint(tmp_path / "run") is None
