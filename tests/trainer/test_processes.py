"""Who started the processes of a run, and what they may share: from the variables of torchrun, accelerate and srun."""

import os

import pytest

from corpora.errors import InputError
from trainer.processes import choose_sharding, first_host, is_main, join_slurm, launcher, num_nodes, num_processes

STEP = {"SLURM_JOB_ID": "41", "SLURM_STEP_ID": "2", "SLURM_STEP_NUM_TASKS": "16", "SLURM_STEP_NUM_NODES": "2"}
STEP |= {"SLURM_STEP_NODELIST": "gpu[03-04]", "SLURM_PROCID": "9", "SLURM_LOCALID": "1"}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test change a copy of the environment."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_tasks_of_srun_become_ranks() -> None:
    os.environ |= STEP
    join_slurm()
    expected = {"RANK": "9", "LOCAL_RANK": "1", "WORLD_SIZE": "16", "LOCAL_WORLD_SIZE": "8", "MASTER_ADDR": "gpu03"}
    assert {name: os.environ[name] for name in expected} == expected
    assert (num_processes(), num_nodes(), launcher(), is_main()) == (16, 2, "srun", False)


@pytest.mark.parametrize("changes", [{"SLURM_STEP_NUM_TASKS": "1"}, {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4"}])
def test_one_task_and_processes_of_torchrun_are_left_as_they_are(changes: dict[str, str]) -> None:
    os.environ |= STEP | changes
    join_slurm()
    assert "MASTER_ADDR" not in os.environ
    assert launcher() in ("one process", "torchrun")


@pytest.mark.parametrize(
    ("nodes", "host"), [("n1", "n1"), ("n1,n2", "n1"), ("gpu[03-05,9],cpu1", "gpu03"), ("a-[1]b,c", "a-1b")]
)
def test_first_host_of_slurms_list(nodes: str, host: str) -> None:
    assert first_host(nodes) == host


def test_several_processes_shard_whoever_starts_them() -> None:
    assert choose_sharding(None, 1) == "none"
    assert choose_sharding(None, 8) == "fsdp2"
    os.environ |= {"WORLD_SIZE": "8"}
    assert choose_sharding(None, 1) == "fsdp2"
    assert choose_sharding("none", 1) == "none"
    os.environ |= {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}
    assert choose_sharding(None, 1) == "accelerate"


@pytest.mark.parametrize(
    ("changes", "sharding", "message"),
    [
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, None, "was started with DeepSpeed, and only FSDP2"),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "1"}, None, "the first FSDP"),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}, "none", "cannot be chosen as well"),
        ({}, "fsdp2", "and this is one"),
    ],
)
def test_anything_else_is_refused(changes: dict[str, str], sharding: str | None, message: str) -> None:
    os.environ |= changes
    with pytest.raises(InputError, match=message):
        choose_sharding(sharding, 1)
